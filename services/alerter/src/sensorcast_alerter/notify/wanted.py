"""Says whether a message that waited is still worth sending."""

from typing import Final

from sensorcast_common.incident import Basis, Incident, IncidentState
from sensorcast_common.notice import Notice, Occasion

_REMINDING: Final = frozenset({Occasion.ESCALATED, Occasion.REPEATED})


def wanted(incident: Incident, notice: Notice) -> str | None:
    """Why a notice need not be sent any more; `None` where it is to be.

    A breach that happened is told of even when it is over by the time its message can be sent: goods were outside their
    limit. What only reminds, what waited for the morning, and a prediction that never came true are not.
    """
    reminds = notice.occasion in _REMINDING or notice.postponed is not None
    if reminds and notice.occasion is not Occasion.RESOLVED and incident.state is not IncidentState.OPEN:
        return f"the incident is {incident.state}"
    if (
        notice.occasion is Occasion.OPENED
        and incident.state is IncidentState.RESOLVED
        and incident.basis is Basis.PREDICTED
    ):
        return "the predicted breach did not happen"
    return None
