"""Plain JSON objects: one reading with `metric` and `value`, or one field per metric."""

from functools import lru_cache
from typing import Final

from sensorcast_common.names import ReadingsTopic, is_name
from sensorcast_common.payload.numbers import finite
from sensorcast_common.payload.rejected import PayloadRejected, Reason, shown
from sensorcast_common.payload.times import plain_time
from sensorcast_common.payload.units import unit_of
from sensorcast_common.reading import Reading, TsSource

_ONE: Final = frozenset({"ts", "metric", "value", "unit", "tenant", "device"})
_NOT_METRICS: Final = frozenset({"ts", "value", "unit", "tenant", "device"})
_is_metric = lru_cache(maxsize=4096)(is_name)


def check_claim(fields: dict[str, object], topic: ReadingsTopic) -> None:
    """Refuse a payload that names another sender than its topic does.

    Raises:
        PayloadRejected: `foreign_device`.
    """
    for field, ours in (("tenant", topic.tenant), ("device", topic.device)):
        if field in fields and fields[field] != ours:
            detail = f"{field}: the payload says {shown(fields[field])}, the topic {shown(ours)}"
            raise PayloadRejected(Reason.FOREIGN_DEVICE, detail)


def check_metric(metric: object) -> str:
    """A metric's name.

    Raises:
        PayloadRejected: `bad_name`.
    """
    if type(metric) is not str or len(metric) > 64 or not _is_metric(metric):
        detail = (
            f"metric: {shown(metric)} is not 1 to 64 letters, digits, '_', '.', ':' or '-', the first a letter or digit"
        )
        raise PayloadRejected(Reason.BAD_NAME, detail)
    return metric


def read_plain(
    fields: dict[str, object],
    topic: ReadingsTopic,
    *,
    received_at: int,
    redelivered: bool,
    into: list[Reading],
) -> None:
    """Append the readings of one object to `into`.

    Raises:
        PayloadRejected: With the code of the first rule that the object breaks.
    """
    if "device" in fields or "tenant" in fields:
        check_claim(fields, topic)
    if "ts" in fields:
        ts, source = plain_time(fields["ts"], received_at), TsSource.DEVICE
    else:
        ts, source = received_at, TsSource.SERVER
    if "metric" in fields:
        metric = check_metric(fields["metric"])
        if not fields.keys() <= _ONE:
            raise PayloadRejected(Reason.UNKNOWN_FIELD, f"{shown(min(fields.keys() - _ONE))}: unknown beside metric")
        if "value" not in fields:
            raise PayloadRejected(Reason.MISSING_FIELD, "value: missing")
        value = finite("value", fields["value"])
        unit = unit_of(metric, _given(fields))
        into.append(Reading(topic.tenant, topic.device, metric, ts, value, unit, received_at, source, redelivered))
        return
    for field in ("value", "unit"):
        if field in fields:
            raise PayloadRejected(Reason.MISSING_FIELD, f"metric: missing, but {field} is there")
    for name, sent in fields.items():
        if name in _NOT_METRICS:
            continue
        metric = check_metric(name)
        value = finite(metric, sent)
        unit = unit_of(metric, None)
        into.append(Reading(topic.tenant, topic.device, metric, ts, value, unit, received_at, source, redelivered))


def _given(fields: dict[str, object]) -> object:
    if "unit" not in fields:
        return None
    unit = fields["unit"]
    if unit is None:
        raise PayloadRejected(Reason.UNKNOWN_UNIT, "unit: null is not a SenML unit; leave the field out")
    return unit
