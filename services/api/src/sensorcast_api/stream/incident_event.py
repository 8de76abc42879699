"""What the alerter publishes on `alerts/{tenant}/{device}`."""

from pydantic import AliasChoices, Field

from sensorcast_common.incident import Incident
from sensorcast_common.names import MQTT_ALERTS


class IncidentEvent(Incident):
    """An incident, and what just happened to it.

    Attributes:
        event: `opened`, `observed`, `acknowledged` or `resolved`; the alerter calls it the occasion.
    """

    event: str = Field(default="changed", validation_alias=AliasChoices("event", "occasion"))

    @classmethod
    def parse(cls, payload: bytes, topic: str) -> "IncidentEvent":
        """Read an alert.

        Raises:
            ValueError: It is not one, or not one of the topic's tenant and device; the message names the field.
        """
        incident = cls.model_validate_json(payload)
        if topic != MQTT_ALERTS.format(tenant=incident.tenant, device=incident.device):
            raise ValueError(f"tenant, device: not those of the topic {topic[:256]!r}")
        return incident
