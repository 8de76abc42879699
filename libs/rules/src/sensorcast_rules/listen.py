"""Listens for what does not come: series that fall silent, also those that had before this ran."""

from collections.abc import Iterable
from functools import partial

from sensorcast_common.clock import Clock, to_millis
from sensorcast_common.device import Device
from sensorcast_common.incident import Incident
from sensorcast_common.reading import Reading, SeriesKey
from sensorcast_rules.decision import Decision, Progress, Reason
from sensorcast_rules.measure import MINUTE_MS
from sensorcast_rules.ports import Counts, Past
from sensorcast_rules.record import Recorder
from sensorcast_rules.series_state import SeriesState, SeriesStates, Watch
from sensorcast_rules.silence import Heard, fall_silent, hear, is_silent

_AHEAD_MS = 5 * MINUTE_MS
"""How far ahead a device's clock may be."""


class Listener:
    """Keeps when each series was last heard of, and decides about silence.

    Of several alerters each hears a part of the readings only, so one that hears nothing asks the hot store before it
    says so. Not to be used by two at once: whoever calls holds the watchroom's lock.

    Args:
        states: What is remembered.
        recorder: Stores transitions.
        past: The hot store.
        clock: The present.
        counts: Who counts.
    """

    def __init__(
        self, *, states: SeriesStates, recorder: Recorder, past: Past | None, clock: Clock, counts: Counts
    ) -> None:
        self._states = states
        self._recorder = recorder
        self._past = past
        self._clock = clock
        self._counts = counts

    def meet(self, devices: Iterable[Device]) -> None:
        """Know the devices: their labels, and that silence is to be noticed of those that sent nothing since.

        Args:
            devices: All that were heard of in the past days.
        """
        known = list(devices)
        self._states.label({(each.tenant, each.device): each.labels for each in known if each.labels})
        for device in known:
            for metric, latest in device.metrics.items():
                key = SeriesKey(device.tenant, device.device, metric)
                limits = self._states.index.limits_of(key, device.labels)
                if not any(limit.side == "silent" for limit in limits):
                    continue
                state = self._states.of(key)
                if state.heard is None:
                    state.heard = Heard(to_millis(device.last_seen), latest.last_value, latest.unit)

    def note(self, state: SeriesState, readings: Iterable[Reading]) -> bool:
        """Note what was received of a series, however old it is; tells whether that ends a silence."""
        last = max(readings, key=lambda reading: reading.received_at, default=None)
        if last is None or (state.heard is not None and last.received_at <= state.heard.at):
            return False
        state.heard = Heard(last.received_at, last.value, last.unit)
        return any(watch.stored for watch in state.silences)

    async def end(self, state: SeriesState) -> None:
        """End the incidents of a series that was silent.

        Raises:
            Exception: They could not be stored.
        """
        heard = state.heard
        for watch in state.silences:
            if heard is not None and watch.stored is not None:
                self._counts.decided(await self._recorder.carry_out(watch, partial(_hear, heard), ready_at=heard.at))

    async def sweep(self) -> None:
        """Open incidents of the series that are silent now.

        Raises:
            Exception: They could not be stored, or the hot store could not be read.
        """
        now = self._clock()
        for state in self._states:
            for watch in state.silences:
                heard = state.heard
                if watch.stored is not None or heard is None or not is_silent(watch.limit, heard, now=now):
                    continue
                state.heard = await self._asked(state.key, heard, watch, now=now)
                if is_silent(watch.limit, state.heard, now=now):
                    judge = partial(_fall_silent, watch, state.key, state.heard)
                    self._counts.decided(await self._recorder.carry_out(watch, judge, ready_at=None))

    async def _asked(self, key: SeriesKey, heard: Heard, watch: Watch, *, now: int) -> Heard:
        if self._past is None:
            return heard
        start = now - round(watch.limit.threshold * MINUTE_MS)
        points = await self._past.read(key, start=start, end=now + _AHEAD_MS)
        return Heard(min(points[-1].ts, now), points[-1].value, heard.unit) if points else heard


def _hear(heard: Heard, progress: Progress, incident: Incident | None) -> Decision:
    return hear(progress, incident, heard)


def _fall_silent(watch: Watch, key: SeriesKey, heard: Heard, progress: Progress, incident: Incident | None) -> Decision:
    decision = fall_silent(watch.limit, progress, incident, key, heard)
    return decision if decision.reason is Reason.SILENT else Decision(Reason.ONGOING, progress)
