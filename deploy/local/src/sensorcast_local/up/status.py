"""Looks at everything that runs and says in a few numbers how it is."""

import asyncio
import time
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Self

import aiohttp
from botocore.exceptions import BotoCoreError, ClientError

from sensorcast_common.incident import LIVE_STATES, Incident
from sensorcast_common.tables.incidents import IncidentsTable
from sensorcast_local.emulator import SentSms, sent_sms
from sensorcast_local.up.meters import Page, fetch
from sensorcast_local.up.plan import ACCOUNT, Plan

if TYPE_CHECKING:
    from types_aiobotocore_dynamodb import DynamoDBClient
    from types_aiobotocore_sqs import SQSClient

RECEIVED: Final = "sensorcast_ingest_readings_total"
IN_FLIGHT: Final = "sensorcast_ingest_in_flight_messages"
BATCHES: Final = "sensorcast_ingest_batch_readings_count"
ARCHIVED: Final = "sensorcast_archiver_readings_total"
LAG: Final = "sensorcast_archiver_lag_seconds"
HOT: Final = frozenset({"hot"})
FORECASTS: Final = "sensorcast_forecaster_series_total"
MADE: Final = frozenset({"forecast", "fallback"})
SENT: Final = "sensorcast_simulate_readings_total"
LIVE: Final = "sensorcast_simulate_live"

RATE_WINDOW: Final = 15.0
"""Seconds that readings/s is averaged over: the fleet sends in a rhythm of ten."""


@dataclass(slots=True)
class Status:
    """How everything is; a value nobody could tell is `None`.

    Attributes:
        received: Readings that ingest has accepted since its start.
        rate: Readings per second, over the last seconds.
        lag: Seconds from the receipt of a batch's first reading until the hot store holds it.
        queues: Messages per queue, waiting and in work, without the stack's prefix.
        set_aside: Messages in all dead-letter queues.
        forecasts: Forecasts made since the forecaster's start.
        incidents: The open ones.
        sms: Texts that were sent, oldest first.
        fleet_sent: Readings of the simulated fleet that the broker has acknowledged.
        fleet_live: Whether the fleet has sent its past.
    """

    received: float | None = None
    rate: float | None = None
    lag: float | None = None
    queues: dict[str, int] = field(default_factory=dict)
    set_aside: int = 0
    forecasts: float | None = None
    incidents: list[Incident] = field(default_factory=list)
    sms: list[SentSms] = field(default_factory=list)
    fleet_sent: float | None = None
    fleet_live: bool = False


class Watch:
    """Looks again and again.

    Args:
        plan: What runs.
        ports: Ops port by program.

    Attributes:
        status: What was seen last.
        past_stored: Set when the hot store holds all that the fleet has sent of its past.
    """

    def __init__(self, plan: Plan, *, ports: Mapping[str, int]) -> None:
        self._plan = plan
        self._ports = ports
        self._stack = AsyncExitStack()
        self._urls: dict[str, str] = {}
        self._received: list[tuple[float, float]] = []
        self._archiver_before: list[Page] = []
        self.status = Status()
        self.past_stored = asyncio.Event()
        self._past_batches: float | None = None

    async def __aenter__(self) -> Self:
        """Open the clients."""
        aws = self._plan.aws()
        self._http = await self._stack.enter_async_context(aiohttp.ClientSession())
        self._sqs: SQSClient = await self._stack.enter_async_context(aws.client("sqs"))
        self._dynamodb: DynamoDBClient = await self._stack.enter_async_context(aws.client("dynamodb"))
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close them."""
        await self._stack.aclose()

    async def look(self) -> Status:
        """Update and return the status; what cannot be reached keeps its last value."""
        await asyncio.gather(self._look_at_services(), self._look_at_aws())
        return self.status

    async def _look_at_services(self) -> None:
        names = list(self._ports)
        pages = dict(
            zip(names, await asyncio.gather(*(fetch(self._http, port) for port in self._ports.values())), strict=True)
        )
        status = self.status
        if (ingest := pages.get("ingest")) is not None:
            status.received = ingest.total(RECEIVED)
            status.rate = self._rate(status.received)
        if (archiver := pages.get("archiver")) is not None:
            self._archiver_before = [*self._archiver_before[-10:], archiver]
            status.lag = archiver.mean(LAG, since=self._archiver_before[0], store=HOT)
        if (forecaster := pages.get("forecaster")) is not None:
            status.forecasts = forecaster.total(FORECASTS, outcome=MADE)
        if (fleet := pages.get("fleet")) is not None:
            status.fleet_sent = fleet.total(SENT)
            status.fleet_live = bool(fleet.total(LIVE))
        if ingest is not None and archiver is not None:
            self._look_at_past(ingest, archiver)

    def _look_at_past(self, ingest: Page, archiver: Page) -> None:
        """Follow the fleet's past: ingest has passed on all of it, then the hot store holds as many batches."""
        status = self.status
        received = status.fleet_live and (status.received or 0.0) >= (status.fleet_sent or 0.0)
        if self._past_batches is None and received and ingest.total(IN_FLIGHT) == 0:
            self._past_batches = ingest.total(BATCHES) or 0.0
        stored = archiver.total(f"{LAG}_count", store=HOT) or 0.0
        if self._past_batches is not None and stored >= self._past_batches:
            self.past_stored.set()

    def _rate(self, received: float | None) -> float | None:
        if received is None:
            return None
        now = time.monotonic()
        if self._received and received < self._received[-1][1]:
            self._received = []  # ingest was started again
        self._received = [*(seen for seen in self._received if now - seen[0] <= RATE_WINDOW), (now, received)]
        began, first = self._received[0]
        return (received - first) / (now - began) if now > began else None

    async def _look_at_aws(self) -> None:
        names, status = self._plan.names, self.status
        try:
            for queue in names.queues:
                status.queues[queue.removeprefix(f"{names.stack}-")] = await self._depth(queue)
            depths = [await self._depth(names.dead_letter(queue)) for queue in names.queues]
            status.set_aside = sum(depths)
            status.incidents, _ = await IncidentsTable(self._dynamodb, names).list(
                self._plan.tenant, states=LIVE_STATES
            )
            status.sms = await sent_sms(self._plan.endpoint_url, account=ACCOUNT)
        except (BotoCoreError, ClientError, aiohttp.ClientError, TimeoutError):
            return  # the emulator is away: its line in the status says so

    async def _depth(self, queue: str) -> int:
        if queue not in self._urls:
            self._urls[queue] = (await self._sqs.get_queue_url(QueueName=queue))["QueueUrl"]
        answer = await self._sqs.get_queue_attributes(
            QueueUrl=self._urls[queue],
            AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
        )
        return sum(int(count) for count in answer["Attributes"].values())
