"""Recipients: who is told of incidents, by which ways and when. Their secrets go in and never come out."""

from typing import Annotated
from urllib.parse import urlsplit

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field, StrictBool, ValidationError

from sensorcast_api import examples
from sensorcast_api.auth import Operator
from sensorcast_api.conditions import version_of
from sensorcast_api.paging import Page
from sensorcast_api.problems import invalid
from sensorcast_api.routes import contact_items
from sensorcast_api.routes.versions import ETAG_HEADER, Id, IfMatch, content_of, invalid_body
from sensorcast_api.services import Wired
from sensorcast_common.recipient import (
    Email,
    Language,
    Recipient,
    Role,
    Severity,
    SigningSecret,
    Span,
    TimeZone,
    WebAddress,
    Webhook,
)
from sensorcast_common.rule import Pattern, PhoneNumber

router = APIRouter(prefix="/v1/recipients", tags=["recipients"])


class WebhookBody(BaseModel):
    """Where signed JSON is posted to; without a secret the one that is stored stays.

    Attributes:
        url: `https://...`.
        secret: `whsec_` and 24 to 64 random bytes in base64.
    """

    model_config = ConfigDict(extra="forbid")

    url: WebAddress
    secret: SigningSecret | None = None


class RecipientBody(BaseModel):
    """A recipient as it is sent and shown, without secrets when shown.

    Attributes:
        slack: A Slack-compatible incoming webhook. It is shown as scheme and host; sent back like that, it stays.
    """

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [content_of(examples.RECIPIENT, "recipient_id")]}
    )

    name: Annotated[str, Field(min_length=1, max_length=80)]
    roles: Annotated[list[Role], Field(min_length=1, max_length=16)]
    sms: PhoneNumber | None = None
    email: Email | None = None
    webhook: WebhookBody | None = None
    slack: WebAddress | None = None
    language: Language = "en"
    timezone: TimeZone = "UTC"
    schedule: Annotated[list[Span], Field(max_length=21)] = []
    quiet_hours: Span | None = None
    critical_overrides: StrictBool = True
    min_severity: Severity = "info"
    device: Pattern = "*"
    labels: Annotated[dict[str, str], Field(max_length=16)] = {}
    enabled: StrictBool = True


class RecipientShown(RecipientBody):
    """A recipient as it is shown."""

    model_config = ConfigDict(json_schema_extra={"examples": []})

    recipient_id: str
    version: int


def shown(recipient: Recipient) -> RecipientShown:
    """A recipient without its secrets."""
    fields = recipient.model_dump(exclude={"tenant", "webhook", "slack"})
    webhook = None if recipient.webhook is None else WebhookBody(url=recipient.webhook.url)
    slack = None if recipient.slack is None else _only_host(recipient.slack)
    return RecipientShown(**fields, webhook=webhook, slack=slack)


_SHOWN = shown(examples.RECIPIENT)


@router.get("", responses={200: examples.page(_SHOWN), **examples.problems(403)})
async def list_recipients(caller: Operator, wired: Wired) -> Page[RecipientShown]:
    """All recipients by id, on one page."""
    return Page(items=[shown(each) for each in await wired.stores.contacts.recipients.list(caller.tenant)])


@router.get(
    "/{recipient_id}", responses={200: examples.shown(_SHOWN, headers=ETAG_HEADER), **examples.problems(403, 404)}
)
async def get_recipient(caller: Operator, wired: Wired, recipient_id: Id, response: Response) -> RecipientShown:
    """One recipient."""
    recipients = wired.stores.contacts.recipients
    return shown(await contact_items.found("recipient", recipients, caller.tenant, recipient_id, response))


@router.put(
    "/{recipient_id}",
    responses={
        200: examples.shown(_SHOWN, headers=ETAG_HEADER),
        201: {"description": "Created", "model": RecipientShown, **examples.shown(_SHOWN, headers=ETAG_HEADER)},
        **examples.problems(403, 412, 428),
    },
)
async def put_recipient(
    caller: Operator, wired: Wired, recipient_id: Id, body: RecipientBody, response: Response, if_match: IfMatch = None
) -> RecipientShown:
    """Create a recipient, or replace the version that `If-Match` names."""
    recipients, expected = wired.stores.contacts.recipients, version_of(if_match) or 0
    stored = await recipients.get(caller.tenant, recipient_id) if expected else None
    fields = {**dict(body), "webhook": _webhook(body, stored), "slack": _slack(body, stored)}
    try:
        made = Recipient(tenant=caller.tenant, recipient_id=recipient_id, version=expected + 1, **fields)
    except ValidationError as error:
        raise invalid_body(error) from error
    return shown(await contact_items.put("recipient", recipients, made, recipient_id, response))


@router.delete("/{recipient_id}", status_code=204, responses=examples.problems(403, 404))
async def delete_recipient(caller: Operator, wired: Wired, recipient_id: Id) -> None:
    """Remove a recipient; whoever is gone is told of nothing more."""
    await contact_items.remove("recipient", wired.stores.contacts.recipients, caller.tenant, recipient_id)


def _webhook(body: RecipientBody, stored: Recipient | None) -> Webhook | None:
    if body.webhook is None:
        return None
    secret = body.webhook.secret
    if secret is None:
        known = stored.webhook if stored is not None else None
        if known is None or known.url != body.webhook.url:
            raise invalid("body", "webhook.secret", "needed for a new address")
        secret = known.secret
    return Webhook(url=body.webhook.url, secret=secret)


def _slack(body: RecipientBody, stored: Recipient | None) -> str | None:
    known = stored.slack if stored is not None else None
    return known if known is not None and body.slack == _only_host(known) else body.slack


def _only_host(url: str) -> str:
    """An address without its path, which is the secret of a chat webhook."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
