"""What became of the alerts of a dry run: which were true, which were missed, and how long ahead people were warned."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from sensorcast_common.clock import to_millis
from sensorcast_common.forecast import Forecast
from sensorcast_common.incident import Basis, Incident
from sensorcast_common.reading import SeriesKey
from sensorcast_common.rule import Rule


class Outcome(StrEnum):
    """What became of one alert."""

    CAME_TRUE = "came_true"
    """A forecast warned, and it happened."""

    FALSE_ALARM = "false_alarm"
    """A forecast warned, and it did not happen."""

    STILL_PREDICTED = "still_predicted"
    """A forecast warned, and the readings end before it is known what came."""

    MISSED = "missed"
    """It happened, and the forecast of the time had not warned."""

    OBSERVED = "observed"
    """It happened, and no forecast could have warned: there was none, or the rule does not ask for it."""


class Foresight:
    """Which times the forecasts that were there reached, by series."""

    def __init__(self) -> None:
        self._known: dict[SeriesKey, tuple[list[int], list[int]]] = {}

    def add(self, forecast: Forecast) -> None:
        """Know of a forecast; of one series they come by `known_at`."""
        known, until = self._known.setdefault(forecast.series, ([], []))
        known.append(to_millis(forecast.known_at))
        until.append(to_millis(forecast.start) + (len(forecast.q50) - 1) * forecast.step_seconds * 1000)

    def reached(self, series: SeriesKey, at: int) -> bool:
        """Whether the newest forecast that was known before `at` (ms) reached that far."""
        known, until = self._known.get(series, ([], []))
        newest = bisect_right(known, at) - 1
        return newest >= 0 and until[newest] >= at


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What rules would have done.

    Attributes:
        incidents: Those that people would have heard of, oldest first.
        outcomes: What became of each of them.
        sms: How many SMS would have been sent, one to each number of the rule when an incident opens.
        readings: How many were replayed.
        forecasts: How many were replayed.
        estimated: In how many of them the risk of a limit was read off the quantiles.
    """

    incidents: tuple[Incident, ...] = ()
    outcomes: tuple[Outcome, ...] = ()
    sms: int = 0
    readings: int = 0
    forecasts: int = 0
    estimated: int = 0

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """Several as one; their series differ."""
        pairs = [pair for part in parts for pair in zip(part.incidents, part.outcomes, strict=True)]
        pairs.sort(key=lambda pair: pair[0].opened_at)
        return cls(
            tuple(incident for incident, _ in pairs),
            tuple(outcome for _, outcome in pairs),
            sum(part.sms for part in parts),
            sum(part.readings for part in parts),
            sum(part.forecasts for part in parts),
            sum(part.estimated for part in parts),
        )

    @property
    def came_true(self) -> int:
        """Incidents that were predicted and happened."""
        return self.outcomes.count(Outcome.CAME_TRUE)

    @property
    def false_alarms(self) -> int:
        """Incidents that were predicted and did not happen."""
        return self.outcomes.count(Outcome.FALSE_ALARM)

    @property
    def missed(self) -> int:
        """Breaches of which the forecast of the time had not warned."""
        return self.outcomes.count(Outcome.MISSED)

    @property
    def unforeseeable(self) -> int:
        """Breaches of which no forecast could have warned."""
        return self.outcomes.count(Outcome.OBSERVED)

    @property
    def lead_minutes(self) -> tuple[float, ...]:
        """How long before each predicted breach the warning came, ascending."""
        return tuple(
            sorted(
                (each.observed_at - each.opened_at).total_seconds() / 60
                for each in self.incidents
                if each.forecast_known_at is not None and each.observed_at is not None
            )
        )


def outcomes_of(incidents: Iterable[Incident], rules: Iterable[Rule], foresight: Foresight) -> tuple[Outcome, ...]:
    """What became of each incident."""
    predicting = {rule.rule_id for rule in rules if rule.forecast is not None}
    return tuple(_outcome(each, foresight if each.rule_id in predicting else Foresight()) for each in incidents)


def _outcome(incident: Incident, foresight: Foresight) -> Outcome:
    if incident.basis is Basis.PREDICTED:
        return Outcome.FALSE_ALARM if incident.over else Outcome.STILL_PREDICTED
    if incident.forecast_known_at is not None:
        return Outcome.CAME_TRUE
    began = to_millis(incident.observed_at or incident.opened_at)
    return Outcome.MISSED if foresight.reached(incident.series, began - 1) else Outcome.OBSERVED
