"""Replays a range of the past through a rule, one series after the other, so that only one is held at a time."""

import asyncio
import threading
from array import array
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from sensorcast_api.downsample import Method, chosen
from sensorcast_api.history.past import Past
from sensorcast_api.history.question import Question, Row
from sensorcast_api.ports import Forecasts
from sensorcast_common.device import Device
from sensorcast_common.reading import Reading, SeriesKey
from sensorcast_common.rule import Rule
from sensorcast_rules.outcome import Rehearsal
from sensorcast_rules.rehearse import rehearse

DEVICES_A_QUESTION: Final = 100
"""Devices that one statement to the lake names."""


class TooManyReadings(Exception):  # noqa: N818 - an answer, not a failure
    """More readings than one dry run may replay."""


class _GivenUp(Exception):  # noqa: N818 - ends a thread whose result nobody waits for
    pass


class Drawn(NamedTuple):
    """A series as a plot shows it: `ts` (ms) and `value`, as many as were asked for at most."""

    series: SeriesKey
    unit: str
    ts: list[int]
    value: list[float]
    incidents: int


class Range(NamedTuple):
    """Event times from `start` to before `end`, in milliseconds since 1970 UTC; time is waited for until `until`."""

    start: int
    end: int
    until: int


class Replayed(NamedTuple):
    """What came of all series, and some of them to draw: those with incidents first."""

    rehearsal: Rehearsal
    drawn: list[Drawn]


@dataclass(slots=True)
class _Series:
    """The readings of one series, in columns: a range may hold a million."""

    key: SeriesKey
    ts: "array[int]" = field(default_factory=lambda: array("q"))
    value: "array[float]" = field(default_factory=lambda: array("d"))
    unit: list[str] = field(default_factory=list)

    def add(self, row: Row) -> None:
        self.ts.append(row.key.ts)
        self.value.append(row.value)
        self.unit.append(row.key.unit)

    def readings(self, given_up: threading.Event) -> Iterator[Reading]:
        for ts, value, unit in zip(self.ts, self.value, self.unit, strict=True):
            if given_up.is_set():
                raise _GivenUp
            yield Reading(*self.key, ts, value, unit, ts)

    def drawn(self, points: int, incidents: int) -> Drawn:
        # A time that came in two units is two readings; a plot shows the one that came last.
        last = dict(zip(self.ts, self.value, strict=True))
        ts, value = list(last), list(last.values())
        kept = chosen(ts, value, points=points, method=Method.MINMAX)
        return Drawn(self.key, self.unit[-1], [ts[at] for at in kept], [value[at] for at in kept], incidents)


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """A rule on the past.

    Attributes:
        past: Lake and hot store.
        forecasts: Those that were known.
        most: How many readings may be replayed.
        points: Readings that a drawn series has at most.
        most_drawn: Series that are drawn at most.
    """

    past: Past
    forecasts: Forecasts
    most: int
    points: int
    most_drawn: int

    async def of(self, rule: Rule, devices: Sequence[Device], span: Range) -> Replayed:
        """Replay what the devices sent.

        Args:
            rule: With the profile of its product.
            devices: Those of the tenant that the rule may be about.
            span: Which readings.

        Raises:
            TooManyReadings: More than `most`.
            Exception: What `Past.stream` raises.
        """
        parts: list[Rehearsal] = []
        told: list[Drawn] = []
        quiet: list[Drawn] = []
        count = 0
        for start in range(0, len(devices), DEVICES_A_QUESTION):
            some = {device.device: device for device in devices[start : start + DEVICES_A_QUESTION]}
            async for series in self._read(rule, some, span, most=self.most - count):
                count += len(series.ts)
                part = await self._replay(rule, series, some[series.key.device].labels, span)
                parts.append(part)
                shown = told if part.incidents else quiet
                if len(shown) < self.most_drawn:
                    shown.append(series.drawn(self.points, len(part.incidents)))
        return Replayed(Rehearsal.joined(parts), (told + quiet)[: self.most_drawn])

    async def _read(
        self, rule: Rule, devices: Mapping[str, Device], span: Range, *, most: int
    ) -> AsyncIterator[_Series]:
        """The series that the rule is about, one by one."""
        wanted = {
            SeriesKey(device.tenant, device.device, metric)
            for device in devices.values()
            for metric in device.metrics
            if rule.applies_to(SeriesKey(device.tenant, device.device, metric), device.labels)
        }
        if not wanted:
            return
        question = Question(
            tenant=rule.tenant,
            devices=tuple(sorted({key.device for key in wanted})),
            metrics=tuple(sorted({key.metric for key in wanted})),
            start=span.start,
            end=span.end,
        )
        series: _Series | None = None
        async for rows in await self.past.stream(question):
            for row in rows:
                key = SeriesKey(rule.tenant, row.key.device, row.key.metric)
                if series is None or series.key != key:
                    if series is not None and series.ts:
                        yield series
                    series = _Series(key)
                if key in wanted:
                    most -= 1
                    series.add(row)
            if most < 0:
                raise TooManyReadings
        if series is not None and series.ts:
            yield series

    async def _replay(self, rule: Rule, series: _Series, labels: Mapping[str, str], span: Range) -> Rehearsal:
        wanted = rule.forecast is not None
        forecasts = await self.forecasts.known_between(series.key, start=span.start, end=span.end) if wanted else ()
        given_up = threading.Event()

        def work() -> Rehearsal:
            by_device = {(series.key.tenant, series.key.device): labels}
            readings = series.readings(given_up)
            return asyncio.run(rehearse([rule], readings, forecasts, labels=by_device, until=span.until))

        try:
            return await asyncio.to_thread(work)
        finally:
            given_up.set()
