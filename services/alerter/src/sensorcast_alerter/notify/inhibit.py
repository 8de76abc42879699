"""Keeps back a lesser incident of a series while a more severe one of the same side is open."""

from collections.abc import Iterable, Sequence

from sensorcast_alerter.notify.draft import Draft, Held, Hold, Sifted
from sensorcast_common.incident import LIVE_STATES, Incident
from sensorcast_common.recipient import SEVERITIES


class InhibitStage:
    """Knows what is open, as of the last sweep: a warning at 6 degrees adds nothing to a critical one at 8."""

    def __init__(self) -> None:
        self._worst: dict[tuple[str, ...], Incident] = {}

    def follow(self, incidents: Iterable[Incident]) -> None:
        """Know what is open from now on."""
        self._worst = {}
        for incident in incidents:
            if incident.state in LIVE_STATES:
                known = self._worst.get(_place(incident))
                if known is None or _rank(incident) > _rank(known):
                    self._worst[_place(incident)] = incident

    def __call__(self, drafts: Sequence[Draft], now: int) -> Sifted:
        """Hand on what nothing more severe covers."""
        del now
        remaining, held = [], []
        for draft in drafts:
            worst = self._worst.get(_place(draft.incident))
            if worst is not None and _rank(worst) > _rank(draft.incident):
                held.append(Hold(draft, Held.INHIBITED, f"{worst.rule_id} is {worst.severity}"))
            else:
                remaining.append(draft)
        return Sifted(remaining, held)


def _place(incident: Incident) -> tuple[str, ...]:
    return (*incident.series, incident.side)


def _rank(incident: Incident) -> int:
    return SEVERITIES.index(incident.severity)
