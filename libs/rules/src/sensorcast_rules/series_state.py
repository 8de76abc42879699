"""What the alerter remembers of each series, in constant memory per series and for a bounded number of them."""

import math
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from sensorcast_common.reading import Reading, SeriesKey
from sensorcast_common.stored_incident import StoredIncident
from sensorcast_rules.decision import Progress
from sensorcast_rules.limits import Limit
from sensorcast_rules.measure import Point
from sensorcast_rules.rules_index import RulesIndex
from sensorcast_rules.silence import Heard


@dataclass(slots=True)
class Watch:
    """One limit on one series.

    Attributes:
        limit: The limit.
        progress: What has been seen.
        stored: The open incident, as last stored or read.
    """

    limit: Limit
    progress: Progress = field(default_factory=Progress)
    stored: StoredIncident | None = None

    @property
    def quiet(self) -> bool:
        """Whether a value inside the limit changes nothing here."""
        if self.limit.side == "silent":
            return True
        return self.limit.measure is None and self.stored is None and self.progress.breach_since is None


@dataclass(slots=True)
class SeriesState:
    """One series.

    Attributes:
        key: Which.
        index: The rules that `watches` were made from.
        watches: One per limit.
        newest_ts: Event time of the newest reading, in milliseconds; what is not newer decides nothing.
        newest_forecast: `known_at` of the newest forecast, in milliseconds.
        low: A value from here to `high` is inside every limit.
        high: See `low`.
        quiet: Whether such a value has nothing to change.
        owed: Readings whose transition could not be stored. They come again in their messages, but newer ones may come
            first, so they are tried before those.
        listens: Whether a rule about silence watches the series.
        heard: What was last received, where a rule about silence watches the series.
        unit: SenML unit of the newest reading that was decided about.
        late: Readings that came after newer ones and may change incidents, by event time; bounded.
        late_since: When the first of them came, in milliseconds since 1970 UTC.
        marked: Event time from which the table knows that the series is to be revised; absent where it does not.
        quiet_since: Event time since when the series is quiet: a later reading inside all limits changes nothing.
        warm: Whether the measures have been given the past; they begin without it.
    """

    key: SeriesKey
    index: RulesIndex
    watches: list[Watch]
    newest_ts: int = -1
    newest_forecast: int = -1
    low: float = -math.inf
    high: float = math.inf
    quiet: bool = True
    owed: list[Reading] = field(default_factory=list)
    heard: Heard | None = None
    unit: str = ""
    late: dict[int, float] = field(default_factory=dict)
    late_since: int = 0
    marked: int | None = None
    quiet_since: int = -1
    listens: bool = False
    warm: bool = False

    @property
    def silences(self) -> Sequence[Watch]:
        """The watches that wait for nothing to come."""
        return [each for each in self.watches if each.limit.side == "silent"] if self.listens else ()

    @property
    def comparing(self) -> list[Watch]:
        """The watches that look at readings and forecasts."""
        return [each for each in self.watches if each.limit.side != "silent"]

    def settle(self) -> None:
        """Work out `low`, `high` and `quiet` anew, after `watches` have changed."""
        self.low = max((each.limit.threshold for each in self.watches if each.limit.side == "below"), default=-math.inf)
        self.high = min((each.limit.threshold for each in self.watches if each.limit.side == "above"), default=math.inf)
        self.quiet = all(each.quiet for each in self.watches)
        self.listens = any(each.limit.side == "silent" for each in self.watches)

    def watch(self, rule_id: str, side: str) -> Watch | None:
        """The watch of one limit."""
        return next((each for each in self.watches if each.limit.key == (rule_id, side)), None)


class SeriesStates:
    """The series that were seen last.

    Args:
        capacity: How many are kept; beyond it the one unseen for longest goes, unless it has an open incident. One that
            comes back starts anew: its hold times restart.
    """

    def __init__(self, *, capacity: int) -> None:
        if capacity < 1:
            raise ValueError(f"capacity: {capacity} must be at least 1")
        self._capacity = capacity
        self._states: OrderedDict[SeriesKey, SeriesState] = OrderedDict()
        self._index = RulesIndex()
        self._labels: dict[tuple[str, str], Mapping[str, str]] = {}

    def __len__(self) -> int:
        return len(self._states)

    def __iter__(self) -> Iterator[SeriesState]:
        return iter(list(self._states.values()))

    @property
    def index(self) -> RulesIndex:
        """The rules in force."""
        return self._index

    def follow(self, index: RulesIndex) -> None:
        """Judge what comes from now on by these rules; each series takes them over when it is next looked at."""
        self._index = index

    def label(self, labels: Mapping[tuple[str, str], Mapping[str, str]]) -> None:
        """Know the labels of all devices, by tenant and device; rules that ask for labels are matched anew."""
        if labels != self._labels:
            self._labels = dict(labels)
            self._index = RulesIndex(self._index.rules.values())

    def labels_of(self, key: SeriesKey) -> Mapping[str, str]:
        """The labels of a series' device, as far as they are known."""
        return self._labels.get((key.tenant, key.device), {})

    def of(self, key: SeriesKey) -> SeriesState:
        """The state of a series, made or brought up to the rules where need be."""
        state = self._states.get(key)
        if state is None:
            state = SeriesState(key, self._index, _watches(self._index.limits_of(key, self.labels_of(key)), ()))
            state.settle()
            self._states[key] = state
            self._evict()
        else:
            self._states.move_to_end(key)
            if state.index is not self._index:
                state.watches = _watches(self._index.limits_of(key, self.labels_of(key)), state.watches)
                state.warm = False
                state.index = self._index
                state.settle()
        return state

    def _evict(self) -> None:
        for _ in range(len(self._states) - self._capacity):
            key, state = next(iter(self._states.items()))
            if any(each.stored for each in state.watches):
                self._states.move_to_end(key)
            else:
                del self._states[key]


def _watches(limits: Iterable[Limit], before: Iterable[Watch]) -> list[Watch]:
    """Watches of these limits that go on where those of the same rule and side were."""
    old = {each.limit.key: each for each in before}
    watches = []
    for limit in limits:
        was = old.get(limit.key)
        if was is None:
            watches.append(Watch(limit))
        elif (was.limit.threshold, was.limit.measure) == (limit.threshold, limit.measure):
            watches.append(Watch(limit, was.progress, was.stored))
        else:
            watches.append(Watch(limit, Progress(), was.stored))
    return watches


def remember(watch: Watch, points: Iterable[Point]) -> Progress:
    """What a watch remembers once its measure has gone through these readings, oldest first."""
    measure, memory = watch.limit.measure, watch.progress.memory
    if measure is None:
        return watch.progress
    for point in points:
        memory = measure.step(memory, point)
    return replace(watch.progress, memory=memory)
