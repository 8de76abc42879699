"""Snapshots that nobody needs any more, and files that no snapshot refers to."""

from collections.abc import Callable, Iterator
from typing import Final

from pyarrow import fs
from pyiceberg.io.pyarrow import PyArrowFileIO
from pyiceberg.table import Table
from pyiceberg.table.maintenance import MaintenanceTable

from sensorcast_archiver.lake.ledger import FILE_KEY, SKEW_MS
from sensorcast_common.clock import from_millis

DAY_MS: Final = 24 * 3600 * 1000


def least_age_ms(lookback_ms: int) -> int:
    """How old a snapshot must be to go: until then archivers look at its receipt to tell which batches the lake has."""
    return lookback_ms + 2 * SKEW_MS


def expire(table: Table, *, age_ms: int, lookback_ms: int, now: int) -> int:
    """Forget snapshots of an age; the current one stays.

    Args:
        table: The table, refreshed.
        age_ms: Older ones go.
        lookback_ms: How long archivers recognise a batch.
        now: The present, in milliseconds since 1970 UTC.

    Returns:
        How many went.

    Raises:
        ValueError: `age_ms` is so low that batches would be forgotten which may still be delivered again.
    """
    if age_ms < least_age_ms(lookback_ms):
        raise ValueError(
            f"snapshots of the last {least_age_ms(lookback_ms) / 3_600_000:g} hours must stay: "
            "archivers tell by them which batches the lake has"
        )
    before = len(table.snapshots())
    if before:
        MaintenanceTable(table).expire_snapshots().older_than(from_millis(now - age_ms)).commit()
        table.refresh()
    return before - len(table.snapshots())


def orphans(table: Table, *, age_ms: int, now: int) -> list[tuple[str, int]]:
    """Files below the table's location that no snapshot refers to, and their sizes.

    Args:
        table: The table.
        age_ms: Younger files may belong to a commit under way, and are left alone.
        now: The present, in milliseconds since 1970 UTC.

    Raises:
        OSError: The catalog does not let its files be listed, as S3 Tables does not.
        ValueError: `age_ms` is below a day.
    """
    if age_ms < DAY_MS:
        raise ValueError("files of the last day must stay: a commit may be under way")
    old = [
        (info.path, info.size)
        for info in _listed(table)
        if info.mtime_ns is not None and info.mtime_ns // 1_000_000 < now - age_ms
    ]
    # Looked up after the listing: what was committed meanwhile is among it.
    table.refresh()
    needed = {_bare(path) for path in _referenced(table)}
    return [(path, size) for path, size in old if path not in needed]


def remove(table: Table, paths: list[str], *, tick: Callable[[int], None] = lambda _: None) -> None:
    """Delete files."""
    scheme = table.location().partition("://")[0]
    for path in paths:
        table.io.delete(f"{scheme}://{path}")
        tick(1)


def _listed(table: Table) -> list[fs.FileInfo]:
    scheme, _, location = table.location().partition("://")
    if not isinstance(table.io, PyArrowFileIO):
        raise OSError(f"{type(table.io).__name__} cannot list files")
    filesystem = table.io.fs_by_scheme(scheme, location.partition("/")[0])
    found: list[fs.FileInfo] = filesystem.get_file_info(fs.FileSelector(location, recursive=True))
    return [info for info in found if info.type == fs.FileType.File]


def _referenced(table: Table) -> Iterator[str]:
    yield table.metadata_location
    for entry in table.metadata.metadata_log:
        yield entry.metadata_file
    for statistics in table.metadata.statistics:
        yield statistics.statistics_path
    manifests: set[str] = set()
    for snapshot in table.metadata.snapshots:
        yield snapshot.manifest_list
        receipt = snapshot.summary.get(FILE_KEY) if snapshot.summary is not None else None
        if receipt is not None:
            yield receipt
        for manifest in snapshot.manifests(table.io):
            if manifest.manifest_path not in manifests:
                manifests.add(manifest.manifest_path)
                yield manifest.manifest_path
                for one in manifest.fetch_manifest_entry(table.io, discard_deleted=True):
                    yield one.data_file.file_path


def _bare(path: str) -> str:
    return path.partition("://")[2]
