"""People who are told of incidents: what they answer for, how they are reached, and when."""

import base64
import binascii
from collections.abc import Mapping
from datetime import datetime, time, timedelta
from fnmatch import fnmatchcase
from typing import Annotated, Final, Literal, Self
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from sensorcast_common.rule import Pattern, PhoneNumber
from sensorcast_common.versioned import Identifier, Versioned

SEVERITIES: Final = ("info", "warning", "critical")
DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

Severity = Literal["info", "warning", "critical"]
Language = Literal["en", "de"]
Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


def _time_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"{name!r} is no IANA time zone, such as Europe/Berlin") from error
    return name


def _address(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in {"https", "http"} or not parts.hostname:
        raise ValueError("expected https://host/path")
    if parts.username is not None or parts.password is not None:
        raise ValueError("user and password do not belong in the address")
    if parts.port == 0:  # reading it also raises ValueError for what is no port
        raise ValueError("the port must not be 0")
    return url


def _secret(text: str) -> str:
    try:
        key = base64.b64decode(text.removeprefix("whsec_"), validate=True)
    except binascii.Error as error:
        raise ValueError("expected whsec_ and base64") from error
    if not 24 <= len(key) <= 64:
        raise ValueError("expected 24 to 64 bytes in base64 after whsec_")
    return text


Role = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,31}$")]
"""What somebody answers for: `manager`, `driver`, `compliance`, or a role of your own."""

Email = Annotated[
    str,
    StringConstraints(
        pattern=r"^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$",
        max_length=254,
    ),
]
TimeZone = Annotated[str, AfterValidator(_time_zone)]
ClockTime = Annotated[str, StringConstraints(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]
"""A local time of day, `HH:MM`."""

WebAddress = Annotated[str, StringConstraints(max_length=2048), AfterValidator(_address)]
SigningSecret = Annotated[str, StringConstraints(pattern=r"^whsec_", max_length=120), AfterValidator(_secret)]
"""`whsec_` and 24 to 64 random bytes in base64, as the Standard Webhooks specification writes it."""


class Webhook(BaseModel):
    """Where signed JSON is posted to.

    Attributes:
        url: `https://...`; plain http is accepted only for a loopback address, and only where the alerter allows it.
        secret: The key of the signature.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: WebAddress
    secret: SigningSecret


class Span(BaseModel):
    """A part of the day, by local time; one that ends before it starts goes on past midnight.

    Attributes:
        start: The first minute inside.
        end: The first minute after it.
        days: The days on which it starts; all of them by default.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    start: ClockTime
    end: ClockTime
    days: Annotated[list[Day], Field(min_length=1, max_length=7)] = list(DAYS)

    @model_validator(mode="after")
    def _lasts(self) -> Self:
        if self.start == self.end:
            raise ValueError(f"end: {self.end} must differ from start; leave the span out where it would be all day")
        return self

    def holds(self, local: datetime) -> bool:
        """Whether a local time is inside."""
        start, end, at = time.fromisoformat(self.start), time.fromisoformat(self.end), local.time()
        today, yesterday = DAYS[local.weekday()], DAYS[(local - timedelta(days=1)).weekday()]
        if start < end:
            return today in self.days and start <= at < end
        return (today in self.days and at >= start) or (yesterday in self.days and at < end)


class RecipientContent(BaseModel):
    """What is known of somebody who is told.

    Attributes:
        name: What people call them.
        roles: What they answer for; an escalation step names roles.
        sms: Telephone number.
        email: Mail address.
        webhook: Signed JSON.
        slack: Address of a Slack-compatible incoming webhook; whoever knows it may post there.
        language: Of the messages.
        timezone: Of the times in them, of the schedule and of the quiet hours.
        schedule: When they are on duty; always, where it is empty.
        quiet_hours: When they are left alone.
        critical_overrides: Whether a critical incident reaches them in quiet hours all the same.
        min_severity: The least severe incident they are told of.
        device: Pattern of the devices they are told of.
        labels: Labels a device must have, each with a pattern, e.g. `site: north-*`.
        enabled: Whether they are told at all.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, StringConstraints(min_length=1, max_length=80)]
    roles: Annotated[list[Role], Field(min_length=1, max_length=16)]
    sms: PhoneNumber | None = None
    email: Email | None = None
    webhook: Webhook | None = None
    slack: WebAddress | None = None
    language: Language = "en"
    timezone: TimeZone = "UTC"
    schedule: Annotated[list[Span], Field(max_length=21)] = []
    quiet_hours: Span | None = None
    critical_overrides: bool = True
    min_severity: Severity = "info"
    device: Pattern = "*"
    labels: Annotated[dict[str, Annotated[str, StringConstraints(max_length=64)]], Field(max_length=16)] = {}
    enabled: bool = True

    @model_validator(mode="after")
    def _can_be_reached(self) -> Self:
        if not any((self.sms, self.email, self.webhook, self.slack)):
            raise ValueError("sms, email, webhook or slack: at least one way must be given")
        return self

    def on_duty(self, moment: datetime) -> bool:
        """Whether the schedule has them at work at an aware time."""
        local = moment.astimezone(ZoneInfo(self.timezone))
        return not self.schedule or any(span.holds(local) for span in self.schedule)

    def is_quiet(self, moment: datetime) -> bool:
        """Whether an aware time is in their quiet hours."""
        return self.quiet_hours is not None and self.quiet_hours.holds(moment.astimezone(ZoneInfo(self.timezone)))

    def concerns(self, *, device: str, labels: Mapping[str, str], severity: Severity) -> bool:
        """Whether an incident is theirs to know."""
        return (
            self.enabled
            and SEVERITIES.index(severity) >= SEVERITIES.index(self.min_severity)
            and fnmatchcase(device, self.device)
            and has_labels(labels, self.labels)
        )


class Recipient(RecipientContent, Versioned):
    """Somebody who is told.

    Attributes:
        recipient_id: Unique within the tenant.
    """

    recipient_id: Identifier


def has_labels(labels: Mapping[str, str], wanted: Mapping[str, str]) -> bool:
    """Whether every wanted label is there and fits its pattern, in which `*` and `?` stand for any characters."""
    return all(name in labels and fnmatchcase(labels[name], pattern) for name, pattern in wanted.items())
