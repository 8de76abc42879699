"""Says who is told of a transition: people through the pipeline, the vehicle always."""

from collections.abc import Mapping, Sequence

from sensorcast_alerter.notify.alert import alert_json
from sensorcast_alerter.notify.pipeline import Pipeline
from sensorcast_common.clock import from_millis
from sensorcast_common.incident import Incident
from sensorcast_common.names import MQTT_ALERTS
from sensorcast_common.notice import Channel, Notice, Occasion
from sensorcast_rules.decision import Transition

_OCCASIONS = {
    Transition.OPENED: Occasion.OPENED,
    Transition.OBSERVED: Occasion.OBSERVED,
    Transition.CONFIRMED: Occasion.OPENED,
    Transition.ACKNOWLEDGED: Occasion.ACKNOWLEDGED,
    Transition.RESOLVED: Occasion.RESOLVED,
}


class Announcements:
    """Makes the notices of a transition.

    People are told when an incident opens; of one that is known late, only if it still goes on. Whoever was told also
    hears of what becomes of it, by the ways their escalation names. The vehicle gets a message on MQTT at every
    transition.

    Args:
        pipeline: Who is told, and what keeps it back.
        mqtt: Whether there is a broker to tell.
    """

    def __init__(self, pipeline: Pipeline, *, mqtt: bool) -> None:
        self._pipeline = pipeline
        self._mqtt = mqtt

    def of(
        self,
        transition: Transition,
        incident: Incident,
        *,
        sms: Sequence[str],
        outbox: Mapping[str, Notice],
        now: int,
        ready_at: int | None,
    ) -> list[Notice]:
        """The notices of one transition.

        Args:
            transition: What happened.
            incident: The incident after it.
            sms: The numbers of the rule.
            outbox: The notices that the incident has already.
            now: Milliseconds since 1970 UTC.
            ready_at: When what caused it was received; `None` where time alone did.
        """
        occasion = _OCCASIONS.get(transition)
        if occasion is None:
            return []
        if transition is Transition.OPENED and incident.late:
            notices = []
        elif occasion is Occasion.OPENED:
            notices = self._pipeline.opened(incident, numbers=sms, now=now, ready_at=ready_at)
        else:
            notices = self._pipeline.updated(incident, outbox, occasion, now=now, ready_at=ready_at)
        if self._mqtt:
            notices.append(_alert(incident, occasion, now=now, ready_at=ready_at))
        return notices


def _alert(incident: Incident, occasion: Occasion, *, now: int, ready_at: int | None) -> Notice:
    return Notice(
        occasion=occasion,
        channel=Channel.MQTT,
        recipient=MQTT_ALERTS.format(tenant=incident.tenant, device=incident.device),
        text=alert_json(incident, occasion, now=now),
        created_at=from_millis(now),
        ready_at=None if ready_at is None else from_millis(ready_at),
    )
