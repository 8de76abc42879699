"""Silences and maintenance windows: for a time, nobody is told of what they match."""

from collections.abc import Mapping
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from sensorcast_common.clock import UtcDatetime
from sensorcast_common.recipient import has_labels
from sensorcast_common.rule import Pattern
from sensorcast_common.versioned import Identifier, Versioned


class SilenceContent(BaseModel):
    """What a silence says; all of its matchers must fit, and the incident is kept as ever.

    Attributes:
        device: Pattern of devices.
        metric: Pattern of metrics.
        rule: Pattern of rule ids.
        labels: Labels the device must have, each with a pattern.
        start: When it begins.
        end: When it ends.
        reason: Why, e.g. `defrosting, ticket 4711`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    device: Pattern = "*"
    metric: Pattern = "*"
    rule: Pattern = "*"
    labels: Annotated[dict[str, str], Field(max_length=16)] = {}
    start: UtcDatetime
    end: UtcDatetime
    reason: Annotated[str, StringConstraints(min_length=1, max_length=200)]

    @model_validator(mode="after")
    def _ends(self) -> Self:
        if self.end <= self.start:
            raise ValueError("end: must be after start")
        if self.device == self.metric == self.rule == "*" and not self.labels:
            raise ValueError("device, metric, rule or labels: say what is silenced; for everything write device: '?*'")
        return self

    def silences(self, *, rule_id: str, device: str, metric: str, labels: Mapping[str, str], at: datetime) -> bool:
        """Whether nobody is told of this incident at an aware time."""
        return (
            self.start <= at < self.end
            and fnmatchcase(device, self.device)
            and fnmatchcase(metric, self.metric)
            and fnmatchcase(rule_id, self.rule)
            and has_labels(labels, self.labels)
        )


class Silence(SilenceContent, Versioned):
    """One silence.

    Attributes:
        silence_id: Unique within the tenant.
        created_by: Who wants it.
    """

    silence_id: Identifier
    created_by: Annotated[str, StringConstraints(min_length=1, max_length=80)]
