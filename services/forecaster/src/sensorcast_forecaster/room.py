"""What the forecaster's parts are made of: clients, tables and queues."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from faststream_sqs import SQSBroker
from sensorcast_common.aws import Aws
from sensorcast_common.clock import Clock
from sensorcast_common.lifecycle import Lifecycle
from sensorcast_common.names import Names
from sensorcast_common.tables.devices import DevicesTable
from sensorcast_common.tables.forecasts import ForecastsTable
from sensorcast_common.tables.hot_store import HotStore
from sensorcast_common.tables.rules import RulesTable
from sensorcast_common.tables.skill import SkillTable
from sensorcast_forecaster.settings import ForecasterSettings
from sensorcast_forecaster.training.registry import ModelRegistry

if TYPE_CHECKING:
    from types_aiobotocore_dynamodb import DynamoDBClient
    from types_aiobotocore_s3 import S3Client

Send = Callable[[Sequence[str]], Awaitable[None]]
"""Sends message texts; returns when all of them are accepted."""


class OnTick(Protocol):
    """Shares out what a schedule asks for."""

    async def handle(self, text: str | bytes, *, sent_at: int) -> None:
        """Handle a tick that SQS took at `sent_at`, in milliseconds since 1970 UTC."""
        ...


class OnJob(Protocol):
    """Does a share."""

    async def handle(self, text: str | bytes) -> None:
        """Handle a job."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """What the parts of the service are made of.

    Attributes:
        settings: Of the service.
        life: What has been started and must be stopped.
        aws: Makes clients.
        names: Names of the stack.
        dynamodb: An open client.
        s3: An open client.
        broker: Not started yet.
        models_bucket: Where trained models and exported history lie.
        registry: Of trained models.
        clock: The present.
    """

    settings: ForecasterSettings
    life: Lifecycle
    aws: Aws
    names: Names
    dynamodb: "DynamoDBClient"
    s3: "S3Client"
    broker: SQSBroker
    models_bucket: str
    registry: ModelRegistry
    clock: Clock

    @property
    def devices(self) -> DevicesTable:
        """The table of devices."""
        return DevicesTable(self.dynamodb, self.names)

    @property
    def rules(self) -> RulesTable:
        """The table of rules."""
        return RulesTable(self.dynamodb, self.names)

    @property
    def readings(self) -> HotStore:
        """The hot store."""
        return HotStore(self.dynamodb, self.names)

    @property
    def forecasts(self) -> ForecastsTable:
        """The table of forecasts."""
        ttl_seconds = round(self.settings.forecast_ttl_days * 86_400)
        return ForecastsTable(self.dynamodb, self.names, ttl_seconds=ttl_seconds)

    @property
    def skill(self) -> SkillTable:
        """How good forecasts were."""
        return SkillTable(self.dynamodb, self.names, ttl_seconds=round(self.settings.skill_ttl_days * 86_400))

    @property
    def horizon_ms(self) -> int:
        """How far ahead, in milliseconds."""
        return self.settings.horizon_minutes * 60_000

    def to_queue(self, queue: str, *, delay: int | None = None) -> Send:
        """Sends to a queue, which shows the messages after a delay in seconds."""
        publisher = self.broker.publisher(queue, delay=delay)

        async def send(texts: Sequence[str]) -> None:
            await publisher.publish_batch(*texts)

        return send
