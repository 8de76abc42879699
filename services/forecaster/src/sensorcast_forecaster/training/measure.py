"""What training counts and times."""

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram

_SECONDS: Final = (1, 2, 5, 10, 20, 60, 120, 300, 600, 1200)


class TrainingMetrics:
    """Prometheus metrics named `sensorcast_forecaster_train*`.

    Args:
        registry: Where they are registered.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        prefix = "sensorcast_forecaster"
        self.trainings = Counter(
            f"{prefix}_trainings",
            "Models by outcome of their training: promoted, rejected, skipped, late",
            ["outcome"],
            registry=registry,
        )
        self.train_jobs = Counter(
            f"{prefix}_train_jobs_made", "Jobs that training ticks were split into", registry=registry
        )
        self.reviews = Counter(
            f"{prefix}_model_reviews",
            "Hourly looks at models in use by what was found: fine, too few forecasts, or why one is trained anew",
            ["outcome"],
            registry=registry,
        )
        self.seconds = Histogram(
            f"{prefix}_training_seconds", "Training and judging one model", buckets=_SECONDS, registry=registry
        )
