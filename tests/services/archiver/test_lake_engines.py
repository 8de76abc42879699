"""What docs/lake.md shows of other engines works: its blocks are run on a lake."""

import re
from importlib import import_module
from pathlib import Path
from typing import Any

import duckdb
import pytest
from tests.servers.lake import lake_properties
from tests.services.archiver.conftest import Lake
from tests.services.archiver.samples import lake_batch, reading

DOCS = Path(__file__).parents[3] / "docs" / "lake.md"


def blocks() -> tuple[str, str]:
    """The code for pyiceberg and pandas, and that for DuckDB."""
    iceberg, duck = re.findall(r"```python\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    return iceberg, duck


def test_pyiceberg_pandas_and_duckdb_read_the_table(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [reading(i * 600, i, device=f"truck-{d}", tenant="demo") for i in range(12) for d in (1, 2)]
    lake.writer().commit([lake_batch(*rows, reading(0, -40.0, metric="humidity"))])
    account = lake.stack.account
    for name, value in lake.stack.env.items():
        monkeypatch.setenv(name, value)
    names: dict[str, Any] = {
        "uri": lake_properties(lake.stack)["uri"],
        "warehouse": lake.stack.outputs["LakeArn"],
        "region": account.region,
        "secret": f"CREATE SECRET (TYPE s3, KEY_ID '{account.access_key}', SECRET '{account.secret_key}', "
        f"REGION '{account.region}', ENDPOINT '{account.endpoint_url.removeprefix('http://')}', URL_STYLE 'path', "
        "USE_SSL false)",
    }
    iceberg, duck = blocks()
    exec(iceberg, names)
    assert len(names["frame"]) == 24
    assert names["hourly"].loc["truck-1"].tolist() == [2.5, 8.5]
    exec(without_a_network(duck), names)
    assert names["coldest"] == [("truck-1", 0.0), ("truck-2", 0.0)]


def without_a_network(code: str) -> str:
    """The extensions come from their packages, where the code has DuckDB fetch them."""
    files = [extension_file(name) for name in ("avro", "httpfs", "iceberg")]
    code = code.replace('database.install_extension("iceberg")\n', "")
    loads = "".join(f"database.load_extension({file!r})\n" for file in files)
    return code.replace('database.load_extension("iceberg")\n', loads)


def extension_file(name: str) -> str:
    """Where a package has put its one file."""
    package = import_module(f"duckdb_extension_{name}")
    version = f"v{duckdb.__version__}"
    return str(Path(package.__path__[0]) / "extensions" / version / f"{name}.duckdb_extension")
