"""Who is told first, who next while nobody acknowledges, how often again, and which incidents share a message."""

from collections.abc import Mapping
from fnmatch import fnmatchcase
from itertools import pairwise
from typing import Annotated, Final, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from sensorcast_common.notice import Channel
from sensorcast_common.recipient import Role, Severity, has_labels
from sensorcast_common.rule import Pattern
from sensorcast_common.versioned import Identifier, Versioned

EVERYBODY: Final = "*"
"""In a step's roles: whoever the incident concerns."""


class Step(BaseModel):
    """One step.

    Attributes:
        after_minutes: Since the incident was announced; the first step's is 0.
        roles: Who is told; `*` stands for every role.
        channels: By which ways; all that a recipient has, where it is absent.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    after_minutes: Annotated[int, Field(strict=True, ge=0, le=10_080)] = 0
    roles: Annotated[list[Role | Annotated[str, StringConstraints(pattern=r"^\*$")]], Field(min_length=1)] = [EVERYBODY]
    channels: Annotated[list[Channel], Field(min_length=1)] | None = None


class EscalationContent(BaseModel):
    """What an escalation says of the incidents that it matches.

    Attributes:
        rule: Pattern of the rule ids it is for.
        device: Pattern of the devices.
        labels: Labels the device must have, each with a pattern.
        severities: The severities it is for.
        steps: In order of time; a step is taken while the incident is open and nobody has acknowledged it.
        repeat_minutes: After the last step, everybody told so far is told again this often; absent for never.
        max_repeats: At most so often.
        group_by: `device`, or the name of a label such as `site`: incidents alike in it share a message; absent for
            one message each.
        group_interval_seconds: After a message of a group, further incidents of it wait this long and share the next.
        updates: Ways that also tell of a predicted breach that came true, and of the end.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    rule: Pattern = "*"
    device: Pattern = "*"
    labels: dict[str, str] = {}
    severities: Annotated[list[Severity], Field(min_length=1)] = ["info", "warning", "critical"]
    steps: Annotated[list[Step], Field(min_length=1, max_length=10)] = [Step()]
    repeat_minutes: Annotated[int, Field(strict=True, ge=5, le=10_080)] | None = None
    max_repeats: Annotated[int, Field(strict=True, ge=1, le=24)] = 6
    group_by: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.-]{1,64}$")] | None = "device"
    group_interval_seconds: Annotated[int, Field(strict=True, ge=0, le=3600)] = 120
    updates: list[Channel] = [Channel.EMAIL, Channel.WEBHOOK, Channel.SLACK]

    @model_validator(mode="after")
    def _goes_on(self) -> Self:
        minutes = [step.after_minutes for step in self.steps]
        if minutes[0] != 0:
            raise ValueError(f"steps.0.after_minutes: {minutes[0]} must be 0, the first step is taken at once")
        if any(later <= earlier for earlier, later in pairwise(minutes)):
            raise ValueError("steps: after_minutes must grow from step to step")
        named = [*self.updates, *(channel for step in self.steps for channel in step.channels or ())]
        if Channel.MQTT in named:
            raise ValueError("channels: mqtt reaches the vehicle, and people by sms, email, webhook or slack")
        return self

    def is_for(self, *, rule_id: str, device: str, labels: Mapping[str, str], severity: Severity) -> bool:
        """Whether an incident is escalated by this."""
        return (
            severity in self.severities
            and fnmatchcase(rule_id, self.rule)
            and fnmatchcase(device, self.device)
            and has_labels(labels, self.labels)
        )


class Escalation(EscalationContent, Versioned):
    """One escalation; of those that match an incident the first by id counts.

    Attributes:
        escalation_id: Unique within the tenant.
    """

    escalation_id: Identifier
