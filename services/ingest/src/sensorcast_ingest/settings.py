"""Ingest's settings."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from sensorcast_common.mqtt import MqttSettings
from sensorcast_common.settings import ServiceSettings


class IngestSettings(MqttSettings, ServiceSettings):
    """What ingest is told, beside what every service is and how to reach the broker.

    Attributes:
        source: Where messages come from: `mqtt` is a session at the broker, `queue` the queue `inbox`, into which a
            topic rule of AWS IoT Core puts them. With both at once every reading would come twice.
        mqtt_client_id: Names the session that holds what was not acknowledged: one for each replica, and the same
            after a restart.
        mqtt_shared_group: Name of the group among whose members the broker divides the messages; needed for more than
            one replica, and offered by MQTT 5 brokers and many others.
        linger_ms: Milliseconds for which the first reading of a batch waits for company.
        batch_bytes: Bytes of message text a batch is filled toward. SNS and SQS bill by 64 KiB, attributes included.
        publish_concurrency: Requests to SNS at one time.
        traces_of_devices: Whether a message whose user property `traceparent` (MQTT 5) says that it is recorded is
            traced, whatever the ratio; a device then decides how much is.
    """

    source: Literal["mqtt", "queue"] = "mqtt"
    mqtt_client_id: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.:-]{1,128}$")] = "sensorcast-ingest"
    mqtt_shared_group: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.-]{1,64}$")] | None = None
    linger_ms: int = Field(default=100, ge=0, le=10_000)
    batch_bytes: int = Field(default=65_024, ge=1024, le=250_000)
    publish_concurrency: int = Field(default=4, ge=1, le=64)
    traces_of_devices: bool = True
