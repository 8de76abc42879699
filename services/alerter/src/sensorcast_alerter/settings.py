"""What the alerter is told."""

from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, field_validator

from sensorcast_common.mqtt import MqttSettings
from sensorcast_common.settings import ServiceSettings


class AlerterSettings(MqttSettings, ServiceSettings):
    """Settings of the alerter, beside those of every service and of the MQTT broker.

    Attributes:
        mqtt_client_id: Must differ between replicas: a broker lets one of each name in.
        alert_mqtt: Whether transitions are published on `alerts/{tenant}/{device}`.
        late_after_seconds: A reading older than this opens no incident.
        forecast_period_seconds: How often forecasts are made; one known for more than two periods opens no incident.
        sweep_seconds: How often rules and incidents are read again; a changed rule is in force after that.
        max_series: How many series are remembered, about 1 KB each.
        timezone: In which times of day are written in an SMS, by its IANA name.
        sms_sender_id: What phones show as the sender, where the country allows it; 1 to 11 letters or digits.
    """

    mqtt_client_id: str = Field(default="sensorcast-alerter", pattern=r"^[A-Za-z0-9_.:-]{1,128}$")
    alert_mqtt: bool = True
    late_after_seconds: float = Field(default=600, gt=0, le=86_400)
    forecast_period_seconds: float = Field(default=300, gt=0, le=86_400)
    sweep_seconds: float = Field(default=15, gt=0, le=300)
    max_series: int = Field(default=200_000, ge=1)
    timezone: str = "UTC"
    sms_sender_id: str | None = Field(default=None, pattern=r"^[0-9]{0,10}[A-Za-z][A-Za-z0-9]{0,10}$", max_length=11)

    @field_validator("timezone")
    @classmethod
    def _is_known(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ValueError(f"{name!r} is no IANA time zone, such as Europe/Berlin") from error
        return name
