"""Limits, replicas and dollars at three sizes of a fleet: `make scale` writes docs/scale.md.

How many requests a fleet makes is counted in `scale_load`; what a request costs is in `scale_prices`, with its source.
Nothing is measured on AWS.
"""

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from benchmarks.scale_load import (
    FORECASTS_PER_REPLICA,
    INGEST_PER_REPLICA,
    PERIOD,
    Load,
    Sizes,
    first_limits,
    iot_core,
    loads_of,
    readings,
    sizes,
)
from benchmarks.scale_prices import LIMITS, PRICES, PRICES_OF, Figure, dollars, most

from sensorcast_archiver.settings import ArchiverSettings
from sensorcast_common.tables.hot_chunk import pack
from sensorcast_ingest.settings import IngestSettings

PAGE: Final = Path(__file__).resolve().parents[1] / "docs" / "scale.md"


def number(value: float) -> str:
    """Readable."""
    if value >= 100 or value == round(value):
        return f"{value:,.0f}"
    return f"{value:.2f}" if value >= 0.01 else f"{value:.4f}"


def table(head: list[str], rows: list[list[str]]) -> str:
    """Markdown."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def page(size: Sizes, loads: list[Load]) -> str:
    """The whole page."""
    flush, slow = ArchiverSettings().hot_flush_seconds, 300
    head = ["", *(f"{load.sensors:,} sensors" for load in loads)]

    def row(name: str, values: list[str]) -> list[str]:
        return [name, *values]

    requests = [
        row("readings a second", [number(load.rate) for load in loads]),
        row("replicas of ingest", [number(load.ingests) for load in loads]),
        row("readings of a message", [number(load.per_message) for load in loads]),
        row("SNS publishes a second", [number(load.messages) for load in loads]),
        row("SQS requests a second", [number(load.sqs) for load in loads]),
        row("messages held by archivers", [number(load.in_flight) for load in loads]),
        row("replicas of the archiver", [number(load.archivers) for load in loads]),
        row("lake commits a minute", [number(load.archivers * 60 / load.commit_seconds) for load in loads]),
        row("write units a second, `readings`", [number(load.hot) for load in loads]),
        row("write units a second, `devices`", [number(load.devices) for load in loads]),
        row("write units a second, `forecasts`", [number(load.forecasts) for load in loads]),
        row("replicas of the forecaster", [number(load.forecasters) for load in loads]),
    ]
    limits = [
        row(name, [f"{number(used)} of {most:,} ({used / most:.0%})" for _, used, most in column])
        for name, column in (
            (first_limits(loads[0])[at][0], [first_limits(load)[at] for load in loads]) for at in range(6)
        )
    ]
    billion = [1e9 / load.rate for load in loads]
    parts = list(loads[0].dollars())
    cost = [
        row(part, [f"{load.dollars()[part] * seconds:,.0f}" for load, seconds in zip(loads, billion, strict=True)])
        for part in parts
    ]
    totals = [sum(load.dollars().values()) * seconds for load, seconds in zip(loads, billion, strict=True)]
    naive = [sum(load.naive().values()) * seconds for load, seconds in zip(loads, billion, strict=True)]
    slower = [Load(load.sensors, size, load.commit_seconds, slow, load.linger) for load in loads]
    slow_units = len(pack(readings(200, slow // PERIOD))) / 200
    slow_cost = [
        (sum(load.dollars().values()) - load.hot * dollars("dynamodb_write")
         + each.sensors * slow_units / slow * dollars("dynamodb_write")) * seconds
        for load, each, seconds in zip(loads, slower, billion, strict=True)
    ]  # fmt: skip
    cost += [
        row("**together**", [f"**{value:,.0f}**" for value in totals]),
        row("together, hot store flushed every 5 minutes", [f"{value:,.0f}" for value in slow_cost]),
        row("one message per reading", [f"{value:,.0f}" for value in naive]),
    ]
    broker = [
        row(name, [f"{sum(iot_core(rule=rule).values()):,.0f}"] * len(loads))
        for name, rule in (("AWS IoT Core, MQTT session of ingest", False), ("AWS IoT Core, topic rule to SQS", True))
    ]
    return f"""# Cost and scale on paper

