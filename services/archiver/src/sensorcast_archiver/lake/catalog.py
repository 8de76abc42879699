"""Opens the lake table through the Iceberg REST catalog of S3 Tables."""

import random
import time
from collections.abc import Mapping
from functools import partial
from typing import Final

from pyiceberg.catalog.rest import RestCatalog
from pyiceberg.exceptions import CommitFailedException, NoSuchNamespaceError, NoSuchTableError
from pyiceberg.table import Table
from requests import Session

from sensorcast_archiver.lake.schema import LakeTableError, check_columns, ensure_layout

_TIMEOUTS: Final = (5.0, 60.0)
"""Seconds to connect, and between two bytes of an answer."""

_LAYOUT_ATTEMPTS: Final = 8


class _PatientCatalog(RestCatalog):
    """A REST catalog whose requests end: pyiceberg gives them no timeout, and a lost packet would stop the lake."""

    def _create_session(self) -> Session:
        session = super()._create_session()
        setattr(session, "request", partial(session.request, timeout=_TIMEOUTS))  # noqa: B010 - a method, for mypy
        return session


def catalog_properties(*, uri: str, warehouse: str, region: str, s3_endpoint: str | None = None) -> dict[str, str]:
    """Properties of pyiceberg's REST catalog; credentials come from the AWS default chain.

    Args:
        uri: The catalog, e.g. `https://s3tables.eu-central-1.amazonaws.com/iceberg`.
        warehouse: The table bucket's ARN.
        region: AWS Region.
        s3_endpoint: Where the data files are, if not where AWS has them.
    """
    properties = {
        "type": "rest",
        "uri": uri,
        "warehouse": warehouse,
        "rest.sigv4-enabled": "true",
        "rest.signing-name": "s3tables",
        "rest.signing-region": region,
        "client.region": region,
        "s3.connect-timeout": "5",
        "s3.request-timeout": "60",
    }
    return properties | ({"s3.endpoint": s3_endpoint} if s3_endpoint else {})


def open_table(properties: Mapping[str, str], *, namespace: str, name: str) -> Table:
    """The lake table, partitioned and sorted as it shall be.

    Raises:
        LakeTableError: It does not exist, or lacks a column; the message names it.
    """
    called = f"lake table {namespace}.{name} in {properties['warehouse']}"
    catalog = _PatientCatalog("lake", **properties)
    try:
        table: Table = catalog.load_table((namespace, name))
    except (NoSuchTableError, NoSuchNamespaceError) as error:
        raise LakeTableError(f"{called} does not exist: deploy the stack first") from error
    check_columns(table.schema(), table=called)
    for attempt in range(_LAYOUT_ATTEMPTS):
        try:
            ensure_layout(table)
            break
        except CommitFailedException:
            if attempt == _LAYOUT_ATTEMPTS - 1:
                raise
            time.sleep(random.uniform(0.05, 0.2) * 2**attempt)  # noqa: S311 - jitter
            table.refresh()
    return table
