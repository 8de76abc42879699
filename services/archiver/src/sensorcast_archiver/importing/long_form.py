"""Files with one reading a row: columns device, metric, time, value and unit, as `/v1/history/export` writes them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

from sensorcast_common.csv.csv_file import Row
from sensorcast_common.csv.readings import Measured, Outcome, Rejected, require_whole
from sensorcast_common.csv.times import ParseTime
from sensorcast_common.names import is_name
from sensorcast_common.payload.rejected import PayloadRejected
from sensorcast_common.payload.times import plausible
from sensorcast_common.payload.units import RATIO, UNITS, default_unit

_NEEDED: Final = frozenset({"metric", "value"})


@dataclass(frozen=True, slots=True, kw_only=True)
class LongReader:
    """Reads such rows.

    Attributes:
        places: Where `device`, `metric`, `value` and `unit` stand; a column that is missing is absent.
        width: Cells of a row.
        time_column: Which of them is the time.
        device: Whose readings, where there is no column for it.
        parse_time: Reads the time.
        decimal_comma: Whether `4,2` is 4.2.
    """

    places: dict[str, int]
    width: int
    time_column: int
    device: str
    parse_time: ParseTime
    decimal_comma: bool

    @classmethod
    def of(
        cls, header: Sequence[str], *, time_column: int, device: str, parse_time: ParseTime, decimal_comma: bool
    ) -> Self | None:
        """A reader for a file with this header; `None` where its rows hold one column per sensor."""
        lowered = [name.strip().lower() for name in header]
        if not _NEEDED.issubset(lowered):
            return None
        places: dict[str, int] = {
            name: lowered.index(name) for name in ("device", "metric", "value", "unit") if name in lowered
        }
        return cls(
            places=places,
            width=len(header),
            time_column=time_column,
            device=device,
            parse_time=parse_time,
            decimal_comma=decimal_comma,
        )

    def read(self, row: Row, *, now: int) -> Outcome:
        """Turn a row into its reading; `now` in milliseconds since 1970 UTC."""
        outcome = Outcome()
        try:
            require_whole(row, self.width)
            outcome.ts = plausible(self.parse_time(row.cells[self.time_column]), now)
            outcome.readings.append(self._reading(row.cells, outcome.ts))
        except (ValueError, OverflowError, PayloadRejected) as error:
            reason = error.detail if isinstance(error, PayloadRejected) else str(error)
            outcome.rejected.append(Rejected(row.number, "", ",".join(row.cells), reason))
        return outcome

    def _reading(self, cells: Sequence[str], ts: int) -> Measured:
        metric = cells[self.places["metric"]].strip()
        device = cells[self.places["device"]].strip() if "device" in self.places else self.device
        for column, name in (("device", device), ("metric", metric)):
            if not is_name(name):
                raise ValueError(f"{column}: {name[:64]!r} is not a name")
        text = cells[self.places["value"]].strip()
        try:
            value = float(text.replace(",", ".") if self.decimal_comma else text)
        except ValueError as error:
            raise ValueError(f"value: {text[:40]!r} is not a number") from error
        if not math.isfinite(value):
            raise ValueError(f"value: {text[:40]!r} is not finite")
        unit = cells[self.places["unit"]].strip() if "unit" in self.places else default_unit(metric) or RATIO
        if unit not in UNITS:
            raise ValueError(f"unit: {unit[:40]!r} is not a SenML unit (RFC 8428)")
        return Measured(device, metric, ts, value, unit)
