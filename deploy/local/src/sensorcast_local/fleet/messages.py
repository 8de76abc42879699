"""Samples as MQTT messages: one JSON array per truck, small enough for every broker."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from sensorcast_common.names import MQTT_READINGS
from sensorcast_local.fleet.fleet import Sample


class Message(NamedTuple):
    """What is published.

    Attributes:
        topic: Of the truck's readings.
        payload: A JSON array with one object per sample.
        readings: How many readings that is: one per sample and metric.
    """

    topic: str
    payload: bytes
    readings: int


def encode(tenant: str, device: str, samples: Iterable[Sample]) -> Message:
    """One message with all samples of one truck; units are left out, as these metrics have units of their own."""
    objects: list[dict[str, float]] = [{"ts": sample.ts, **sample.values} for sample in samples]
    return Message(
        topic=MQTT_READINGS.format(tenant=tenant, device=device),
        payload=json.dumps(objects, separators=(",", ":")).encode(),
        readings=sum(len(each) - 1 for each in objects),
    )


def packed(tenant: str, rounds: Iterable[list[Sample]]) -> Iterator[Message]:
    """All rounds as one message per truck."""
    by_device: defaultdict[str, list[Sample]] = defaultdict(list)
    for samples in rounds:
        for sample in samples:
            by_device[sample.device].append(sample)
    for device, samples in by_device.items():
        yield encode(tenant, device, samples)
