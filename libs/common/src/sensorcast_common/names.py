"""The names of every topic, queue, table and bucket, said once; the CloudFormation template is checked against them.

AWS resources carry the stack's name as a prefix, so that two stacks live in one account. MQTT topics do not: the
broker is the border there.
"""

import re
from dataclasses import dataclass

MQTT_READINGS = "dt/{tenant}/{device}/readings"
MQTT_READINGS_FILTER = "dt/+/+/readings"
MQTT_ALERTS = "alerts/{tenant}/{device}"

_SEGMENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}")


def is_name(text: str) -> bool:
    """Tell whether `text` may name a tenant, a device or a metric.

    One to 64 letters, digits, `_`, `.`, `:` or `-`, the first a letter or digit: safe in an MQTT topic, a DynamoDB
    key (where `#` separates) and an SQL literal alike.
    """
    return _SEGMENT.fullmatch(text) is not None


@dataclass(frozen=True, slots=True)
class ReadingsTopic:
    """Who sent what arrives on `dt/{tenant}/{device}/readings`."""

    tenant: str
    device: str

    @classmethod
    def parse(cls, topic: str) -> "ReadingsTopic":
        """Read tenant and device from an MQTT topic.

        Raises:
            ValueError: The topic has another form, or a name in it is not one; the message names the part.
        """
        parts = topic.split("/")
        if len(parts) != 4 or parts[0] != "dt" or parts[3] != "readings":
            raise ValueError(f"topic: expected dt/{{tenant}}/{{device}}/readings, got {topic[:256]!r}")
        for field, part in (("tenant", parts[1]), ("device", parts[2])):
            if not is_name(part):
                raise ValueError(f"topic: {field} {part[:64]!r} is not a name")
        return cls(tenant=parts[1], device=parts[2])


