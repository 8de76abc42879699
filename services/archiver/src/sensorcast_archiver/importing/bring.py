"""Brings the readings of a file into the lake, piece by piece, each piece one batch and one commit."""

import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from sensorcast_archiver.accept import accept
from sensorcast_archiver.importing.journal import Journal
from sensorcast_archiver.lake.write import Committed, LakeBatch
from sensorcast_common.batch import ReadingBatch
from sensorcast_common.clock import from_millis
from sensorcast_common.csv.csv_file import Row
from sensorcast_common.csv.readings import Measured, Outcome
from sensorcast_common.csv.rejects import Rejects
from sensorcast_common.device import MetricState, Sighting
from sensorcast_common.reading import Reading

PIECE_READINGS: Final = 200_000
"""Readings of a piece: what is held in memory, some hundred megabytes."""

_TICK_ROWS: Final = 1000


class Reader(Protocol):
    """Turns rows into readings."""

    def read(self, row: Row, *, now: int) -> Outcome:
        """What becomes of one row."""
        ...


class LakeWriting(Protocol):
    """The lake."""

    def commit(self, batches: list[LakeBatch]) -> Committed:
        """Add batches; those that the lake has already are skipped."""
        ...


@dataclass(slots=True)
class _Span:
    first: int
    last: int
    metrics: dict[str, Measured]


class Bringing:
    """An import under way.

    Args:
        lake: The lake.
        tenant: Whose devices.
        reader: Reads the rows.
        rejects: Where the rest goes.
        journal: How far it is.
        journal_path: Where that is kept.
        piece: Readings of one commit.
        tick: Told how many rows have been read.

    Attributes:
        journal: How far it is now.
    """

    def __init__(
        self,
        lake: LakeWriting,
        *,
        tenant: str,
        reader: Reader,
        rejects: Rejects,
        journal: Journal,
        journal_path: Path,
        piece: int = PIECE_READINGS,
        tick: Callable[[int], None] = lambda _: None,
    ) -> None:
        self._lake = lake
        self._tenant = tenant
        self._reader = reader
        self._rejects = rejects
        self._path = journal_path
        self._piece = piece
        self._tick = tick
        self._waiting: list[Measured] = []
        self._seen: dict[str, _Span] = {}
        self.journal = journal

    def run(self, rows: Iterable[Row]) -> None:
        """Bring all rows that are not in the lake yet.

        Raises:
            CsvFault: The file cannot be read any further; what was read before is in the lake.
            Retryable: The lake does not take the piece; call again.
            OSError: The rejects or the journal cannot be written.
        """
        self.journal.save(self._path)  # before the first commit, or nobody would know by which name its batch went
        ahead = self.journal.rows
        at = 0
        for at, row in enumerate(rows, start=1):
            if at % _TICK_ROWS == 0:
                self._tick(_TICK_ROWS)
            # Rows that are in the lake are read again all the same: they tell which devices there are.
            outcome = self._reader.read(row, now=self.journal.received_at)
            self._see(outcome.readings)
            if at <= ahead:
                continue
            self._rejects.add(outcome.rejected)
            self._waiting += outcome.readings
            if len(self._waiting) >= self._piece:
                self._commit(at, done=False)
        self._tick(at % _TICK_ROWS)
        self._commit(at, done=True)

    def sightings(self) -> list[Sighting]:
        """What the file tells of its devices; they count as seen when they measured, not when they were imported."""
        return [
            Sighting(
                tenant=self._tenant,
                device=device,
                metrics={
                    name: MetricState(unit=last.unit, last_ts=from_millis(last.ts), last_value=last.value)
                    for name, last in sorted(span.metrics.items())
                },
                first_received=span.first,
                last_received=span.last,
            )
            for device, span in sorted(self._seen.items())
        ]

    def _see(self, readings: Iterable[Measured]) -> None:
        for one in readings:
            span = self._seen.get(one.device)
            if span is None:
                span = self._seen[one.device] = _Span(one.ts, one.ts, {})
            span.first, span.last = min(span.first, one.ts), max(span.last, one.ts)
            before = span.metrics.get(one.metric)
            if before is None or one.ts >= before.ts:
                span.metrics[one.metric] = one

    def _commit(self, rows: int, *, done: bool) -> None:
        if self._waiting:
            # The same rows make the same batch, whether it is the first attempt or one after a crash.
            batch_id = str(uuid.uuid5(uuid.UUID(self.journal.import_id), str(self.journal.rows)))
            readings = [
                Reading(self._tenant, one.device, one.metric, one.ts, one.value, one.unit, self.journal.received_at)
                for one in self._waiting
            ]
            accepted = accept(ReadingBatch(batch_id, self.journal.received_at, readings))
            self._lake.commit([accepted.lake])
        self.journal = self.journal.moved(
            rows=rows,
            readings=self.journal.readings + len(self._waiting),
            rejected=self._rejects.count,
            rejects_bytes=self._rejects.written(),
            done=done,
        )
        self._waiting = []
        self.journal.save(self._path)
