"""What the archiver counts."""

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from sensorcast_archiver.lake.write import Committed

_LAG_BUCKETS: Final = (0.5, 1, 2.5, 5, 10, 15, 30, 60, 90, 120, 300, 600, 1800, 3600)


class ArchiverMetrics:
    """Metrics `sensorcast_archiver_*`.

    Args:
        registry: Where they are registered.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        prefix = "sensorcast_archiver"
        self._batches = Counter(f"{prefix}_batches", "Batches accepted.", registry=registry)
        self._readings = Counter(f"{prefix}_readings", "Readings accepted.", registry=registry)
        self._write_units = Counter(
            f"{prefix}_write_units", "DynamoDB write units consumed.", ["table"], registry=registry
        )
        self._lag = Histogram(
            f"{prefix}_lag_seconds",
            "Time from the receipt of a batch's first reading until a store holds it.",
            ["store"],
            buckets=_LAG_BUCKETS,
            registry=registry,
        )
        self._write_seconds = Histogram(
            f"{prefix}_write_seconds", "Duration of one successful write.", ["store"], registry=registry
        )
        self._failures = Counter(f"{prefix}_failed_writes", "Writes that failed.", ["store"], registry=registry)
        self._held_bytes = Gauge(f"{prefix}_held_bytes", "Memory of readings not stored yet.", registry=registry)
        self._held_batches = Gauge(f"{prefix}_held_batches", "Batches not stored yet.", registry=registry)
        self._skipped = Counter(
            f"{prefix}_skipped_batches", "Batches that were not stored again.", ["reason"], registry=registry
        )
        self._duplicates = Counter(f"{prefix}_duplicate_rows", "Readings that the lake had already.", registry=registry)
        self._rows = Counter(f"{prefix}_lake_rows", "Rows added to the lake.", registry=registry)
        self._bytes = Counter(f"{prefix}_lake_bytes", "Bytes of data files added to the lake.", registry=registry)
        self._files = Counter(f"{prefix}_lake_files", "Data files added to the lake.", registry=registry)
        self._conflicts = Counter(
            f"{prefix}_lake_conflicts", "Lake commits lost against another writer.", registry=registry
        )

    def accepted(self, readings: int) -> None:
        """A batch came in."""
        self._batches.inc()
        self._readings.inc(readings)

    def skipped(self, reason: str, batches: int = 1) -> None:
        """Batches were not stored again."""
        self._skipped.labels(reason).inc(batches)

    def held(self, *, batches: int, size: int) -> None:
        """How much waits to be stored."""
        self._held_batches.set(batches)
        self._held_bytes.set(size)

    def write_units(self, table: str, units: float) -> None:
        """DynamoDB consumed write units."""
        self._write_units.labels(table).inc(units)

    def wrote(self, store: str, *, seconds: float) -> None:
        """A write succeeded."""
        self._write_seconds.labels(store).observe(seconds)

    def failed(self, store: str) -> None:
        """A write failed."""
        self._failures.labels(store).inc()

    def lag(self, store: str, *, seconds: float) -> None:
        """A store holds a batch whose first reading was received so long ago."""
        self._lag.labels(store).observe(max(0.0, seconds))

    def committed(self, outcome: Committed) -> None:
        """The lake took a commit."""
        self._rows.inc(outcome.rows)
        self._bytes.inc(outcome.bytes)
        self._files.inc(outcome.files)
        self._conflicts.inc(outcome.conflicts)
        self._duplicates.inc(outcome.duplicate_rows)
        if outcome.skipped_batches:
            self.skipped("in_lake", outcome.skipped_batches)
