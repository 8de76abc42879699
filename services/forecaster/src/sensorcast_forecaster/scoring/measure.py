"""What scoring counts: sums that replicas add up to, so that a query over them gives a figure of the whole fleet."""

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram

from sensorcast_common.skill import Tally

_LEAD: Final = (60, 300, 600, 900, 1200, 1800, 2700, 3600, 7200, 14_400, 21_600)


class ScoringMetrics:
    """Prometheus metrics named `sensorcast_forecaster_score*`, by tenant and metric and never by device.

    An hour counts when it is scored for the first time; scoring it again mends the table alone.

    Args:
        registry: Where they are registered.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        prefix, by = "sensorcast_forecaster_scored", ["tenant", "metric"]
        self.jobs = Counter(
            "sensorcast_forecaster_score_jobs",
            "Scoring ticks and jobs by outcome: sharded, done, late",
            ["outcome"],
            registry=registry,
        )
        self.failed = Counter(f"{prefix}_series_failed", "Series that could not be scored", registry=registry)
        self.forecasts = Counter(
            f"{prefix}_forecasts",
            "Forecasts by what became of them: compared, unobserved",
            [*by, "outcome"],
            registry=registry,
        )
        self.fallbacks = Counter(f"{prefix}_fallbacks", "Compared forecasts of a baseline", by, registry=registry)
        self.points = Counter(f"{prefix}_points", "Points compared", by, registry=registry)
        self.covered = Counter(f"{prefix}_points_covered", "Points inside the 80 % band", by, registry=registry)
        self.loss = Counter(f"{prefix}_quantile_loss", "Quantile loss; over the absolute: wQL", by, registry=registry)
        self.naive = Counter(f"{prefix}_naive_quantile_loss", "Quantile loss of last value", by, registry=registry)
        self.absolute = Counter(f"{prefix}_absolute", "Sum of the absolute values that came", by, registry=registry)
        self.warnings = Counter(
            f"{prefix}_warnings",
            "Predicted breaches by what became of them: true, false",
            [*by, "came"],
            registry=registry,
        )
        self.breaches = Counter(
            f"{prefix}_breaches", "Breaches by whether they had been predicted", [*by, "foreseen"], registry=registry
        )
        self.lead = Histogram(
            f"{prefix}_lead_seconds",
            "From the first forecast that predicted a breach to the breach",
            by,
            buckets=_LEAD,
            registry=registry,
        )

    def count(self, tenant: str, metric: str, tally: Tally) -> None:
        """Add a tally."""
        by = (tenant, metric)
        self.forecasts.labels(*by, "compared").inc(tally.forecasts)
        self.forecasts.labels(*by, "unobserved").inc(tally.unobserved)
        self.fallbacks.labels(*by).inc(tally.fallbacks)
        self.points.labels(*by).inc(tally.points)
        self.covered.labels(*by).inc(tally.covered)
        self.loss.labels(*by).inc(tally.loss)
        self.naive.labels(*by).inc(tally.naive_loss)
        self.absolute.labels(*by).inc(tally.absolute)
        self.warnings.labels(*by, "true").inc(tally.true_warnings)
        self.warnings.labels(*by, "false").inc(tally.warnings - tally.true_warnings)
        self.breaches.labels(*by, "true").inc(tally.foreseen)
        self.breaches.labels(*by, "false").inc(tally.breaches - tally.foreseen)
        for minutes, count in tally.leads.items():
            for _ in range(count):
                self.lead.labels(*by).observe(minutes * 60)
