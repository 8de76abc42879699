"""Owns the AWS clients of a broker and remembers which queues and topics it has found."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, TypeVar

from aiobotocore.config import AioConfig
from aiobotocore.session import AioSession, get_session
from faststream.exceptions import IncorrectState

from faststream_sqs.queues import Queue, find_queue, find_url
from faststream_sqs.topics import check_topic, topic_arn

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from types_aiobotocore_sns.client import SNSClient
    from types_aiobotocore_sqs.client import SQSClient

T = TypeVar("T")

DEFAULTS = AioConfig(
    connect_timeout=5,
    read_timeout=10,
    max_pool_connections=50,
    retries={"mode": "standard", "total_max_attempts": 4},
)
POLLING = AioConfig(
    connect_timeout=5,
    read_timeout=30,  # longer than the longest poll
    max_pool_connections=1000,
    retries={"mode": "standard", "total_max_attempts": 1},
)


class Connection:
    """The clients of one broker.

    Polls have a client of their own, so that open ones never keep a deletion or an extension waiting for a
    connection, and so that botocore does not repeat them behind the poller's back.
    """

    def __init__(
        self,
        *,
        region_name: str | None,
        endpoint_url: str | None,
        session: AioSession | None,
        client_config: AioConfig | None,
    ) -> None:
        self._session = session or get_session()
        self._region_name = region_name
        self._endpoint_url = endpoint_url
        self._client_config = client_config
        self._clients = AsyncExitStack()
        self._sqs: SQSClient | None = None
        self._poll: SQSClient | None = None
        self._sns: SNSClient | None = None
        self._urls: dict[str, str] = {}
        self._arns: dict[str, str] = {}
        self._finding = asyncio.Lock()

    async def open(self) -> None:
        """Make the SQS clients; SNS follows when a topic is first used."""
        config = DEFAULTS.merge(self._client_config) if self._client_config else DEFAULTS
        polling = self._client_config.merge(POLLING) if self._client_config else POLLING
        self._sqs = await self._client(
            self._session.create_client(
                "sqs", region_name=self._region_name, endpoint_url=self._endpoint_url, config=config
            )
        )
        self._poll = await self._client(
            self._session.create_client(
                "sqs", region_name=self._region_name, endpoint_url=self._endpoint_url, config=polling
            )
        )

    async def close(self) -> None:
        """Close every client."""
        self._sqs = self._poll = self._sns = None
        await self._clients.aclose()

    @property
    def sqs(self) -> SQSClient:
        """For everything but polls."""
        if self._sqs is None:
            raise IncorrectState("the connection is not open")
        return self._sqs

    @property
    def poll(self) -> SQSClient:
        """For polls."""
        if self._poll is None:
            raise IncorrectState("the connection is not open")
        return self._poll

    async def sns(self) -> SNSClient:
        """For topics."""
        if self._sns is None:
            config = DEFAULTS.merge(self._client_config) if self._client_config else DEFAULTS
            self._sns = await self._client(
                self._session.create_client(
                    "sns", region_name=self._region_name, endpoint_url=self._endpoint_url, config=config
                )
            )
        return self._sns

    async def queue(self, queue: str, *, dead_letter_queue: str | None) -> Queue:
        """A queue to consume, with its dead-letter queue.

        Raises:
            QueueNotFoundError: One of them does not exist.
        """
        return await find_queue(self.sqs, queue, dead_letter_queue=dead_letter_queue)

    async def queue_url(self, queue: str) -> str:
        """The URL of a queue to send to, asked for once.

        Raises:
            QueueNotFoundError: The queue does not exist.
        """
        async with self._finding:
            if queue not in self._urls:
                self._urls[queue] = await find_url(self.sqs, queue)
            return self._urls[queue]

    async def topic_arn(self, topic: str) -> str:
        """The ARN of a topic given by name or ARN, asked for once.

        Raises:
            TopicNotFoundError: The topic does not exist.
        """
        async with self._finding:
            if topic not in self._arns:
                sns = await self.sns()
                arn = topic if topic.startswith("arn:") else await self._own_arn(topic, region=sns.meta.region_name)
                await check_topic(sns=sns, arn=arn, name=topic)
                self._arns[topic] = arn
            return self._arns[topic]

    async def _own_arn(self, name: str, *, region: str) -> str:
        if not name:
            raise ValueError("topic: expected a name or an ARN, got an empty string")
        async with self._session.create_client(
            "sts", region_name=self._region_name, endpoint_url=self._endpoint_url, config=DEFAULTS
        ) as sts:
            return await topic_arn(sts=sts, name=name, region=region)

    async def _client(self, opening: AbstractAsyncContextManager[T]) -> T:
        return await self._clients.enter_async_context(opening)
