"""The SQS broker as every service runs it: our errors, our metrics, our health."""

import logging
from typing import TYPE_CHECKING, Any, Final

from faststream_sqs import SQSBroker
from faststream_sqs.opentelemetry import SQSTracingMiddleware
from faststream_sqs.prometheus import SQSPrometheusMiddleware
from sensorcast_common.aws import Aws
from sensorcast_common.errors import Poison, Retryable
from sensorcast_common.health import Heartbeat
from sensorcast_common.lifecycle import Lifecycle
from sensorcast_common.tracing import Tracing

if TYPE_CHECKING:
    from faststream._internal.types import BrokerMiddleware

POLL_MAX_AGE: Final = 600.0
"""Seconds without an answered poll after which a restart is worth trying; an outage of SQS is usually shorter."""


class _PollBeat(Heartbeat):
    """Beats whenever a poll of every queue was answered."""

    def __init__(self, broker: SQSBroker) -> None:
        super().__init__(max_age=POLL_MAX_AGE)
        self._broker = broker

    @property
    def age(self) -> float:
        since_poll = self._broker.seconds_since_poll
        return super().age if since_poll is None else since_poll


def _retry_after(error: BaseException) -> float | None:
    return error.after if isinstance(error, Retryable) else None


def sqs_broker(
    *, service: str, aws: Aws, life: Lifecycle, drain_seconds: float, tracing: Tracing | None = None
) -> SQSBroker:
    """A broker that is not started yet.

    Args:
        service: Its metrics are called `sensorcast_{service}_...`.
        aws: Session, region and endpoint.
        life: Whose registry the metrics go to.
        drain_seconds: How long handlers may finish when the broker stops.
        tracing: Starts the spans of its messages; by default that of `life`.
    """
    middlewares: list[BrokerMiddleware[Any, Any]] = [
        SQSPrometheusMiddleware(registry=life.registry, app_name=service, metrics_prefix=f"sensorcast_{service}_queue")
    ]
    tracing = tracing or life.tracing
    if tracing.on:
        middlewares.append(SQSTracingMiddleware(tracer=tracing.tracer))
    return SQSBroker(
        session=aws.session,
        region_name=aws.region,
        endpoint_url=aws.endpoint_url,
        poison_on=(Poison,),
        retry_after=_retry_after,
        graceful_timeout=drain_seconds,
        # FastStream reports every message it receives and handles at this level, and failures above it.
        logger=logging.getLogger("sensorcast.queue"),
        log_level=logging.DEBUG,
        middlewares=middlewares,
    )


async def start_broker(broker: SQSBroker, life: Lifecycle) -> None:
    """Start polling, report health, and stop with the service: polling ends first, then what was begun is drained.

    Raises:
        faststream_sqs.QueueNotFoundError: A queue does not exist; the error names it.
        faststream_sqs.TopicNotFoundError: A topic does not exist; the error names it.
    """

    async def ready() -> None:
        if not await broker.ping(timeout=3.0):
            raise ConnectionError("SQS does not answer, or a queue is missing")

    await broker.start()
    life.on_stop("queues", broker.stop)
    life.health.ready("sqs", ready)
    if broker.subscribers:
        life.health.alive("poll", _PollBeat(broker))