Written by `make scale` (`benchmarks/scale.py`): nothing here was measured on AWS. Sizes come from the project's own
encoders on temperatures that wander; requests are counted step by step. Prices are those of
{PRICES_OF}; [the last part](#where-the-figures-come-from) says where each is from.

Each sensor sends one reading every {PERIOD} s. A message of {IngestSettings().batch_bytes:,} bytes holds {size.per_message:,} readings; a flush of
{flush:.0f} s writes {number(size.hot_units)} units for each sensor, one of {slow} s {number(slow_units)}; a forecast of 12 points takes {size.forecast_units}.

## Requests

{table(head, requests)}

A replica of ingest is planned for {INGEST_PER_REPLICA:,} messages a second and one of the forecaster for {FORECASTS_PER_REPLICA} series a second; an archiver
holds {ArchiverSettings().lake_commit_batches:,} messages at a commit.

## Which limit comes first

{table(head, limits)}

- **AWS IoT Core** delivers about {most("iot_outbound")} messages a second to one connection, of which {most("iot_in_flight")} may wait for their PUBACK. That is
  the first limit of the MQTT way: {most("iot_outbound") * PERIOD:,} sensors for each session of ingest. Beyond a few thousand sensors on IoT
  Core, use the topic rule (`SENSORCAST_SOURCE=queue`), which has no session; with a broker of your own the limit is ingest's.
- **SQS in flight** counts messages that the archiver holds for its commit ({loads[0].commit_seconds:.0f} s). Fuller messages lower it: raise
  `SENSORCAST_LINGER_MS` before anything else.
- **DynamoDB**: a partition takes {most("dynamodb_partition"):,} write units a second. Keys are devices, so that load spreads over partitions by
  itself; the quota of a table must be raised before ten million sensors, or the flush lengthened.
- **S3 Tables**: an Iceberg table takes about one commit a second before writers repeat more than they commit; with many
  archivers lengthen `SENSORCAST_LAKE_COMMIT_SECONDS`.
- **Athena** scans days of a partition: its cost follows the range that is asked for, and `AthenaCutoffBytes` bounds it.

## Dollars per billion readings

{table(head, cost)}

Storage, SMS, Athena, the machines that the services run on and the broker are apart. The broker, per billion readings:

{table(head, broker)}

What is written most is the bill: the flush of the hot store decides. Readings reach alerts before any store, so that a
longer flush (`SENSORCAST_HOT_FLUSH_SECONDS`) makes the page and forecasts older, and not the warning.

## Where the figures come from

{figures(PRICES, "dollars per million", 1e6)}

{figures(LIMITS, "at most", 1)}

*Not confirmed*: no page that could be read gave the figure; it is the one that was known when this was written. Look
at AWS's own pages, "AWS IoT Core Pricing", "Amazon S3 pricing", "AWS IoT Core endpoints and quotas" and "Amazon SNS endpoints
and quotas", before you plan with it.
"""


def figures(of: Mapping[str, Figure], head: str, scale: float) -> str:
    """Markdown: what was taken for each, and what it was compared with."""
    rows = [
        [each.of, f"{each.value * scale:,.3f}".rstrip("0").rstrip("."), each.source or "*not confirmed*"]
        for each in of.values()
    ]
    lines = [["", head, "compared with"], ["---", "---:", "---"], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def main() -> None:
    """Write the page, or print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print the counted requests instead of writing the page")
    options = parser.parse_args()
    size = sizes()
    loads = loads_of(size)
    if options.json:
        print(json.dumps([{"sensors": load.sensors, "dollars": load.dollars(), "rate": load.rate} for load in loads]))
        return
    PAGE.write_text(page(size, loads), encoding="utf-8")
    print(f"{PAGE.name}: written")


if __name__ == "__main__":
    main()
