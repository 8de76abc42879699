"""Which limits apply to a series."""

from collections.abc import Iterable

from sensorcast_common.reading import SeriesKey
from sensorcast_common.rule import Rule
from sensorcast_forecaster.window import Limit


def limits_of(rules: Iterable[Rule], series: SeriesKey) -> tuple[Limit, ...]:
    """Every side of every enabled rule that watches `series`, whether or not it warns of forecasts.

    The probability is shown to people as well as it opens incidents.
    """
    return tuple(
        Limit(rule_id=rule.rule_id, side=side, threshold=threshold)
        for rule in rules
        if rule.applies_to(series)
        for side, threshold in rule.limits()
    )
