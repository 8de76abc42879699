"""The SQS broker."""

from __future__ import annotations

import asyncio
import logging
from functools import partial
from typing import TYPE_CHECKING, Any

from fast_depends import Provider, dependency_provider
from faststream._internal.constants import EMPTY
from faststream._internal.context.repository import ContextRepo
from faststream._internal.di import FastDependsConfig
from faststream.message import gen_cor_id
from faststream.specification.schema import BrokerSpec

from faststream_sqs.broker.logging import make_sqs_logger_state
from faststream_sqs.broker.publishing import PublishingBroker
from faststream_sqs.config import SQSBrokerConfig
from faststream_sqs.connection import Connection
from faststream_sqs.engine.calls import CALL_ERRORS
from faststream_sqs.errors import Poison
from faststream_sqs.producer import SQSProducer
from faststream_sqs.subscriber.usecase import SQSSubscriber

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from types import TracebackType

    from aiobotocore.config import AioConfig
    from aiobotocore.session import AioSession
    from fast_depends.dependencies import Dependant
    from fast_depends.library.serializer import SerializerProto
    from faststream._internal.basic_types import LoggerProto
    from faststream._internal.parser import CodecProto
    from faststream._internal.types import BrokerMiddleware, CustomCallable, IdGenerator
    from faststream.middlewares import AckPolicy
    from faststream.security import BaseSecurity
    from faststream.specification.schema.extra import Tag, TagDict

    from faststream_sqs.broker.registrator import SQSRegistrator


class SQSBroker(PublishingBroker):
    """Consumes SQS queues, publishes to SQS queues and SNS topics.

    Args:
        region_name: AWS region; `None` leaves it to the session.
        endpoint_url: Endpoint of every service used, such as an emulator's; `None` leaves it to the session, which
            also knows `AWS_ENDPOINT_URL_SQS` and the like.
        session: Where credentials and defaults come from; `None` means a new one with the default chain.
        client_config: Goes over the library's defaults; polls keep their own timeouts and retries.
        poison_on: Errors no retry can cure, besides `Poison`: their messages go to the dead-letter queue at once.
        retry_after: Seconds until a message is visible again after an error; `None` from it means the backoff of
            the subscriber.
        graceful_timeout: Seconds handlers have to end when the broker stops; `None` waits for them without end.
    """

    def __init__(
        self,
        *,
        region_name: str | None = None,
        endpoint_url: str | None = None,
        session: AioSession | None = None,
        client_config: AioConfig | None = None,
        poison_on: tuple[type[BaseException], ...] = (Poison,),
        retry_after: Callable[[BaseException], float | None] | None = None,
        graceful_timeout: float | None = 15.0,
        decoder: CustomCallable | None = None,
        parser: CustomCallable | None = None,
        codec: CodecProto | None = None,
        dependencies: Sequence[Dependant] = (),
        middlewares: Sequence[BrokerMiddleware[Any, Any]] = (),
        routers: Iterable[SQSRegistrator] = (),
        ack_policy: AckPolicy = EMPTY,
        id_generator: IdGenerator = gen_cor_id,
        # AsyncAPI
        specification_url: str | None = None,
        protocol: str | None = None,
        protocol_version: str | None = None,
        description: str | None = None,
        tags: Iterable[Tag | TagDict] = (),
        security: BaseSecurity | None = None,
        # logging
        logger: LoggerProto | None = EMPTY,
        log_level: int = logging.INFO,
        # FastDepends
        apply_types: bool = True,
        serializer: SerializerProto | None = EMPTY,
        provider: Provider | None = None,
        context: ContextRepo | None = None,
    ) -> None:
        if graceful_timeout is not None and graceful_timeout < 0:
            raise ValueError(f"graceful_timeout: expected 0 s or more, got {graceful_timeout}")
        self._make_connection = partial(
            Connection,
            region_name=region_name,
            endpoint_url=endpoint_url,
            session=session,
            client_config=client_config,
        )
        super().__init__(
            routers=routers,
            config=SQSBrokerConfig(
                producer=SQSProducer(parser=parser, decoder=decoder),
                poison_on=tuple(poison_on),
                retry_after=retry_after,
                broker_middlewares=middlewares,
                broker_parser=parser,
                broker_decoder=decoder,
                broker_codec=codec,
                logger=make_sqs_logger_state(logger=logger, log_level=log_level),
                fd_config=FastDependsConfig(
                    use_fastdepends=apply_types,
                    serializer=serializer,
                    provider=provider or dependency_provider,
                    context=context or ContextRepo(),
                ),
                broker_dependencies=dependencies,
                graceful_timeout=graceful_timeout,
                ack_policy=ack_policy,
                id_generator=id_generator,
                extra_context={"broker": self},
            ),
            specification=BrokerSpec(
                description=description,
                url=[specification_url or endpoint_url or f"https://sqs.{region_name or '{region}'}.amazonaws.com"],
                protocol=protocol or "sqs",
                protocol_version=protocol_version or "2012-11-05",
                tags=tags,
                security=security,
            ),
        )

    async def start(self) -> None:
        """Connect, make sure that every queue and topic exists, and begin to poll.

        Raises:
            QueueNotFoundError: A queue does not exist.
            TopicNotFoundError: A topic does not exist.
        """
        await self.connect()
        try:
            await super().start()
        except BaseException:
            await self.stop()
            raise

    async def stop(
        self,
        exc_type: type[BaseException] | None = None,
        exc_val: BaseException | None = None,
        exc_tb: TracebackType | None = None,
    ) -> None:
        """Stop every subscriber, which drains and settles its messages, then disconnect."""
        try:
            await super().stop(exc_type, exc_val, exc_tb)
        finally:
            connection, self._connection = self._connection, None
            self.config.broker_config.disconnect()
            if connection is not None:
                await connection.close()

    async def ping(self, timeout: float | None = None) -> bool:  # noqa: ASYNC109 - FastStream's signature
        """Whether SQS answers, and shows every consumed queue, within `timeout` seconds (5 by default)."""
        connection = self._connection
        if connection is None:
            return False
        try:
            async with asyncio.timeout(timeout or 5.0):
                for subscriber in self._queue_subscribers:
                    await connection.queue(subscriber.queue, dead_letter_queue=None)
                if not self._queue_subscribers:
                    await connection.sqs.list_queues(MaxResults=1)
        except (*CALL_ERRORS, LookupError):
            return False
        return True

    @property
    def seconds_since_poll(self) -> float | None:
        """How long ago the subscriber that waits longest had a poll answered; `None` if one never had."""
        ages = [s.seconds_since_poll for s in self._queue_subscribers if s.calls]
        known = [age for age in ages if age is not None]
        return max(known) if known and len(known) == len(ages) else None

    async def _connect(self) -> Connection:
        connection = self._make_connection()
        await connection.open()
        self.config.broker_config.connect(connection)
        return connection

    @property
    def _queue_subscribers(self) -> list[SQSSubscriber]:
        return [s for s in self.subscribers if isinstance(s, SQSSubscriber)]
