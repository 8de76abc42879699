"""What the forecaster counts and times."""

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_SECONDS: Final = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)
_AGE: Final = (1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1800)


class ForecasterMetrics:
    """Prometheus metrics named `sensorcast_forecaster_*`, without device labels.

    Args:
        registry: Where they are registered.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        prefix = "sensorcast_forecaster"
        self.ticks = Counter(f"{prefix}_ticks", "Ticks by outcome: sharded, idle, late", ["outcome"], registry=registry)
        self.jobs_made = Counter(f"{prefix}_jobs_made", "Jobs that ticks were sharded into", registry=registry)
        self.jobs = Counter(f"{prefix}_jobs", "Jobs by outcome: done, late", ["outcome"], registry=registry)
        self.series = Counter(
            f"{prefix}_series",
            "Series of jobs by outcome (forecast, fallback, or why they were refused) and models that took part",
            ["outcome", "models"],
            registry=registry,
        )
        self.risks = Counter(
            f"{prefix}_risks",
            "Limits by probability of leaving them",
            ["probability"],
            registry=registry,
        )
        self.job_age = Histogram(
            f"{prefix}_job_age_seconds",
            "From a tick's scheduled time to its forecasts being published",
            buckets=_AGE,
            registry=registry,
        )
        self.read = Histogram(
            f"{prefix}_history_read_seconds", "Reading the history of one job", buckets=_SECONDS, registry=registry
        )
        self.engine = Histogram(
            f"{prefix}_engine_seconds", "Forecasting the series of one job", buckets=_SECONDS, registry=registry
        )
        self.written = Histogram(
            f"{prefix}_write_seconds",
            "Storing and publishing the forecasts of one job",
            buckets=_SECONDS,
            registry=registry,
        )
        self.history_points = Gauge(
            f"{prefix}_history_points", "Readings kept in memory between ticks", registry=registry
        )
