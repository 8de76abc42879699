"""Declares subscribers and publishers, on a broker or a router."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from faststream._internal.broker.registrator import Registrator
from faststream._internal.constants import EMPTY

from faststream_sqs.backoff import Backoff
from faststream_sqs.config import SQSBrokerConfig
from faststream_sqs.engine.options import ConsumerOptions
from faststream_sqs.limits import MAX_ENTRIES, MAX_WAIT
from faststream_sqs.publisher.factory import create_publisher
from faststream_sqs.subscriber.factory import create_subscriber

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fast_depends.dependencies import Dependant
    from faststream._internal.parser import CodecProto
    from faststream._internal.types import BrokerMiddleware, CustomCallable
    from faststream.middlewares import AckPolicy

    from faststream_sqs.publisher.usecase import SQSPublisher
    from faststream_sqs.subscriber.usecase import SQSSubscriber


class SQSRegistrator(Registrator[Any, SQSBrokerConfig]):
    """What brokers and routers have in common."""

    def subscriber(  # type: ignore[override] # each broker names its own arguments
        self,
        queue: str,
        *,
        batch: bool = False,
        max_batch: int = MAX_ENTRIES,
        batch_wait: float = 0.1,
        pollers: int = 1,
        wait_time: int = MAX_WAIT,
        prefetch: int | None = None,
        max_workers: int = 1,
        visibility_timeout: float = 30,
        backoff: tuple[float, float] = (2.0, 300.0),
        linger: float = 0.02,
        dead_letter_queue: str | None = None,
        unwrap_sns: bool = False,
        ack_policy: AckPolicy = EMPTY,
        dependencies: Sequence[Dependant] = (),
        parser: CustomCallable | None = None,
        decoder: CustomCallable | None = None,
        codec: CodecProto | None = None,
        persistent: bool = True,
        title: str | None = None,
        description: str | None = None,
        include_in_schema: bool = True,
    ) -> SQSSubscriber:
        """Handle the messages of a queue.

        Args:
            queue: Name, ARN or URL.
            batch: Whether the handler takes a list of messages.
            max_batch: Messages of one list at most; above 10 several receives are joined.
            batch_wait: Seconds a list that is not full waits for more messages.
            pollers: Long polls that may be open at once.
            wait_time: Seconds of a long poll, 0 to 20.
            prefetch: Messages held beyond those being handled; `None` means ten, or one batch if that is more.
            max_workers: Handler calls that run at once.
            visibility_timeout: Seconds after which others get what a crashed process held; while a message is held
                here, buffered or being handled, its visibility is extended.
            backoff: Base and cap of the seconds after which a failed message is visible again; they double with
                each receipt.
            linger: Seconds a settlement waits for others to share its request.
            dead_letter_queue: Name, ARN or URL; `None` asks the queue's redrive policy.
            unwrap_sns: Whether to open the JSON envelope SNS puts around messages without raw delivery.
            ack_policy: FastStream's; by default a message is deleted once its handler has succeeded.
            dependencies: FastStream dependencies of each call.
            parser: Replaces or wraps the parser.
            decoder: Replaces or wraps the decoder.
            codec: Replaces encoding and decoding.
            persistent: Whether the broker keeps the subscriber alive.
            title: AsyncAPI title.
            description: AsyncAPI description.
            include_in_schema: Whether the AsyncAPI document shows it.

        Raises:
            ValueError: An argument is out of range; the message names it.
        """
        subscriber = create_subscriber(
            config=cast("SQSBrokerConfig", self.config),
            queue=queue,
            options=ConsumerOptions(
                batch=batch,
                max_batch=max_batch,
                batch_wait=batch_wait,
                pollers=pollers,
                wait_time=wait_time,
                prefetch=prefetch,
                max_workers=max_workers,
                visibility_timeout=visibility_timeout,
                linger=linger,
            ),
            backoff=Backoff(*backoff),
            dead_letter_queue=dead_letter_queue,
            unwrap_sns=unwrap_sns,
            ack_policy=ack_policy,
            title=title,
            description=description,
            include_in_schema=include_in_schema,
        )
        super().subscriber(subscriber, persistent=persistent)
        return subscriber.add_call(
            parser_=parser or self._parser,
            decoder_=decoder or self._decoder,
            dependencies_=dependencies,
            codec_=codec,
        )

    def publisher(  # type: ignore[override] # each broker names its own arguments
        self,
        queue: str | None = None,
        *,
        topic: str | None = None,
        batch: bool = False,
        headers: Mapping[str, Any] | None = None,
        delay: int | None = None,
        persistent: bool = True,
        title: str | None = None,
        description: str | None = None,
        schema: Any | None = None,  # noqa: ANN401 - any type annotation
        include_in_schema: bool = True,
    ) -> SQSPublisher:
        """Publish to a queue or to an SNS topic, by hand or with what a handler returns.

        Args:
            queue: Name, ARN or URL of a queue.
            topic: Name or ARN of a topic; a name means one in the account of the credentials.
            batch: Whether the list a decorated handler returns becomes one message per item.
            headers: Message attributes of every message.
            delay: Whole seconds until the queue shows a message.
            persistent: Whether the broker keeps the publisher alive.
            title: AsyncAPI title.
            description: AsyncAPI description.
            schema: AsyncAPI type of the messages.
            include_in_schema: Whether the AsyncAPI document shows it.

        Raises:
            ValueError: Neither or both of `queue` and `topic` are given, or a delay for a topic.
        """
        publisher = create_publisher(
            config=cast("SQSBrokerConfig", self.config),
            queue=queue,
            topic=topic,
            batch=batch,
            headers=headers or {},
            delay=delay,
            title=title,
            description=description,
            schema=schema,
            include_in_schema=include_in_schema,
        )
        super().publisher(publisher, persistent=persistent)
        return publisher

    def include_router(
        self,
        router: SQSRegistrator,  # type: ignore[override] # only routers of this broker
        *,
        prefix: str = "",
        dependencies: Sequence[Dependant] = (),
        middlewares: Sequence[BrokerMiddleware[Any, Any]] = (),
        include_in_schema: bool | None = None,
    ) -> None:
        """Take over the subscribers and publishers of a router."""
        if not isinstance(router, SQSRegistrator):
            raise TypeError(f"router: expected an SQSRouter, got {type(router).__name__}")
        super().include_router(
            router,
            prefix=prefix,
            dependencies=dependencies,
            middlewares=middlewares,
            include_in_schema=include_in_schema,
        )
