"""An SQS and SNS of its own for each test, on two independent implementations."""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

import pytest
from aiobotocore.session import AioSession
from botocore.loaders import Loader
from faststream import BaseMiddleware
from tests.libs.faststream_sqs.proxy import Proxy, proxy_to
from tests.servers.aws import AwsAccount

from faststream_sqs import Event, Observer, SQSBroker

if TYPE_CHECKING:
    from types_aiobotocore_sns.client import SNSClient
    from types_aiobotocore_sqs.client import SQSClient
    from types_aiobotocore_sqs.type_defs import MessageTypeDef


LOADER = Loader()
"""Reads the AWS service models once for all tests, which halves their time."""


def session_of(account: AwsAccount) -> AioSession:
    """A new session of an account."""
    session = account.session
    session.register_component("data_loader", LOADER)
    return session


class BrokerArguments(TypedDict, total=False):
    """What tests set on a broker."""

    endpoint_url: str
    graceful_timeout: float
    middlewares: tuple[object, ...]
    poison_on: tuple[type[BaseException], ...]
    retry_after: Callable[[BaseException], float | None]


@dataclass(frozen=True, kw_only=True)
class Cloud:
    """One account, and clients that see it as an outsider does."""

    account: AwsAccount
    sqs: "SQSClient"
    sns: "SNSClient"

    def broker(self, **arguments: Unpack[BrokerArguments]) -> SQSBroker:
        """A broker on this account."""
        given = {"endpoint_url": self.account.endpoint_url, "graceful_timeout": 5.0, **arguments}
        return SQSBroker(region_name=self.account.region, session=session_of(self.account), **given)  # type: ignore[arg-type]

    async def queue(self, *, dead_letters: bool = False, max_receives: int = 3) -> "TestQueue":
        """A new queue, with a dead-letter queue if asked for."""
        name = f"q-{uuid.uuid4().hex[:12]}"
        attributes: dict[str, str] = {"VisibilityTimeout": "30"}
        dead_url = ""
        if dead_letters:
            dead_url = (await self.sqs.create_queue(QueueName=f"{name}-dlq"))["QueueUrl"]
            arn = await self.arn(dead_url)
            attributes["RedrivePolicy"] = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": max_receives})
        url = (await self.sqs.create_queue(QueueName=name, Attributes=attributes))["QueueUrl"]  # type: ignore[arg-type]
        return TestQueue(cloud=self, name=name, url=url, dead_url=dead_url)

    async def arn(self, url: str) -> str:
        """The ARN of a queue."""
        found = await self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        return found["Attributes"]["QueueArn"]


@dataclass(frozen=True, kw_only=True)
class TestQueue:
    """A queue, with what tests ask of it."""

    __test__ = False

    cloud: Cloud
    name: str
    url: str
    dead_url: str

    async def send(self, *bodies: str) -> None:
        """Send messages."""
        for start in range(0, len(bodies), 10):
            await self.cloud.sqs.send_message_batch(
                QueueUrl=self.url,
                Entries=[{"Id": str(i), "MessageBody": body} for i, body in enumerate(bodies[start : start + 10])],
            )

    async def depth(self) -> tuple[int, int]:
        """Visible messages, and messages in flight."""
        found = await self.cloud.sqs.get_queue_attributes(
            QueueUrl=self.url,
            AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
        )
        attributes = found["Attributes"]
        return (
            int(attributes["ApproximateNumberOfMessages"]),
            int(attributes["ApproximateNumberOfMessagesNotVisible"]),
        )

    async def is_empty(self) -> bool:
        """Whether nothing is left, visible or not."""
        return await self.depth() == (0, 0)

    async def receive(self, *, dead: bool = False, hide: int = 30) -> "list[MessageTypeDef]":
        """Up to ten visible messages, hidden for `hide` seconds."""
        found = await self.cloud.sqs.receive_message(
            QueueUrl=self.dead_url if dead else self.url,
            MaxNumberOfMessages=10,
            VisibilityTimeout=hide,
            WaitTimeSeconds=0,
            MessageAttributeNames=["All"],
            MessageSystemAttributeNames=["All"],
        )
        return found.get("Messages", [])


class Counting(Observer):
    """Counts events."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def observe(self, event: Event, *, queue: str, amount: int = 1) -> None:
        self.events += [event] * amount

    def __call__(self, msg: object, /, *, context: object) -> Any:  # noqa: ANN401 - a middleware that only observes
        return BaseMiddleware(msg, context=context)  # type: ignore[arg-type]


@pytest.fixture
async def cloud(any_account: AwsAccount) -> AsyncIterator[Cloud]:
    """An empty account, on each implementation."""
    session = session_of(any_account)
    async with (
        session.create_client("sqs", region_name=any_account.region, endpoint_url=any_account.endpoint_url) as sqs,
        session.create_client("sns", region_name=any_account.region, endpoint_url=any_account.endpoint_url) as sns,
    ):
        yield Cloud(account=any_account, sqs=sqs, sns=sns)


async def eventually(holds: Callable[[], Awaitable[bool]] | Callable[[], bool], *, within: float = 40.0) -> None:
    """Wait until `holds` returns true, or fail after `within` seconds."""
    async with asyncio.timeout(within):
        while True:
            result = holds()
            if result if isinstance(result, bool) else await result:
                return
            await asyncio.sleep(0.03)


@pytest.fixture
async def proxy(cloud: Cloud) -> AsyncIterator[Proxy]:
    """Stands before the account; a broker uses it with `cloud.broker(endpoint_url=proxy.url)`."""
    async with proxy_to(cloud.account.endpoint_url) as running:
        yield running


@asynccontextmanager
async def running(broker: SQSBroker) -> AsyncIterator[SQSBroker]:
    """A started broker, stopped at the end."""
    await broker.start()
    try:
        yield broker
    finally:
        await broker.stop()
