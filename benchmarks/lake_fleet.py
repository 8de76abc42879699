"""The readings of a simulated fleet for `lake.py`, as ingest would hand them on."""

import random
from collections.abc import Iterator, Sequence

from sensorcast_common.reading import Reading
from sensorcast_local.fleet.fleet import UNITS, Fleet

START = 1_772_323_200
"""2026-03-01, s."""

EVERY = 10
"""Seconds between two messages of a truck."""


def sent(*, trucks: int, hours: int) -> list[Reading]:
    """Readings by receipt: each truck at its own moment with its jitter, each message 5 to 80 ms on its way."""
    fleet = Fleet(seed=1, devices=trucks, live_from=START, at=START)
    fleet.warm_up()
    rng = random.Random(3)
    readings = []
    for samples in fleet.run(until=START + hours * 3600, every=EVERY):
        for sample in samples:
            received = sample.ts + rng.randrange(5, 80)
            readings += [
                Reading("demo", sample.device, metric, sample.ts, value, UNITS[metric], received)
                for metric, value in sample.values.items()
            ]
    return sorted(readings, key=lambda one: one.received_at)


def flushes(readings: Sequence[Reading], every: int) -> Iterator[list[Reading]]:
    """Readings, which are sorted by receipt, in windows of `every` milliseconds."""
    window: list[Reading] = []
    end = readings[0].received_at + every
    for one in readings:
        while one.received_at >= end:
            if window:
                yield window
            window, end = [], end + every
        window.append(one)
    if window:
        yield window
