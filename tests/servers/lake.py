"""The Iceberg lake of a deployed stack, as pyiceberg sees it."""

from datetime import UTC, datetime, timedelta

import pyarrow as pa
from pyiceberg.catalog.rest import RestCatalog
from pyiceberg.table import Table
from tests.servers.aws import DeployedStack


def lake_properties(stack: DeployedStack) -> dict[str, str]:
    """Properties of pyiceberg's REST catalog.

    On AWS `uri` is `https://s3tables.{region}.amazonaws.com/iceberg`, and credentials and `s3.endpoint` are left out.
    """
    account = stack.account
    return {
        "type": "rest",
        "uri": f"{account.endpoint_url}/iceberg",
        "warehouse": stack.outputs["LakeArn"],
        "rest.sigv4-enabled": "true",
        "rest.signing-name": "s3tables",
        "rest.signing-region": account.region,
        "client.region": account.region,
        "client.access-key-id": account.access_key,
        "client.secret-access-key": account.secret_key,
        "s3.endpoint": account.endpoint_url,
    }


def open_table(stack: DeployedStack, name: str) -> Table:
    """A lake table by name, through a catalog of its own."""
    catalog = RestCatalog("lake", **lake_properties(stack))
    table: Table = catalog.load_table((stack.names.lake_namespace, name))
    return table


def reading_rows(table: Table, *, count: int, device: str = "truck-1", start: datetime | None = None) -> pa.Table:
    """`count` readings of one device, a second apart, their values 0, 1, 2, ..."""
    first = start or datetime(2026, 3, 1, tzinfo=UTC)
    times = [first + timedelta(seconds=position) for position in range(count)]
    return pa.table(
        {
            "tenant": ["acme"] * count,
            "device": [device] * count,
            "metric": ["temperature"] * count,
            "ts": times,
            "value": [float(position) for position in range(count)],
            "unit": ["Cel"] * count,
            "received_at": times,
            "ts_source": ["device"] * count,
        },
        schema=table.schema().as_arrow(),
    )
