"""Connects a queue's consumer to FastStream's handlers."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

from faststream._internal.endpoint.subscriber import SubscriberUsecase
from faststream._internal.endpoint.utils import process_msg
from faststream.exceptions import IncorrectState

from faststream_sqs.engine.consumer import Consumer
from faststream_sqs.engine.port import Report
from faststream_sqs.errors import Poison, UndecodableMessagesError
from faststream_sqs.observer import Observer
from faststream_sqs.parser import SQSBatchParser, SQSParser
from faststream_sqs.publisher.usecase import with_prefix
from faststream_sqs.received import Received, State
from faststream_sqs.subscriber.failure import FailureMiddleware
from faststream_sqs.verdict import FailurePolicy

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Sequence

    from faststream._internal.endpoint.publisher import PublisherProto
    from faststream._internal.endpoint.subscriber import SubscriberSpecification
    from faststream._internal.endpoint.subscriber.call_item import CallsCollection
    from faststream._internal.types import BrokerMiddleware
    from faststream.message import StreamMessage

    from faststream_sqs.config import SQSBrokerConfig
    from faststream_sqs.message import SQSMessage
    from faststream_sqs.subscriber.config import SQSSubscriberConfig


class SQSSubscriber(SubscriberUsecase[Any]):
    """Consumes one queue; a handler takes a message, or a list of them."""

    _outer_config: SQSBrokerConfig

    def __init__(
        self,
        config: SQSSubscriberConfig,
        specification: SubscriberSpecification[Any, Any],
        calls: CallsCollection[Any],
    ) -> None:
        batch_parser = SQSBatchParser(unwrap_sns=config.unwrap_sns)
        parser = SQSParser(unwrap_sns=config.unwrap_sns)
        config.parser = batch_parser.parse_batch if config.options.batch else parser.parse_message
        config.decoder = batch_parser.decode_batch if config.options.batch else parser.decode_message
        super().__init__(config, specification, calls)
        self._parse_one = parser.parse_message
        self._decode_one = parser.decode_message
        self._queue = config.queue
        self._dead_letter_queue = config.dead_letter_queue
        self._backoff = config.backoff
        self.options = config.options
        self._consumer: Consumer | None = None

    @property
    def queue(self) -> str:
        """Name of the queue, prefix included; an ARN or a URL as it was given."""
        return with_prefix(self._outer_config.prefix, self._queue)

    @property
    def held(self) -> int:
        """Messages between receipt and settlement."""
        return 0 if self._consumer is None else self._consumer.held

    @property
    def seconds_since_poll(self) -> float | None:
        """How long ago the last poll was answered; `None` before the first answer and after the stop."""
        if self._consumer is None or self._consumer.last_poll is None:
            return None
        return asyncio.get_running_loop().time() - self._consumer.last_poll

    async def start(self) -> None:
        """Find the queue and begin to poll, if there is a handler.

        Raises:
            QueueNotFoundError: The queue, or the dead-letter queue it names, does not exist.
        """
        if self._consumer is not None:
            return
        connection = self._outer_config.connection
        queue = await connection.queue(self.queue, dead_letter_queue=self._dead_letter_queue)
        await super().start()
        self._consumer = Consumer(
            client=connection.sqs,
            poll_client=connection.poll,
            queue=queue,
            options=self.options,
            policy=FailurePolicy(
                backoff=self._backoff,
                poison_on=(Poison, *self._outer_config.poison_on),
                retry_after=self._outer_config.retry_after,
            ),
            handle=self._handle,
            report=Report(
                queue=queue.name,
                log=self._report,
                observers=[m for m in self._outer_config.broker_middlewares if isinstance(m, Observer)],
            ),
        )
        self._post_start()
        self._consumer.start(poll=bool(self.calls))

    async def stop(self) -> None:
        """Stop to poll, drain within the broker's graceful timeout and settle every message."""
        self.running = False
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            await consumer.stop(within=self._outer_config.graceful_timeout)
        await super().stop()

    async def get_one(self, *, timeout: float = 5.0) -> SQSMessage | None:  # noqa: ASYNC109 - FastStream's signature
        """One message, which the caller has to `ack`, `nack` or `reject`; `None` if none came in time."""
        if self.calls:
            raise IncorrectState("a subscriber with handlers cannot be asked for messages")
        if self._consumer is None:
            raise IncorrectState("start the subscriber first")
        received = await self._consumer.receive_one(wait=timeout)
        context = self._outer_config.context
        message: SQSMessage | None = await process_msg(  # type: ignore[assignment]
            msg=received,
            middlewares=(m(received, context=context) for m in self._broker_middlewares),
            parser=self._parse_one,
            decoder=self._decode_one,
        )
        return message

    async def __aiter__(self) -> AsyncIterator[SQSMessage]:
        while True:
            message = await self.get_one(timeout=self.options.wait_time)
            if message is not None:
                yield message

    def get_log_context(self, message: StreamMessage[Any] | None) -> dict[str, str]:
        """What identifies a message in the log."""
        return {"queue": self.queue, "message_id": getattr(message, "message_id", "")}

    @property
    def _broker_middlewares(self) -> Sequence[BrokerMiddleware[Any]]:
        return (FailureMiddleware, *super()._broker_middlewares)

    def _make_response_publisher(self, message: StreamMessage[Any]) -> Iterable[PublisherProto]:  # noqa: ARG002
        return ()  # SQS has no replies

    async def _handle(self, messages: list[Received]) -> None:
        if not self.options.batch:
            await self.consume(messages[0])
            return
        await self.consume(messages)
        if isinstance(messages[0].failure, UndecodableMessagesError):
            # The undecodable ones are settled; the others must not fail with them, time after time.
            rest = [message for message in messages if message.state is State.HELD]
            for message in rest:
                message.failure = None
            if rest:
                await self.consume(rest)

    def _report(self, level: int, message: str, error: BaseException | None = None) -> None:
        exc_info = error if isinstance(error, Exception) else None
        self._log(level or logging.INFO, message, extra=self.get_log_context(None), exc_info=exc_info)
