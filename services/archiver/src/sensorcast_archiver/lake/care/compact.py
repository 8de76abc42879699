"""Compaction, one day and one commit at a time: what is interrupted goes on with the next day."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from pyiceberg.table import Table

from sensorcast_archiver.lake.care.replace import Overtaken, replace_files
from sensorcast_archiver.lake.care.rewrite import GROUP_ROWS, TARGET_BYTES, Day, rewrite

_SMALL: Final = 0.75
"""A file below this share of the target is small."""


@dataclass(slots=True)
class Compacted:
    """What was done.

    Attributes:
        days: Days written anew.
        overtaken: Days that another compaction was faster with.
        rows: Rows in them.
        repeats: Rows removed, since another had their series and time.
        files_before: Files they had.
        files_after: Files they have.
        bytes_before: Their size.
        bytes_after: Their size now.
    """

    days: int = 0
    overtaken: int = 0
    rows: int = 0
    repeats: int = 0
    files_before: int = 0
    files_after: int = 0
    bytes_before: int = 0
    bytes_after: int = 0


def untidy(days: Iterable[Day], *, before: int, target_bytes: int = TARGET_BYTES) -> list[Day]:
    """The days before day number `before` that have two small files or more."""
    return [
        day
        for day in days
        if day.number < before and sum(1 for file in day.files if file.file_size_in_bytes < _SMALL * target_bytes) >= 2
    ]


def compact(
    table: Table,
    chosen: Sequence[Day],
    *,
    target_bytes: int = TARGET_BYTES,
    group_rows: int = GROUP_ROWS,
    tick: Callable[[int], None] = lambda _: None,
) -> Compacted:
    """Write days anew.

    Args:
        table: The table.
        chosen: Which days.
        target_bytes: Size of a file.
        group_rows: Rows that are held at a time.
        tick: Told how many rows have been read.

    Raises:
        pyiceberg.exceptions.CommitFailedException: Other writers came first too often.
    """
    done = Compacted()
    for day in chosen:
        outcome = rewrite(table, day, target_bytes=target_bytes, group_rows=group_rows, tick=tick)
        try:
            replace_files(table, day.files, outcome.files)
        except Overtaken:
            done.overtaken += 1
            continue
        done.days += 1
        done.rows += outcome.rows
        done.repeats += outcome.repeats
        done.files_before += len(day.files)
        done.files_after += len(outcome.files)
        done.bytes_before += day.bytes
        done.bytes_after += sum(file.file_size_in_bytes for file in outcome.files)
    return done
