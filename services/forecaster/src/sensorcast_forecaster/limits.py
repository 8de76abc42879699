"""Which limits apply to a series."""

from collections.abc import Iterable, Mapping

from sensorcast_common.reading import SeriesKey
from sensorcast_common.rule import Rule
from sensorcast_forecaster.window import Limit


def limits_of(rules: Iterable[Rule], series: SeriesKey, labels: Mapping[str, str]) -> tuple[Limit, ...]:
    """Every side of every enabled rule that watches `series`, whose device has these labels; warning or not.

    The probability is shown to people as well as it opens incidents.
    """
    return tuple(
        Limit(rule_id=rule.rule_id, side=side, threshold=threshold)
        for rule in rules
        if rule.applies_to(series, labels)
        for side, threshold in rule.limits()
    )
