"""What ingest counts."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_LATENCY = (0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 300.0, 1800.0)
_FILL = (256, 1024, 4096, 8192, 16_384, 32_768, 49_152, 57_344, 61_440, 65_536)


class IngestMetrics:
    """The Prometheus metrics of ingest.

    Args:
        registry: Where they are shown.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self.messages = Counter("sensorcast_ingest_messages", "MQTT messages received.", registry=registry)
        self.redelivered = Counter(
            "sensorcast_ingest_redelivered_messages",
            "Messages that the broker marked as sent before, retained ones included.",
            registry=registry,
        )
        self.readings = Counter("sensorcast_ingest_readings", "Valid readings received.", registry=registry)
        self.quarantined = Counter(
            "sensorcast_ingest_quarantined_messages",
            "Messages that could not be accepted, by reason.",
            ["reason"],
            registry=registry,
        )
        self.batch_bytes = Histogram(
            "sensorcast_ingest_batch_fill_bytes", "Text of a reading batch.", buckets=_FILL, registry=registry
        )
        self.batch_readings = Histogram(
            "sensorcast_ingest_batch_readings",
            "Readings of a batch.",
            buckets=(1, 10, 100, 1000, 5000, 10_000, 20_000),
            registry=registry,
        )
        self.puback_latency = Histogram(
            "sensorcast_ingest_puback_latency_seconds",
            "From receipt until everything received with it is safe.",
            buckets=_LATENCY,
            registry=registry,
        )
        self.publish_failures = Counter(
            "sensorcast_ingest_publish_failures",
            "Messages that a destination did not accept and that are sent again.",
            ["destination"],
            registry=registry,
        )
        self.connections = Counter(
            "sensorcast_ingest_mqtt_connections", "Times the MQTT subscription was made.", registry=registry
        )
        self._in_flight = Gauge(
            "sensorcast_ingest_in_flight_messages", "Received and not acknowledged.", registry=registry
        )
        self._connected = Gauge(
            "sensorcast_ingest_mqtt_connected_info", "1 while the MQTT subscription stands.", registry=registry
        )

    def observe(self, *, in_flight: Callable[[], float], connected: Callable[[], float]) -> None:
        """Show what is asked for at the moment of a scrape."""
        self._in_flight.set_function(in_flight)
        self._connected.set_function(connected)
