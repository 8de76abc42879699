"""Rows to readings: every cell becomes a reading, stays empty, or is rejected with a reason."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from sensorcast_common.csv.columns import Column
from sensorcast_common.csv.csv_file import Row
from sensorcast_common.csv.times import ParseTime
from sensorcast_common.payload.rejected import PayloadRejected
from sensorcast_common.payload.times import plausible

EMPTY: Final = frozenset({"", "-", "na", "n/a", "nan", "null", "none"})
"""What people write for no value."""

_NUMBER: Final = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,4})?", re.ASCII)


class Measured(NamedTuple):
    """One reading to send; `ts` in milliseconds since 1970 UTC."""

    device: str
    metric: str
    ts: int
    value: float
    unit: str


class Rejected(NamedTuple):
    """What cannot be sent: a whole row where `column` is empty."""

    row: int
    column: str
    text: str
    reason: str


@dataclass(slots=True)
class Outcome:
    """What became of one row.

    Attributes:
        ts: Its time; `None` where it has none that can be read.
        readings: To send.
        rejected: Not to send, with reasons.
        empty: How many cells hold no value.
    """

    ts: int | None = None
    readings: list[Measured] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    empty: int = 0


def require_whole(row: Row, width: int) -> None:
    """Check that a row could be read and has a cell for each column.

    Raises:
        ValueError: It has not; the message says why.
    """
    if row.fault:
        raise ValueError(row.fault)
    if len(row.cells) != width:
        raise ValueError(f"{len(row.cells)} cells, the header has {width}")


@dataclass(frozen=True, slots=True, kw_only=True)
class RowReader:
    """Reads rows of one file.

    Attributes:
        width: Cells of a row.
        time_column: Which of them is the time.
        columns: The sensors.
        parse_time: Reads the time.
        decimal_comma: Whether `4,2` is 4.2.
        shift: Milliseconds to add to every time.
    """

    width: int
    time_column: int
    columns: Sequence[Column]
    parse_time: ParseTime
    decimal_comma: bool
    shift: int = 0

    def time_of(self, row: Row) -> int:
        """The row's time as written, ms.

        Raises:
            ValueError: There is none; the message says why.
        """
        require_whole(row, self.width)
        try:
            return self.parse_time(row.cells[self.time_column])
        except OverflowError as error:
            raise ValueError(str(error)) from error

    def read(self, row: Row, *, now: int) -> Outcome:
        """Turn a row into readings.

        Args:
            row: The row.
            now: The present, ms: ingest takes no reading from the future.
        """
        outcome = Outcome()
        try:
            ts = plausible(self.time_of(row) + self.shift, now)
        except (ValueError, PayloadRejected) as error:
            reason = error.detail if isinstance(error, PayloadRejected) else str(error)
            outcome.rejected.append(Rejected(row.number, "", ",".join(row.cells), reason))
            return outcome
        outcome.ts = ts
        for column in self.columns:
            text = row.cells[column.index].strip()
            if text.lower() in EMPTY:
                outcome.empty += 1
                continue
            try:
                value = self._number(text)
            except ValueError as error:
                outcome.rejected.append(Rejected(row.number, column.header, text, str(error)))
            else:
                outcome.readings.append(Measured(column.device, column.metric, ts, value, column.unit))
        return outcome

    def _number(self, text: str) -> float:
        written = text.replace(",", ".") if self.decimal_comma else text
        if not _NUMBER.fullmatch(written):
            raise ValueError(f"{text[:40]!r} is not a number")
        value = float(written)
        if not math.isfinite(value):
            raise ValueError(f"{text[:40]!r} is not finite")
        return value
