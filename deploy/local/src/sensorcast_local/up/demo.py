"""What the demonstration needs besides services: rules, labels, an API key, a forecast as soon as there is a past."""

import asyncio
import json
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from botocore.exceptions import BotoCoreError, ClientError

from sensorcast_common.aws import Aws
from sensorcast_common.clock import from_millis, rfc3339
from sensorcast_common.errors import Retryable
from sensorcast_common.names import Names
from sensorcast_common.rule import ForecastCondition, LimitCondition, Rule
from sensorcast_common.tables.api_keys import ApiKeysTable, Role, is_key, key_hash
from sensorcast_common.tables.device_labels import DeviceLabels, LabelConflict
from sensorcast_common.tables.rules import RulesTable
from sensorcast_local.fleet.fault import LIMIT

YEAR_MS: Final = 365 * 86_400 * 1000

SITES: Final = ("Rotterdam", "Lyon", "Porto")
PRODUCTS: Final = ("dairy", "fish", "vegetables", "flowers")
"""All of them chilled goods, which the rule below is for."""

LABEL_AGAIN_SECONDS: Final = 2.0
"""Until the trucks that had sent nothing yet are looked at again."""


def demo_rules(*, tenant: str) -> list[Rule]:
    """The rules for chilled goods: warn when a breach is likely within the hour, or has happened."""
    return [
        Rule(
            tenant=tenant,
            rule_id="chilled",
            name="Chilled goods",
            device="truck-*",
            metric="temperature",
            condition=LimitCondition(
                above=LIMIT,
                below=0.0,
                hold_seconds=60,
                clear_margin=0.5,
                forecast=ForecastCondition(min_probability=0.7),
            ),
            severity="critical",
        )
    ]


async def put_rules(aws: Aws, names: Names, rules: Iterable[Rule]) -> None:
    """Store rules that are not there yet; those that somebody has changed stay as they are."""
    async with aws.client("dynamodb") as dynamodb:
        table = RulesTable(dynamodb, names)
        for rule in rules:
            if await table.get(rule.tenant, rule.rule_id) is None:
                await table.put(rule)


def demo_labels(number: int) -> dict[str, str]:
    """Where a truck belongs and what it carries, by its number in the fleet, from 0: every site has every product."""
    return {"site": SITES[number % len(SITES)], "product": PRODUCTS[number // len(SITES) % len(PRODUCTS)]}


async def put_labels(aws: Aws, names: Names, *, tenant: str, trucks: Sequence[str]) -> None:
    """Give trucks their labels, each as soon as it has sent something; what a person gave or took away stays so."""
    missing = {truck: demo_labels(number) for number, truck in enumerate(trucks)}
    async with aws.client("dynamodb") as dynamodb:
        registry = DeviceLabels(dynamodb, names)
        while missing:
            for truck, labels in list(missing.items()):
                try:
                    there = await registry.change(tenant, truck, labels, expected=0) is not None
                except LabelConflict:
                    there = True
                except (Retryable, BotoCoreError, ClientError):
                    there = False  # the emulator is away, which the status says
                if there:
                    del missing[truck]
            if missing:
                await asyncio.sleep(LABEL_AGAIN_SECONDS)


async def api_key(aws: Aws, names: Names, *, tenant: str, file: Path, now: int) -> str:
    """The key that is kept in `file`, as long as it opens something, or a new one.

    Args:
        aws: Clients.
        names: Names of the stack.
        tenant: Whose key.
        file: Where it is kept, readable by its owner only.
        now: Milliseconds since 1970 UTC.
    """
    async with aws.client("dynamodb") as dynamodb:
        table = ApiKeysTable(dynamodb, names)
        kept = _read_key(file)
        known = await table.find(key_hash(kept)) if kept else None
        if kept and known is not None and known.is_valid(now) and known.tenant == tenant:
            return kept
        key, _ = await table.create(
            tenant=tenant, role=Role.ADMIN, expires_at=now + YEAR_MS, now=now, name="sensorcast up"
        )
    _write_key(file, key)
    return key


def _read_key(file: Path) -> str | None:
    if not file.exists():
        return None
    text = file.read_text(encoding="utf-8").strip()
    return text if is_key(text) else None


def _write_key(file: Path, key: str) -> None:
    file.unlink(missing_ok=True)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as kept:
        kept.write(key + "\n")


async def send_tick(aws: Aws, names: Names, *, now: int) -> None:
    """Ask for forecasts now, in the form that EventBridge Scheduler sends every five minutes."""
    async with aws.client("sqs") as sqs:
        url = (await sqs.get_queue_url(QueueName=names.queue_forecast_ticks))["QueueUrl"]
        await sqs.send_message(QueueUrl=url, MessageBody=json.dumps({"scheduled_at": rfc3339(from_millis(now))}))
