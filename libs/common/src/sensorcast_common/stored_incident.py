"""An incident as it is stored, and what may stand in the way of its next state."""

from collections.abc import Mapping
from typing import NamedTuple

from sensorcast_common.incident import Incident
from sensorcast_common.notice import Notice


class StoredIncident(NamedTuple):
    """An incident as the table holds it.

    Attributes:
        incident: The incident.
        revision: Counts its changes; a change names the revision it was made on.
        outbox: Its notices by `Notice.key`, sent and pending.
    """

    incident: Incident
    revision: int
    outbox: Mapping[str, Notice]


class IncidentConflict(Exception):  # noqa: N818 - what happened, told to the one who asked for the change
    """Somebody else changed the incident meanwhile: load it again and decide anew."""


class AlreadyOpen(IncidentConflict):
    """The series has an open incident of this rule and side; `stored` is that one."""

    def __init__(self, stored: StoredIncident) -> None:
        super().__init__(f"incident {stored.incident.incident_id} is open already")
        self.stored = stored


class AlreadyOver(IncidentConflict):
    """The last incident of this series, rule and side ended after the new one would have begun."""
