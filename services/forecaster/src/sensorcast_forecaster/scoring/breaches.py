"""Predicted breaches against those that came: which warnings came true, which breaches were foreseen, and how early."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sensorcast_common.clock import to_millis
from sensorcast_common.forecast import Forecast, LimitRisk
from sensorcast_common.rule import ForecastCondition
from sensorcast_common.skill import Tally
from sensorcast_forecaster.scoring.observed import Observed
from sensorcast_forecaster.scoring.points import ENOUGH, actual, model_group

REJOIN_MS: Final = 15 * 60 * 1000
"""Excursions that are no further apart are one: a cycling compressor crosses its limit many times in one failure."""

NO_FORECAST: Final = "none"
"""Stands for the model of a breach that no forecast came before."""

_USUAL: Final = ForecastCondition()


class _LimitKey(NamedTuple):
    rule_id: str
    side: str
    threshold: float


@dataclass(frozen=True, slots=True, eq=False)
class _Excursions:
    """Times at which a series was outside a limit, in milliseconds since 1970 UTC, ascending.

    Attributes:
        outside: Every step that was.
        onsets: The first of each excursion whose beginning was seen.
    """

    outside: NDArray[np.int64]
    onsets: NDArray[np.int64]

    def within(self, start: int, end: int) -> bool:
        """Whether the series was outside after `start` and up to `end`."""
        return bool(((self.outside > start) & (self.outside <= end)).any())


def score_breaches(
    forecasts: Sequence[Forecast],
    observed: Observed,
    *,
    start: int,
    end: int,
    conditions: Mapping[str, ForecastCondition],
) -> dict[str, Tally]:
    """Judge the warnings that were given, and the breaches that began, within a range.

    A warning is the first of a run of forecasts in which the probability of leaving a limit reached the rule's
    `min_probability` while the series was inside; the run ends where it falls below `clears_below`, as alerts do. It is
    true if the series left the limit within that forecast's horizon. A breach was foreseen if a forecast that came
    before it, and within whose horizon it lies, had such a probability.

    Args:
        forecasts: Of one series, oldest first: those known in the range, and those of the horizon before it.
        observed: Its readings, from `REJOIN_MS` before the range to the end of the last horizon.
        start: Of the range, in milliseconds since 1970 UTC.
        end: Exclusive.
        conditions: When each rule warns, by rule; a rule that is not among them warns as rules usually do.

    Returns:
        By model: that of a warning, or of the last forecast before a breach.
    """
    found: dict[str, list[Tally]] = {}
    for key in _limits(forecasts):
        condition = conditions.get(key.rule_id, _USUAL)
        said = [(forecast, risk) for forecast in forecasts if (risk := _risk(forecast, key)) is not None]
        step = said[-1][0].step_seconds * 1000
        until = max(end, *(_ends(forecast) for forecast, _ in said))
        past = _excursions(observed, key, step=step, start=start, end=until)
        for model, tally in [
            *_warnings(said, past, observed, condition, start=start),
            *_breaches(said, past, condition, start=start, end=end),
        ]:
            found.setdefault(model, []).append(tally)
    return {model: Tally.total(tallies) for model, tallies in found.items()}


def _limits(forecasts: Sequence[Forecast]) -> list[_LimitKey]:
    keys = (_LimitKey(risk.rule_id, risk.side, risk.threshold) for each in forecasts for risk in each.risks)
    return list(dict.fromkeys(keys))


def _risk(forecast: Forecast, key: _LimitKey) -> LimitRisk | None:
    return next((risk for risk in forecast.risks if (risk.rule_id, risk.side, risk.threshold) == key), None)


def _ends(forecast: Forecast) -> int:
    return to_millis(forecast.start) + (len(forecast.q50) - 1) * forecast.step_seconds * 1000


def _is_outside(key: _LimitKey, value: float) -> bool:
    return value > key.threshold if key.side == "above" else value < key.threshold


def _excursions(observed: Observed, key: _LimitKey, *, step: int, start: int, end: int) -> _Excursions:
    """Steps are means, counted from 1970, so that every shard and repetition sees the same ones."""
    first = (start - REJOIN_MS) // step * step
    count = (end - first) // step + 1
    cells = observed.cells(start=first, step=step, count=count)
    known = np.isfinite(cells)
    at, values = first + np.flatnonzero(known).astype(np.int64) * step, cells[known]
    outside = at[values > key.threshold if key.side == "above" else values < key.threshold]
    apart = np.diff(outside, prepend=np.int64(-2 * REJOIN_MS)) > REJOIN_MS
    # Where nothing came before it, nobody saw it begin.
    seen = np.array([bool(((at < onset) & (at >= onset - REJOIN_MS)).any()) for onset in outside], dtype=bool)
    return _Excursions(outside=outside, onsets=outside[apart & seen])


def _warnings(
    said: Sequence[tuple[Forecast, LimitRisk]],
    past: _Excursions,
    observed: Observed,
    condition: ForecastCondition,
    *,
    start: int,
) -> Iterator[tuple[str, Tally]]:
    on = False
    for forecast, risk in said:
        known_at = to_millis(forecast.known_at)
        key = _LimitKey(risk.rule_id, risk.side, risk.threshold)
        if _is_outside(key, forecast.last_value) or past.within(known_at - REJOIN_MS, known_at):
            on = False
            continue
        first = not on and risk.probability >= condition.min_probability
        on = risk.probability >= condition.clears_below if on else first
        if known_at < start:
            continue
        came = past.within(known_at, _ends(forecast))
        if not came and np.isfinite(actual(forecast, observed)).mean() < ENOUGH:
            continue
        judged = Tally(risks=1, brier=(risk.probability - came) ** 2)
        if first:
            judged = Tally.total([judged, Tally(warnings=1, true_warnings=int(came))])
        yield model_group(forecast.model), judged


def _breaches(
    said: Sequence[tuple[Forecast, LimitRisk]], past: _Excursions, condition: ForecastCondition, *, start: int, end: int
) -> Iterator[tuple[str, Tally]]:
    for onset in past.onsets[(past.onsets >= start) & (past.onsets < end)].tolist():
        before = [each for each in said if to_millis(each[0].known_at) < onset <= _ends(each[0])]
        model = model_group(before[-1][0].model) if before else NO_FORECAST
        told = [forecast for forecast, risk in before if risk.probability >= condition.min_probability]
        if told:
            lead = (onset - to_millis(told[0].known_at)) // 60_000
            yield model, Tally(breaches=1, foreseen=1, leads={lead: 1})
        else:
            yield model, Tally(breaches=1)
