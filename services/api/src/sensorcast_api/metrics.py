"""What the API counts; no tenant, device or key is a label."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram


class ApiMetrics:
    """The API's metrics.

    Args:
        registry: Where they are shown.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self.requests = Counter(
            "sensorcast_api_requests_total",
            "Requests answered.",
            ("method", "route", "status"),
            registry=registry,
        )
        self.seconds = Histogram(
            "sensorcast_api_request_seconds",
            "From the request to the first byte of its answer.",
            ("route",),
            buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
            registry=registry,
        )
        self.key_lookups = Counter(
            "sensorcast_api_key_lookups_total",
            "API keys checked: answered from the cache, found in the table, or unknown to it.",
            ("result",),
            registry=registry,
        )
        self.tokens = Counter("sensorcast_api_tokens_total", "Bearer tokens checked.", ("result",), registry=registry)
        self.limited = Counter(
            "sensorcast_api_limited_total",
            "Requests refused because their credential made too many.",
            registry=registry,
        )
        self.streams = Gauge("sensorcast_api_streams", "Event streams that are open.", registry=registry)
        self.events = Counter(
            "sensorcast_api_stream_events_total", "Events handed to streams.", ("kind",), registry=registry
        )
        self.dropped = Counter(
            "sensorcast_api_stream_dropped_total", "Events that slow clients lost.", registry=registry
        )
        self.rejected = Counter(
            "sensorcast_api_mqtt_rejected_total",
            "MQTT messages that the live view could not read.",
            ("kind",),
            registry=registry,
        )
        self.connected = Gauge(
            "sensorcast_api_mqtt_connected", "1 while connected to the MQTT broker.", registry=registry
        )
        self.subscriptions = Gauge(
            "sensorcast_api_mqtt_subscriptions", "MQTT topic filters subscribed to.", registry=registry
        )
        self.history_queries = Counter(
            "sensorcast_api_history_queries_total", "Athena queries, by how they ended.", ("state",), registry=registry
        )
        self.history_scanned = Counter(
            "sensorcast_api_history_scanned_bytes_total", "Bytes that Athena queries scanned.", registry=registry
        )
        self.forecast_reads = Counter(
            "sensorcast_api_forecast_reads_total", "Forecasts looked up for streams.", registry=registry
        )
