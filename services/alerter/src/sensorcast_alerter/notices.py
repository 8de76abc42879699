"""Says who is told of a transition, by which way, and in which words."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import tzinfo

from sensorcast_alerter.notify.alert import alert_json
from sensorcast_alerter.notify.text import sms_text
from sensorcast_common.clock import from_millis
from sensorcast_common.incident import Channel, Incident, Notice, Occasion
from sensorcast_common.names import MQTT_ALERTS
from sensorcast_rules.decision import Transition

_OCCASIONS = {
    Transition.OPENED: Occasion.OPENED,
    Transition.OBSERVED: Occasion.OBSERVED,
    Transition.CONFIRMED: Occasion.OPENED,
    Transition.ACKNOWLEDGED: Occasion.ACKNOWLEDGED,
    Transition.RESOLVED: Occasion.RESOLVED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Announcements:
    """Makes the notices of a transition.

    People get one SMS per incident, when it opens; of one that is known late they get it only if it still goes on. The
    vehicle gets a message on MQTT at every transition.

    Attributes:
        mqtt: Whether there is a broker to tell.
        timezone: In which times of day are written.
    """

    mqtt: bool
    timezone: tzinfo

    def of(
        self, transition: Transition, incident: Incident, *, sms: Sequence[str], now: int, ready_at: int | None
    ) -> list[Notice]:
        """The notices of one transition.

        Args:
            transition: What happened.
            incident: The incident after it.
            sms: The numbers of the rule.
            now: Milliseconds since 1970 UTC.
            ready_at: When what caused it was received; `None` where time alone did.
        """
        occasion = _OCCASIONS.get(transition)
        if occasion is None:
            return []
        recipients: list[tuple[Channel, str, str]] = []
        stale = transition is Transition.OPENED and incident.late
        if occasion is Occasion.OPENED and sms and not stale:
            text = sms_text(incident, timezone=self.timezone)
            recipients += [(Channel.SMS, number, text) for number in dict.fromkeys(sms)]
        if self.mqtt:
            topic = MQTT_ALERTS.format(tenant=incident.tenant, device=incident.device)
            recipients.append((Channel.MQTT, topic, alert_json(incident, occasion, now=now)))
        return [
            Notice(
                occasion=occasion,
                channel=channel,
                recipient=recipient,
                text=text,
                created_at=from_millis(now),
                ready_at=None if ready_at is None else from_millis(ready_at),
            )
            for channel, recipient, text in recipients
        ]
