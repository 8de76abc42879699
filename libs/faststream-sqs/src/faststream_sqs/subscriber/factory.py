"""Makes subscribers."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from faststream._internal.endpoint.subscriber.call_item import CallsCollection
from faststream.middlewares import AckPolicy

from faststream_sqs.subscriber.config import (
    SQSSubscriberConfig,
    SQSSubscriberSpecificationConfig,
    chosen_ack_policy,
)
from faststream_sqs.subscriber.specification import SQSSubscriberSpecification
from faststream_sqs.subscriber.usecase import SQSSubscriber

if TYPE_CHECKING:
    from faststream_sqs.backoff import Backoff
    from faststream_sqs.config import SQSBrokerConfig
    from faststream_sqs.engine.options import ConsumerOptions


def create_subscriber(
    *,
    config: SQSBrokerConfig,
    queue: str,
    options: ConsumerOptions,
    backoff: Backoff,
    dead_letter_queue: str | None,
    unwrap_sns: bool,
    ack_policy: AckPolicy,
    title: str | None,
    description: str | None,
    include_in_schema: bool,
) -> SQSSubscriber:
    """A subscriber of one queue.

    Raises:
        ValueError: `queue` is empty.
    """
    if not queue:
        raise ValueError("queue: expected a name, an ARN or a URL, got an empty string")
    manual = chosen_ack_policy(ack_policy, config) is AckPolicy.MANUAL
    calls = CallsCollection[Any]()
    specification = SQSSubscriberSpecification(
        config,
        SQSSubscriberSpecificationConfig(
            queue=queue,
            visibility_timeout=options.whole_visibility_timeout,
            wait_time=options.wait_time,
            title_=title,
            description_=description,
            include_in_schema=include_in_schema,
        ),
        calls,
    )
    return SQSSubscriber(
        SQSSubscriberConfig(
            _outer_config=config,
            _ack_policy=ack_policy,
            no_reply=True,
            queue=queue,
            options=dataclasses.replace(options, manual=manual),
            backoff=backoff,
            dead_letter_queue=dead_letter_queue,
            unwrap_sns=unwrap_sns,
        ),
        specification,
        calls,
    )
