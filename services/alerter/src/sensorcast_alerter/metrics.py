"""What the alerter counts; no label holds a tenant, a device or a rule."""

from datetime import UTC, datetime, time

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from sensorcast_alerter.notify.tariff import PriceTable, SmsCost

_DELAYS = (0.1, 0.25, 0.5, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0)


class AlerterMetrics:
    """Prometheus metrics named `sensorcast_alerter_...`.

    Args:
        registry: Where they are registered.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self.readings = Counter("sensorcast_alerter_readings_total", "Readings looked at.", registry=registry)
        self.forecasts = Counter("sensorcast_alerter_forecasts_total", "Forecasts looked at.", registry=registry)
        self.decisions = Counter(
            "sensorcast_alerter_decisions_total",
            "Decisions about an observation under a limit; one about a reading inside all limits counts once.",
            ["reason"],
            registry=registry,
        )
        self.incidents = Counter(
            "sensorcast_alerter_incidents_total",
            "Transitions of incidents that this process stored.",
            ["basis", "transition"],
            registry=registry,
        )
        self.predictions = Counter(
            "sensorcast_alerter_predictions_total",
            "What became of predicted incidents: came true, false alarm, or no longer predicted.",
            ["outcome"],
            registry=registry,
        )
        self.conflicts = Counter(
            "sensorcast_alerter_conflicts_total",
            "Transitions that another process had changed the incident before; they are decided anew.",
            registry=registry,
        )
        self.notifications = Counter(
            "sensorcast_alerter_notifications_total",
            "Attempts to send a message.",
            ["channel", "outcome"],
            registry=registry,
        )
        self.sms_parts = Counter(
            "sensorcast_alerter_sms_parts_total",
            "Parts of SMS by country and outcome of the try; what was accepted is billed by the part.",
            ["country", "outcome"],
            registry=registry,
        )
        self.sms_cost = Counter(
            "sensorcast_alerter_sms_cost_dollars_total",
            "Estimated cost of accepted SMS by country, for the countries that the price table has.",
            ["country"],
            registry=registry,
        )
        self.sms_budget = Gauge(
            "sensorcast_alerter_sms_monthly_dollars",
            "What SMS may cost in a month, as the settings say; 0 where they do not.",
            registry=registry,
        )
        self.sms_prices_date = Gauge(
            "sensorcast_alerter_sms_prices_timestamp_seconds",
            "Date of the table of SMS prices; 0 without one.",
            registry=registry,
        )
        self.held = Counter(
            "sensorcast_alerter_notices_held_total",
            "Notices that are kept back, by reason; one that is postponed counts once.",
            ["reason"],
            registry=registry,
        )
        self.delay = Histogram(
            "sensorcast_alerter_notification_delay_seconds",
            "From the receipt of a reading at ingest (or a forecast's publication) to its message being accepted.",
            ["channel"],
            buckets=_DELAYS,
            registry=registry,
        )
        self.open_incidents = Gauge(
            "sensorcast_alerter_open_incidents",
            "Incidents in the table that are open or acknowledged, of all tenants.",
            registry=registry,
        )
        self.pending_notices = Gauge(
            "sensorcast_alerter_pending_notices", "Notices in the table that are not sent yet.", registry=registry
        )
        self.series = Gauge("sensorcast_alerter_series", "Series that are remembered.", registry=registry)
        self.rules = Gauge("sensorcast_alerter_rules", "Rules in force.", registry=registry)
        self.sweep_failures = Counter(
            "sensorcast_alerter_sweep_failures_total",
            "Sweeps that could not read rules or incidents.",
            registry=registry,
        )

    def decided(self, reason: str, times: int = 1) -> None:
        """Count decisions about an observation under a limit."""
        self.decisions.labels(reason).inc(times)

    def prediction(self, outcome: str) -> None:
        """Count what became of a predicted incident."""
        self.predictions.labels(outcome).inc()

    def watching(self, *, series: int, rules: int) -> None:
        """Note how many series are remembered, and how many rules are in force."""
        self.series.set(series)
        self.rules.set(rules)

    def live(self, incidents: int) -> None:
        """Note how many incidents are open or acknowledged."""
        self.open_incidents.set(incidents)

    def transition(self, basis: str, transition: str) -> None:
        """Count a transition that was stored."""
        self.incidents.labels(basis, transition).inc()

    def conflict(self) -> None:
        """Count a transition that another alerter was faster than."""
        self.conflicts.inc()

    def expect_sms(self, table: PriceTable | None, *, monthly_dollars: float | None) -> None:
        """Show the date of the prices and the budget, and the cost of every priced country from nought on."""
        self.sms_budget.set(monthly_dollars or 0)
        if table is not None:
            self.sms_prices_date.set(datetime.combine(table.as_of, time(), UTC).timestamp())
            for country in table.dollars_per_part:
                self.sms_cost.labels(country)

    def sms(self, cost: SmsCost, outcome: str) -> None:
        """Count an SMS that was tried."""
        self.sms_parts.labels(cost.country, outcome).inc(cost.parts)
        if outcome == "accepted" and cost.dollars is not None:
            self.sms_cost.labels(cost.country).inc(cost.dollars)

    def hold(self, reason: str) -> None:
        """Count a notice that is kept back."""
        self.held.labels(reason).inc()
