"""The JSON that a vehicle gets on `alerts/{tenant}/{device}`."""

import json

from sensorcast_common.clock import from_millis, rfc3339
from sensorcast_common.incident import Incident
from sensorcast_common.notice import Occasion

SCHEMA_VERSION = 1


def alert_json(incident: Incident, occasion: Occasion, *, now: int) -> str:
    """The message about one transition.

    Whoever shows alerts keys them by `incident_id` and ignores one whose `at` is older than what it has: a message
    that could not be sent is sent again later, and may then come after a newer one.
    """
    told = incident.model_dump(mode="json", exclude={"notified_at", "message", "as_of"}, exclude_none=True)
    return json.dumps(
        {"schema_version": SCHEMA_VERSION, "occasion": occasion, "at": rfc3339(from_millis(now)), **told},
        separators=(",", ":"),
    )
