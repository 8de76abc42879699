"""Readings as columns, small enough to hold for a minute and quick to sort."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from sensorcast_common.reading import Reading, TsSource

DAY_MS: Final = 24 * 3600 * 1000

Mask: TypeAlias = NDArray[np.bool_]
Positions: TypeAlias = NDArray[np.int64]

_FROM_SERVER: Final = 1
_REDELIVERED: Final = 2


class RowSeries(NamedTuple):
    """What rows of one series have in common; orders as the table is sorted."""

    tenant: str
    device: str
    metric: str
    unit: str


class RowKey(NamedTuple):
    """What makes two rows the same reading.

    Attributes:
        series: Tenant, device, metric and unit.
        ts: Milliseconds since 1970 UTC.
        value_bits: The float64's bits, so that -0.0 is not 0.0.
    """

    series: RowSeries
    ts: int
    value_bits: int


@dataclass(frozen=True, slots=True)
class Rows:
    """Columns of one length.

    Attributes:
        series: The distinct series.
        index: int32: which series each row belongs to.
        ts: int64: milliseconds since 1970 UTC.
        value: float64.
        received_at: int64: milliseconds since 1970 UTC.
        flags: uint8: who gave the time, and whether the reading is marked as redelivered.
    """

    series: tuple[RowSeries, ...]
    index: NDArray[np.int32]
    ts: NDArray[np.int64]
    value: NDArray[np.float64]
    received_at: NDArray[np.int64]
    flags: NDArray[np.uint8]

    @classmethod
    def of(cls, readings: Iterable[Reading]) -> Self:
        """The rows of readings.

        Raises:
            OverflowError: A time does not fit into 64 bits.
        """
        held = list(readings)
        series: dict[RowSeries, int] = {}
        index = [
            series.setdefault(RowSeries(one.tenant, one.device, one.metric, one.unit), len(series)) for one in held
        ]
        flags = [
            (_FROM_SERVER if one.ts_source is TsSource.SERVER else 0) | (_REDELIVERED if one.redelivered else 0)
            for one in held
        ]
        return cls(
            series=tuple(series),
            index=np.array(index, dtype=np.int32),
            ts=np.array([one.ts for one in held], dtype=np.int64),
            value=np.array([one.value for one in held], dtype=np.float64),
            received_at=np.array([one.received_at for one in held], dtype=np.int64),
            flags=np.array(flags, dtype=np.uint8),
        )

    @classmethod
    def joined(cls, parts: Sequence["Rows"]) -> "Rows":
        """All rows of all parts, sorted by (tenant, device, metric, ts); rows that tie keep their order."""
        every = sorted({series for part in parts for series in part.series})
        rank = {series: place for place, series in enumerate(every)}
        index = [
            np.array([rank[series] for series in part.series], dtype=np.int32)[part.index] for part in parts if part
        ]
        full = [part for part in parts if part]
        if not full:
            return cls.of([])
        together = cls(
            series=tuple(every),
            index=np.concatenate(index),
            ts=np.concatenate([part.ts for part in full]),
            value=np.concatenate([part.value for part in full]),
            received_at=np.concatenate([part.received_at for part in full]),
            flags=np.concatenate([part.flags for part in full]),
        )
        # A metric that changed its unit is two series here, and one in the table's order.
        group = {key: place for place, key in enumerate(dict.fromkeys(series[:3] for series in every))}
        groups = np.array([group[series[:3]] for series in every], dtype=np.int32)[together.index]
        return together.take(np.lexsort((together.ts, groups)))

    def __len__(self) -> int:
        return len(self.ts)

    @property
    def nbytes(self) -> int:
        """Bytes of memory, roughly."""
        columns = (self.index, self.ts, self.value, self.received_at, self.flags)
        return sum(column.nbytes for column in columns) + 300 * len(self.series)

    @property
    def redelivered(self) -> Mask:
        """Which rows are marked as redelivered."""
        return (self.flags & np.uint8(_REDELIVERED)).astype(np.bool_)

    @property
    def from_server(self) -> Mask:
        """Which rows have the time of receipt as their time."""
        return (self.flags & np.uint8(_FROM_SERVER)).astype(np.bool_)

    @property
    def value_bits(self) -> NDArray[np.int64]:
        """The values' bits."""
        return self.value.view(np.int64)

    def take(self, rows: Mask | Positions) -> "Rows":
        """The rows chosen by a mask or by positions."""
        return Rows(
            series=self.series,
            index=self.index[rows],
            ts=self.ts[rows],
            value=self.value[rows],
            received_at=self.received_at[rows],
            flags=self.flags[rows],
        )

    def readings(self) -> Iterator[Reading]:
        """The rows as readings, in their order."""
        columns = (self.index, self.ts, self.value, self.received_at, self.flags)
        for at, ts, value, received_at, flags in zip(*(column.tolist() for column in columns), strict=True):
            series = self.series[at]
            yield Reading(
                tenant=series.tenant,
                device=series.device,
                metric=series.metric,
                ts=ts,
                value=value,
                unit=series.unit,
                received_at=received_at,
                ts_source=TsSource.SERVER if flags & _FROM_SERVER else TsSource.DEVICE,
                redelivered=bool(flags & _REDELIVERED),
            )

    def key(self, row: int) -> RowKey:
        """The identity of one row."""
        return RowKey(self.series[int(self.index[row])], int(self.ts[row]), int(self.value_bits[row]))

    def by_day(self) -> "list[tuple[int, Rows]]":
        """The rows of each UTC day, as days since 1970; their order stays."""
        days = self.ts // DAY_MS
        return [(int(day), self.take(days == day)) for day in np.unique(days)]
