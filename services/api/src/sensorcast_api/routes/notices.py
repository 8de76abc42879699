"""What was told of an incident: to whom, when, by which way; and what was kept back, and why."""

from fastapi import APIRouter
from pydantic import BaseModel

from sensorcast_api import examples
from sensorcast_api.auth import Viewer
from sensorcast_api.paging import Page
from sensorcast_api.problems import not_found
from sensorcast_api.routes.incidents import IncidentId
from sensorcast_api.services import Wired
from sensorcast_common.clock import UtcDatetime, from_millis
from sensorcast_common.notice import Channel, Notice, Occasion

router = APIRouter(prefix="/v1/incidents", tags=["incidents"])

_SHOWN_DIGITS = 3


class NoticeShown(BaseModel):
    """One message about an incident.

    Attributes:
        occasion: What it tells of.
        step: Which step of the escalation, or which repetition; 0 for a transition.
        channel: By which way.
        recipient: The recipient's id, the end of a number that a rule names, or the topic of the vehicle.
        created_at: When it was due.
        sent_at: When the channel accepted it.
        together: How many incidents the message told of.
        text: What was sent to a person.
        withheld: Why it is not sent: a cap, a country, an incident that is over.
        postponed: Why it waited, or waits: a silence, quiet hours.
        refused: Why the channel never will take it.
        attempts: How often it was tried.
    """

    occasion: Occasion
    step: int
    channel: Channel
    recipient: str
    created_at: UtcDatetime
    sent_at: UtcDatetime | None = None
    together: int = 1
    text: str | None = None
    withheld: str | None = None
    postponed: str | None = None
    refused: str | None = None
    attempts: int = 0


def shown(notice: Notice) -> NoticeShown:
    """A notice without addresses, which are personal data."""
    recipient = notice.recipient_id or notice.recipient
    if notice.recipient_id is None and notice.channel is not Channel.MQTT:
        recipient = f"...{notice.recipient[-_SHOWN_DIGITS:]}"
    told = notice.sent_at is not None and notice.channel in (Channel.SMS, Channel.EMAIL, Channel.SLACK)
    fields = notice.model_dump(include=set(NoticeShown.model_fields) - {"recipient", "text"})
    return NoticeShown(**fields, recipient=recipient, text=notice.text if told else None)


_EXAMPLE = NoticeShown(
    occasion=Occasion.OPENED,
    step=0,
    channel=Channel.SMS,
    recipient="anna",
    created_at=from_millis(1_780_000_000_000),
    withheld="cap_number: 100 SMS on 2026-05-28",
)


@router.get("/{incident_id}/notices", responses={200: examples.page(_EXAMPLE), **examples.problems(404)})
async def list_notices(caller: Viewer, wired: Wired, incident_id: IncidentId) -> Page[NoticeShown]:
    """Every message about an incident, sent or kept back, oldest first, on one page."""
    stored = await wired.stores.incidents.load(caller.tenant, str(incident_id))
    if stored is None:
        raise not_found("incident")
    return Page(items=[shown(each) for each in sorted(stored.outbox.values(), key=lambda each: each.created_at)])
