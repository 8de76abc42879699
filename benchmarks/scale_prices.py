"""What AWS asks for a request, and how much of it: what docs/scale.md is computed from, each figure with its source.

AWS publishes prices on pages that change. A figure says which page it was compared with, and when that page was read;
those that no page at hand gave are said to be so.
"""

from dataclasses import dataclass
from typing import Final

PRICES_OF: Final = "us-east-1, without free tiers and discounts by volume"


@dataclass(frozen=True, slots=True)
class Figure:
    """A price or a limit."""

    value: float
    """Dollars of one, or how many."""
    of: str
    """What it is the price or limit of."""
    source: str | None
    """The page that it was compared with, and the date at which that page was read or written."""


_IOT: Final = "AWS IoT Core Pricing, its examples for Ireland, 20 September 2026"

PRICES: Final = {
    "iot_message": Figure(1.00e-6, "IoT Core: a message of up to 5 KB", _IOT),
    "iot_minute": Figure(0.08e-6, "IoT Core: a minute of a connection", _IOT),
    "iot_rule": Figure(0.30e-6, "IoT Core: a rule triggered, and one action", None),
    "sns_publish": Figure(
        0.50e-6, "SNS: a publish of up to 64 KB; deliveries to SQS are free", "factualminds.com on SNS pricing, 2026"
    ),
    "sqs_request": Figure(
        0.40e-6, "SQS: a request of up to 64 KB, standard queue", "cloudburn.io, Amazon SQS Pricing, 14 March 2026"
    ),
    "dynamodb_write": Figure(
        0.625e-6, "DynamoDB: a write unit, on demand", "airbyte.com, Amazon DynamoDB Pricing, 21 July 2025"
    ),
    "s3_put": Figure(5.0e-6, "S3 Tables: a PUT request", None),
}

LIMITS: Final = {
    "iot_outbound": Figure(
        100,
        "IoT Core: messages a second to one connection",
        "AWS re:Post on the message broker's limits, which cannot be raised",
    ),
    "iot_in_flight": Figure(100, "IoT Core: unacknowledged messages of one connection", None),
    "iot_connections": Figure(500_000, "IoT Core: connections at one time; can be raised", "AWS IoT Developer Guide"),
    "sqs_in_flight": Figure(
        120_000, "SQS: messages in flight of a standard queue, about", "Amazon SQS standard queue quotas"
    ),
    "dynamodb_table": Figure(
        40_000, "DynamoDB: write units a second of a table; can be raised", "algoholic.io on the default quotas"
    ),
    "dynamodb_partition": Figure(
        1_000, "DynamoDB: write units a second of a partition", "Amazon DynamoDB Developer Guide, partition keys"
    ),
    "sns_publish": Figure(30_000, "SNS: publishes a second in us-east-1; less elsewhere, can be raised", None),
}


def dollars(name: str, count: float = 1.0) -> float:
    """What so many of something cost."""
    return PRICES[name].value * count


def most(name: str) -> int:
    """A limit."""
    return round(LIMITS[name].value)
