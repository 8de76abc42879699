"""The quarantine: payloads that could not be accepted, to be looked at, sent again or forgotten."""

import base64
from typing import Annotated, Final

from fastapi import APIRouter, Path
from pydantic import BaseModel

from sensorcast_api import examples
from sensorcast_api.auth import Operator
from sensorcast_api.paging import Cursor, Page, PageLimit, decode, encode, refusing_cursor
from sensorcast_api.problems import ProblemError, not_found
from sensorcast_api.quarantine.resend import BrokerAway
from sensorcast_api.services import Services, Wired
from sensorcast_common.clock import UtcDatetime, from_millis
from sensorcast_common.quarantine import Quarantined

router = APIRouter(prefix="/v1/quarantine", tags=["quarantine"])

MessageId = Annotated[str, Path(pattern=r"^[0-9]{13}-[0-9a-f]{16}$", examples=[examples.MESSAGE_ID])]


class QuarantinedMessage(BaseModel):
    """A message in the quarantine.

    Attributes:
        message_id: Names it.
        device: Whose it is, as far as the topic tells.
        topic: Where it was published.
        received_at: When.
        reason: Which rule it broke: a stable code.
        detail: What is wrong with it.
        size: Bytes of its payload.
        sha256: Of its payload.
        truncated: Whether only the first bytes were kept; it cannot be sent again then.
    """

    message_id: str
    device: str | None = None
    topic: str
    received_at: UtcDatetime
    reason: str
    detail: str
    size: int
    sha256: str
    truncated: bool


class QuarantinedPayload(QuarantinedMessage):
    """A message in the quarantine, with what it carried.

    Attributes:
        payload: Its bytes in base64.
        text: The same as text, where it is text.
    """

    payload: str
    text: str | None = None


class Resent(BaseModel):
    """What became of a message that was sent again.

    Attributes:
        topic: Where it was published.
        published_at: When. It is no longer in the quarantine; if it still breaks a rule it comes back anew.
    """

    topic: str
    published_at: UtcDatetime


def shown(message: Quarantined) -> QuarantinedMessage:
    """What a list shows of a message."""
    source = message.source
    return QuarantinedMessage(
        message_id=message.message_id,
        device=source.device if source else None,
        **message.model_dump(exclude={"payload", "redelivered"}),
    )


def shown_whole(message: Quarantined) -> QuarantinedPayload:
    """A message with its payload."""
    try:
        text = message.payload.decode()
    except UnicodeDecodeError:
        text = None
    encoded = base64.b64encode(message.payload).decode()
    return QuarantinedPayload(**shown(message).model_dump(), payload=encoded, text=text)


_RESENT: Final = Resent(topic=examples.QUARANTINED.topic, published_at=examples.QUARANTINED.received_at)


@router.get("", responses={200: examples.page(shown(examples.QUARANTINED)), **examples.problems(403)})
async def list_quarantine(
    caller: Operator, wired: Wired, limit: PageLimit = 50, cursor: Cursor = None
) -> Page[QuarantinedMessage]:
    """Messages that could not be accepted, newest first. They are kept for 14 days."""
    position = decode("quarantine", cursor)
    with refusing_cursor(position):
        found, after = await wired.stores.quarantine.list(caller.tenant, limit=limit, cursor=position)
    return Page(items=[shown(each) for each in found], next_cursor=encode("quarantine", after) if after else None)


@router.get(
    "/{message_id}", responses={200: examples.shown(shown_whole(examples.QUARANTINED)), **examples.problems(403, 404)}
)
async def get_quarantined(caller: Operator, wired: Wired, message_id: MessageId) -> QuarantinedPayload:
    """One message with its bytes."""
    return shown_whole(await _existing(wired, caller.tenant, message_id))


@router.post(
    "/{message_id}/retry",
    status_code=202,
    responses={202: examples.shown(_RESENT), **examples.problems(403, 404, 409, 503)},
)
async def retry_quarantined(caller: Operator, wired: Wired, message_id: MessageId) -> Resent:
    """Publish the message again, as its device did; for when the reason is gone, such as a rule of a newer version.

    A reading without a time of its own gets the time of this second receipt.
    """
    message = await _existing(wired, caller.tenant, message_id)
    if message.truncated:
        raise ProblemError(409, "Only a part of the payload was kept: it cannot be sent again.", kind="truncated")
    if message.source is None:
        raise ProblemError(409, "The topic would be refused again.", kind="bad-topic")
    try:
        await wired.resend.publish(message.topic, message.payload)
    except BrokerAway as error:
        raise ProblemError(503, "The broker did not take the message.", headers={"Retry-After": "5"}) from error
    # Only now: if this process dies before, the message is there twice rather than not at all.
    await wired.stores.quarantine.delete(caller.tenant, message_id)
    return Resent(topic=message.topic, published_at=from_millis(wired.clock()))


@router.delete("/{message_id}", status_code=204, responses=examples.problems(403, 404))
async def delete_quarantined(caller: Operator, wired: Wired, message_id: MessageId) -> None:
    """Forget a message."""
    if not await wired.stores.quarantine.delete(caller.tenant, message_id):
        raise not_found("message in the quarantine")


async def _existing(wired: Services, tenant: str, message_id: str) -> Quarantined:
    found = await wired.stores.quarantine.get(tenant, message_id)
    if found is None:
        raise not_found("message in the quarantine")
    return found
