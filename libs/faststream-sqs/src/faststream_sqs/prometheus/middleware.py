"""FastStream's Prometheus metrics for SQS, and what happens to messages outside of handlers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from faststream._internal.constants import EMPTY
from faststream.prometheus import PrometheusMiddleware
from prometheus_client import Counter, Histogram

from faststream_sqs.observer import Event, Observer
from faststream_sqs.prometheus.provider import SQSMetricsSettingsProvider

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from prometheus_client import CollectorRegistry

_AGES = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 900, 3600, 21_600)


class SQSPrometheusMiddleware(PrometheusMiddleware[Any, Any], Observer):
    """Counts messages handled and published as FastStream's other brokers do.

    In addition `{metrics_prefix}_sqs_events_total{app_name, queue, event}` counts every `Event`, among them
    `lease_lost`, `delete_failed` and `dead_lettered`, of which a handler learns nothing. And
    `{metrics_prefix}_sqs_message_age_seconds{app_name, queue}` is how long ago a message had been sent when it was
    received, which for one that is received again includes its earlier attempts.
    """

    def __init__(
        self,
        *,
        registry: CollectorRegistry,
        app_name: str = EMPTY,
        metrics_prefix: str = "faststream",
        received_messages_size_buckets: Sequence[float] | None = None,
        custom_labels: dict[str, str | Callable[[Any], str]] | None = None,
    ) -> None:
        super().__init__(
            settings_provider_factory=lambda _: SQSMetricsSettingsProvider(),
            registry=registry,
            app_name=app_name,
            metrics_prefix=metrics_prefix,
            received_messages_size_buckets=received_messages_size_buckets,
            custom_labels=custom_labels,
        )
        self._app_name = metrics_prefix if app_name is EMPTY else app_name
        self._events = Counter(
            f"{metrics_prefix}_sqs_events_total",
            "What happened to messages, or polls, of a queue outside of handlers",
            ["app_name", "queue", "event"],
            registry=registry,
        )
        self._age = Histogram(
            f"{metrics_prefix}_sqs_message_age_seconds",
            "From a message's being sent to its being received",
            ["app_name", "queue"],
            buckets=_AGES,
            registry=registry,
        )

    def received_after(self, seconds: float, *, queue: str) -> None:
        """Observe the age of a message."""
        self._age.labels(app_name=self._app_name, queue=queue).observe(seconds)

    def observe(self, event: Event, *, queue: str, amount: int = 1) -> None:
        """Count an event."""
        self._events.labels(app_name=self._app_name, queue=queue, event=event.value).inc(amount)
