"""What a SenML name says: the device, which must be the topic's, and the metric.

RFC 8428 asks for names that are unique in the world: base name and name together, e.g. `urn:dev:mac:0024befffe804ff1:`
and `temperature`. Here the topic already tells the device, so that a bare `temperature` is enough, and a device in the
name is a claim to be checked.
"""

from functools import lru_cache
from typing import Final

from sensorcast_common.names import ReadingsTopic
from sensorcast_common.payload.plain import check_metric
from sensorcast_common.payload.rejected import PayloadRejected, Reason, shown

_BETWEEN: Final = ":/._-"
"""What may stand between a device and a metric when the base name holds the device."""

_LONGEST: Final = 512


def check_base_name(base: str, topic: ReadingsTopic) -> None:
    """Refuse a base name that is not the topic's device.

    Accepted are `device`, `tenant/device`, `tenant:device`, `dt/tenant/device` and a URN that ends in the device, each
    with or without a separator after it.

    Raises:
        PayloadRejected: `foreign_device`.
    """
    if base and not (_is_sender(base, topic) or _is_sender(base.rstrip(_BETWEEN), topic)):
        raise PayloadRejected(
            Reason.FOREIGN_DEVICE, f"bn: {shown(base)} is not {shown(topic.device)}, which the topic names"
        )


def metric_of(base: str, name: str, topic: ReadingsTopic) -> str:
    """The metric that a base name (checked before) and a name stand for.

    Raises:
        PayloadRejected: `foreign_device`, `missing_field` or `bad_name`.
    """
    if len(base) + len(name) > _LONGEST:  # before the cache, which would keep it
        raise PayloadRejected(Reason.BAD_NAME, f"n: {shown(base + name)} has more than {_LONGEST} characters")
    return _metric_of(base, name, topic)


@lru_cache(maxsize=4096)
def _metric_of(base: str, name: str, topic: ReadingsTopic) -> str:
    if base:
        metric = name.lstrip(_BETWEEN)
    else:
        sender, metric = _split(name, topic)
        if not sender and ("/" in name or _is_urn(name)):
            raise PayloadRejected(
                Reason.FOREIGN_DEVICE, f"n: {shown(name)} is not of {shown(topic.device)}, which the topic names"
            )
    if not metric:
        raise PayloadRejected(Reason.MISSING_FIELD, f"n: {shown(base + name)} names no metric")
    return check_metric(metric)


def _split(name: str, topic: ReadingsTopic) -> tuple[str, str]:
    """A name that starts with its sender as sender and metric; the sender is empty where it does not."""
    if _is_sender(name, topic):
        return name, ""
    for separator in ":/_" if _is_urn(name) else ":/":
        sender, _, metric = name.rpartition(separator)
        if _is_sender(sender, topic):
            return sender, metric
    return "", name


def _is_sender(identity: str, topic: ReadingsTopic) -> bool:
    tenant, device = topic.tenant, topic.device
    return identity in {device, f"{tenant}/{device}", f"{tenant}:{device}", f"dt/{tenant}/{device}"} or (
        _is_urn(identity) and identity.endswith(f":{device}")
    )


def _is_urn(identity: str) -> bool:
    return identity[:4].lower() == "urn:"
