"""docs/scale.md is what its script computes."""

from benchmarks.scale import PAGE, SIZES, Load, page, sizes

from sensorcast_archiver.settings import ArchiverSettings
from sensorcast_ingest.settings import IngestSettings


def test_the_page_is_what_the_script_computes() -> None:
    size, archiver, ingest = sizes(), ArchiverSettings(), IngestSettings()
    loads = [
        Load(sensors, size, archiver.lake_commit_seconds, archiver.hot_flush_seconds, ingest.linger_ms / 1000)
        for sensors in SIZES
    ]
    assert PAGE.read_text(encoding="utf-8") == page(size, loads), "compute it anew: make scale"
    for load in loads:
        assert sum(load.dollars().values()) < sum(load.naive().values())
