"""How many readings a second the alerter looks at on one core, against 1,000 rules, and what it remembers per series.

    python benchmarks/alerter_load.py --seconds 60 --series 5000

One reading per series and second goes through the code that the queue's messages go through, from the text of a message
to the decision, with the tables in memory. Of the rules, 700 are limits, 100 each rates of change, stuck sensors and
silence; every series is watched by one of them. One reading in a thousand is outside its limit. The floor is decoding
the same messages and nothing else, in the same process; the ratio says what deciding costs beyond it, on any machine.
"""

import argparse
import asyncio
import gc
import logging
import time
import tracemalloc
from collections.abc import Sequence

import structlog

from sensorcast_common.batch import ReadingBatch
from sensorcast_common.envelope import Envelope
from sensorcast_common.identity import new_id
from sensorcast_common.reading import Reading
from sensorcast_common.rule import Condition, LimitCondition, RateCondition, Rule, SilenceCondition, StuckCondition
from sensorcast_rules.decision import Patience
from sensorcast_rules.memory import MemoryIncidents, NoCounts, Texts
from sensorcast_rules.record import Recorder
from sensorcast_rules.rules_index import RulesIndex
from sensorcast_rules.series_state import SeriesStates
from sensorcast_rules.watchroom import Watchroom

RULES = 1_000
PER_MESSAGE = 500
START = 1_780_000_000_000


def condition(number: int) -> Condition:
    """The condition of one of the rules."""
    kinds: dict[int, Condition] = {
        7: RateCondition(rising=50, window_minutes=5),
        8: StuckCondition(after_minutes=60),
        9: SilenceCondition(after_minutes=30),
    }
    return kinds.get(number % 10, LimitCondition(above=8, below=2, hold_seconds=60, clear_margin=0.5))


def rules() -> list[Rule]:
    """One rule for each group of devices."""
    return [
        Rule(tenant="acme", rule_id=f"rule-{at}", name="Rule", device=f"group-{at}-*", condition=condition(at))
        for at in range(RULES)
    ]


def messages(second: int, series: int) -> list[str]:
    """What the queue holds of one second."""
    ts = START + second * 1000
    readings = [
        Reading(
            "acme",
            f"group-{at % RULES}-{at // RULES}",
            "temperature",
            ts,
            9.0 if (at * 7919 + second * 104_729) % 1000 == 0 else 4 + (at + second) % 13 / 10,
            "Cel",
            ts,
        )
        for at in range(series)
    ]
    parts = [readings[start : start + PER_MESSAGE] for start in range(0, series, PER_MESSAGE)]
    return [ReadingBatch(new_id(), ts, part).encode() for part in parts]


def decode(texts: Sequence[str]) -> list[Reading]:
    """The readings of some messages."""
    return [reading for text in texts for reading in ReadingBatch.decode(Envelope.parse(text)).readings]


class Bench:
    """An alerter's core with a clock of its own."""

    def __init__(self) -> None:
        self.now = START
        self.incidents = MemoryIncidents()
        counts = NoCounts()
        states = SeriesStates(capacity=1_000_000)
        recorder = Recorder(
            incidents=self.incidents,
            announcements=Texts(),
            hand_over=lambda *_: None,
            clock=lambda: self.now,
            counts=counts,
        )
        self.room = Watchroom(
            states=states,
            recorder=recorder,
            incidents=self.incidents,
            patience=Patience(),
            clock=lambda: self.now,
            counts=counts,
        )


async def measure(options: argparse.Namespace) -> None:
    """Time the floor and the alerter, second by second, and print."""
    bench = Bench()
    await bench.room.follow(RulesIndex(rules()))
    floor = whole = 0.0
    for second in range(options.seconds):
        bench.now = START + second * 1000
        texts = messages(second, options.series)
        began = time.process_time()
        decode(texts)
        floor += time.process_time() - began
        began = time.process_time()
        for at in range(0, len(texts), 10):
            await bench.room.take(decode(texts[at : at + 10]), [])
        if second % 15 == 0:
            await bench.room.look_around()
        whole += time.process_time() - began
    count = options.seconds * options.series
    print(f"{count / whole:,.0f} readings/s on one core, {len(bench.incidents.items)} incidents, {RULES} rules")
    print(
        f"floor (decoding alone) {count / floor:,.0f} readings/s; the alerter takes {whole / floor:.2f} times as long"
    )


async def remember(series: int) -> None:
    """Print what is remembered of a series."""
    bench = Bench()
    await bench.room.follow(RulesIndex(rules()))
    texts = [messages(second * 20, series) for second in range(2)]
    readings = [decode(each) for each in texts]
    del texts
    gc.collect()
    tracemalloc.start()
    for each in readings:
        await bench.room.take(each, [])
    readings.clear()
    gc.collect()
    first = tracemalloc.get_traced_memory()[0]
    for second in range(3, 60):
        await bench.room.take(decode(messages(second * 20, series)), [])
    incidents = len(bench.incidents.items)
    bench.incidents.items.clear()
    gc.collect()
    last = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    print(
        f"{first / series:,.0f} bytes a series after 2 readings, {last / series:,.0f} after 59 ({incidents} incidents)"
    )


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--series", type=int, default=5_000)
    options = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    asyncio.run(measure(options))
    asyncio.run(remember(2_000))


if __name__ == "__main__":
    main()
