"""Makes publishers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from faststream_sqs.publisher.specification import (
    SQSPublisherSpecification,
    SQSPublisherSpecificationConfig,
)
from faststream_sqs.publisher.usecase import SQSPublisher, SQSPublisherConfig
from faststream_sqs.response import destination_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from faststream_sqs.config import SQSBrokerConfig


def create_publisher(
    *,
    config: SQSBrokerConfig,
    queue: str | None,
    topic: str | None,
    batch: bool,
    headers: Mapping[str, Any],
    delay: int | None,
    title: str | None,
    description: str | None,
    schema: Any,  # noqa: ANN401 - any type annotation
    include_in_schema: bool,
) -> SQSPublisher:
    """A publisher of one queue or topic.

    Raises:
        ValueError: Neither or both of `queue` and `topic` are given, or a delay for a topic.
    """
    destination, kind = destination_of(queue=queue, topic=topic)
    if kind == "topic" and delay is not None:
        raise ValueError("delay: a topic cannot delay a message")
    specification = SQSPublisherSpecification(
        config,
        SQSPublisherSpecificationConfig(
            destination=destination,
            kind=kind,
            title_=title,
            description_=description,
            schema_=schema,
            include_in_schema=include_in_schema,
        ),
    )
    return SQSPublisher(
        SQSPublisherConfig(
            _outer_config=config, destination=destination, kind=kind, batch=batch, headers=headers, delay=delay
        ),
        specification,
    )
