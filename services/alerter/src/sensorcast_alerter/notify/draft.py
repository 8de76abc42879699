"""What passes through the pipeline: who might be told of what, and what becomes of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, Protocol

from sensorcast_common.escalation import Escalation
from sensorcast_common.incident import Incident
from sensorcast_common.notice import Channel, Occasion
from sensorcast_common.recipient import Recipient


class Held(StrEnum):
    """Why somebody is not told, or not yet; a metric label and a log field, and kept with the incident."""

    SILENCED = "silenced"
    INHIBITED = "inhibited"
    OFF_DUTY = "off_duty"
    QUIET_HOURS = "quiet_hours"
    NO_CHANNEL = "no_channel"
    COUNTRY = "country"
    CAP_NUMBER = "cap_number"
    CAP_TENANT = "cap_tenant"
    OVER = "over"


FOR_GOOD = frozenset({Held.NO_CHANNEL, Held.COUNTRY, Held.CAP_NUMBER, Held.CAP_TENANT, Held.OVER})
"""What is not looked at again; everything else is, until the incident is over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """One message that may be sent.

    Attributes:
        incident: What it is about.
        labels: The device's labels.
        occasion: What it tells of.
        step: Which step or repetition; 0 for a transition.
        channel: By which way.
        address: A telephone number, a mail address, or the recipient's id for a webhook.
        recipient: Whose that is; `None` for a number that a rule names.
        escalation: By which escalation.
    """

    incident: Incident
    labels: Mapping[str, str]
    occasion: Occasion
    step: int = 0
    channel: Channel
    address: str
    recipient: Recipient | None
    escalation: Escalation


class Hold(NamedTuple):
    """A draft that a stage keeps back.

    Attributes:
        draft: Which.
        reason: Why.
        detail: Why, in words: which silence, until when.
    """

    draft: Draft
    reason: Held
    detail: str = ""

    @property
    def words(self) -> str:
        """Reason and detail as they are kept with the incident."""
        return f"{self.reason}: {self.detail}" if self.detail else str(self.reason)


class Sifted(NamedTuple):
    """What a stage hands on, and what it keeps back."""

    remaining: Sequence[Draft]
    held: Sequence[Hold] = ()


class Stage(Protocol):
    """One stage of the pipeline."""

    def __call__(self, drafts: Sequence[Draft], now: int) -> Sifted:
        """Sift drafts at `now`, milliseconds since 1970 UTC."""
        ...