@dataclass(frozen=True, slots=True)
class Names:
    """The AWS names of one stack.

    Args:
        stack: The stack's name, the prefix of all of them (CloudFormation's parameter `StackPrefix`).
    """

    stack: str = "sensorcast"

    # SNS topics
    @property
    def topic_readings(self) -> str:
        """SNS topic of reading batches, from ingest to `archive` and `watch`."""
        return f"{self.stack}-readings"

    @property
    def topic_forecasts(self) -> str:
        """SNS topic of forecast batches, from the forecaster to `watch`."""
        return f"{self.stack}-forecasts"

    # SQS queues; each has a dead-letter queue named by `dead_letter`
    @property
    def queue_archive(self) -> str:
        """Reading batches for the archiver."""
        return f"{self.stack}-archive"

    @property
    def queue_watch(self) -> str:
        """Reading batches and forecast batches for the alerter."""
        return f"{self.stack}-watch"

    @property
    def queue_forecast_ticks(self) -> str:
        """What EventBridge Scheduler sends: to forecast every five minutes, to score hourly, to train daily."""
        return f"{self.stack}-forecast-ticks"

    @property
    def queue_forecast_jobs(self) -> str:
        """Shards of series to forecast, one message each."""
        return f"{self.stack}-forecast-jobs"

    @property
    def queue_model_jobs(self) -> str:
        """Training and scoring, one message each; apart from forecasts, which must not wait for them."""
        return f"{self.stack}-model-jobs"

    @property
    def queue_quarantine(self) -> str:
        """Payloads that ingest could not accept, with reason, topic, time and bytes."""
        return f"{self.stack}-quarantine"

    @property
    def queue_inbox(self) -> str:
        """MQTT messages of AWS IoT Core's topic rule; exists only where the production template has made the rule."""
        return f"{self.stack}-inbox"

    @property
    def queues(self) -> tuple[str, ...]:
        """Every queue that is always there, but the dead-letter queues."""
        return (
            self.queue_archive,
            self.queue_watch,
            self.queue_forecast_ticks,
            self.queue_forecast_jobs,
            self.queue_model_jobs,
            self.queue_quarantine,
        )

    @staticmethod
    def dead_letter(queue: str) -> str:
        """The dead-letter queue of `queue`."""
        return f"{queue}-dlq"

    # DynamoDB tables
    @property
    def table_readings(self) -> str:
        """Hot store: packed chunks of readings."""
        return f"{self.stack}-readings"

    @property
    def table_devices(self) -> str:
        """One item per device: metrics, units, first and last seen, last values."""
        return f"{self.stack}-devices"

    @property
    def table_forecasts(self) -> str:
        """The forecasts of each series, newest first."""
        return f"{self.stack}-forecasts"

    @property
    def table_models(self) -> str:
        """The models trained for each tenant, metric and step, which is in use, and how good their forecasts were."""
        return f"{self.stack}-models"

    @property
    def table_rules(self) -> str:
        """Alert rules per tenant."""
        return f"{self.stack}-rules"

    @property
    def table_rule_versions(self) -> str:
        """What rules and product profiles said before, and who changed them."""
        return f"{self.stack}-rule-versions"

    @property
    def table_incidents(self) -> str:
        """Incidents per tenant."""
        return f"{self.stack}-incidents"

    @property
    def table_contacts(self) -> str:
        """Who is told of incidents: recipients, escalations and silences per tenant."""
        return f"{self.stack}-contacts"

    @property
    def table_deliveries(self) -> str:
        """What was sent: messages counted per number and day, and when each group last had one."""
        return f"{self.stack}-deliveries"

    @property
    def table_api_keys(self) -> str:
        """Hashes of the API keys."""
        return f"{self.stack}-api-keys"

    @property
    def table_watermarks(self) -> str:
        """How far each archiver has brought the lake."""
        return f"{self.stack}-watermarks"

    @property
    def table_quarantine(self) -> str:
        """Payloads that could not be accepted, per tenant; the API moves them here from the queue."""
        return f"{self.stack}-quarantine"

    @property
    def table_idempotency(self) -> str:
        """Answers to writes that carried an `Idempotency-Key`, for a day."""
        return f"{self.stack}-idempotency"

    @property
    def tables(self) -> tuple[str, ...]:
        """Every DynamoDB table."""
        return (
            self.table_readings,
            self.table_devices,
            self.table_forecasts,
            self.table_models,
            self.table_rules,
            self.table_rule_versions,
            self.table_incidents,
            self.table_contacts,
            self.table_deliveries,
            self.table_api_keys,
            self.table_watermarks,
            self.table_quarantine,
            self.table_idempotency,
        )

    # Lake
    @property
    def table_bucket(self) -> str:
        """S3 Tables bucket of the lake."""
        return f"{self.stack}-lake"

    @property
    def lake_namespace(self) -> str:
        """Namespace inside the table bucket; S3 Tables allows letters, digits and `_` only."""
        return "sensorcast"

    @property
    def lake_readings(self) -> str:
        """Iceberg table of all readings."""
        return "readings"

    @property
    def lake_forecasts(self) -> str:
        """Iceberg table of all forecasts."""
        return "forecasts"

    @property
    def athena_workgroup(self) -> str:
        """Workgroup that bounds the scanned bytes of history queries."""
        return f"{self.stack}"

    @property
    def athena_catalog(self) -> str:
        """Athena's catalog of the table bucket."""
        return f"s3tablescatalog/{self.table_bucket}"

    def results_bucket(self, account: str, region: str) -> str:
        """S3 bucket of Athena's query results; bucket names are global, so account and region are part of it."""
        return f"{self.stack}-results-{account}-{region}"

    def models_bucket(self, account: str, region: str) -> str:
        """S3 bucket of trained models."""
        return f"{self.stack}-models-{account}-{region}"

    # AWS IoT Core, of the production template
    @property
    def thing_type(self) -> str:
        """Type of the things that are devices."""
        return f"{self.stack}-sensor"

    @property
    def device_policy(self) -> str:
        """Policy of a device's certificate: it may publish its own readings."""
        return f"{self.stack}-device"

    @staticmethod
    def thing(tenant: str, device: str) -> str:
        """Name of a device's thing, and its MQTT client id."""
        return f"{tenant}:{device}"

    # EventBridge Scheduler
    @property
    def schedule_group(self) -> str:
        """Group of the stack's schedules."""
        return f"{self.stack}"

    @property
    def schedule_forecast(self) -> str:
        """The five-minute forecast tick."""
        return f"{self.stack}-forecast-tick"

    @property
    def schedule_training(self) -> str:
        """The daily training tick."""
        return f"{self.stack}-training-tick"

    @property
    def schedule_scoring(self) -> str:
        """The hourly tick that scores forecasts."""
        return f"{self.stack}-scoring-tick"
