"""Incidents: what broke a rule or is about to, who sees to it, and everything that happened to it."""

import uuid
from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, StringConstraints

from sensorcast_api import examples
from sensorcast_api.auth import Operator, Viewer
from sensorcast_api.paging import Cursor, Page, PageLimit, decode, encode, refusing_cursor
from sensorcast_api.problems import ProblemError, not_found
from sensorcast_api.quick_route import QuickRoute
from sensorcast_api.services import Services, Wired
from sensorcast_api.stream.frames import frame
from sensorcast_api.stream.hub import Kind, LiveEvent
from sensorcast_api.stream.incident_event import IncidentEvent
from sensorcast_common.incident import Incident, IncidentEntry, IncidentState
from sensorcast_common.notice import Occasion
from sensorcast_common.tables.incident_journal import NotLive

router = APIRouter(prefix="/v1/incidents", tags=["incidents"], route_class=QuickRoute)

Note = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1000)]
IncidentId = Annotated[uuid.UUID, Path(examples=[examples.INCIDENT.incident_id])]


class Acknowledgement(BaseModel):
    """Who sees to an incident says so, with or without a note."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"note": "Driver is on the way"}]})

    note: Note | None = None


class Comment(BaseModel):
    """A comment."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"note": "Door seal was torn"}]})

    note: Note


@router.get("", responses={200: examples.page(examples.INCIDENT), **examples.problems()})
async def list_incidents(
    caller: Viewer,
    wired: Wired,
    state: Annotated[list[IncidentState], Query(description="Only those in one of these states.")] = [],  # noqa: B006 - FastAPI copies it
    limit: PageLimit = 50,
    cursor: Cursor = None,
) -> Page[Incident]:
    """Incidents, newest first; those that are pending, of which nobody was told, only where they are asked for."""
    states = sorted(set(state))
    listing = f"incidents:{','.join(states) or 'all'}"
    position = decode(listing, cursor)
    with refusing_cursor(position):
        found, after = await wired.stores.incidents.list(caller.tenant, states=states, limit=limit, cursor=position)
    return Page(items=found, next_cursor=encode(listing, after) if after else None)


@router.get("/{incident_id}", responses={200: examples.shown(examples.INCIDENT), **examples.problems(404)})
async def get_incident(caller: Viewer, wired: Wired, incident_id: IncidentId) -> Incident:
    """One incident."""
    found = await wired.stores.incidents.get(caller.tenant, str(incident_id))
    if found is None:
        raise not_found("incident")
    return found


@router.get("/{incident_id}/history", responses={200: examples.page(examples.ENTRY), **examples.problems(404)})
async def get_history(caller: Viewer, wired: Wired, incident_id: IncidentId) -> Page[IncidentEntry]:
    """Every transition and comment, oldest first, on one page."""
    try:
        return Page(items=await wired.stores.journal.history(caller.tenant, str(incident_id)))
    except KeyError as error:
        raise not_found("incident") from error


@router.post(
    "/{incident_id}/acknowledge",
    responses={200: examples.shown(examples.ACKNOWLEDGED), **examples.problems(403, 404, 409)},
)
async def acknowledge(
    caller: Operator, wired: Wired, incident_id: IncidentId, body: Acknowledgement | None = None
) -> Incident:
    """Say that you see to an open incident. Of several who do, the first one stands."""
    note = body.note if body else None
    try:
        incident = await wired.stores.journal.acknowledge(
            caller.tenant, str(incident_id), by=caller.name, note=note, now=wired.clock()
        )
    except KeyError as error:
        raise not_found("incident") from error
    except NotLive as error:
        raise ProblemError(
            409, f"The incident is {error.state}; only one that is open can be acknowledged.", kind="not-open"
        ) from error
    _tell(wired, incident)
    return incident


@router.post(
    "/{incident_id}/comments",
    status_code=201,
    responses={
        201: {"description": "Created", "model": IncidentEntry, **examples.shown(examples.ENTRY)},
        **examples.problems(403, 404),
    },
)
async def comment(caller: Operator, wired: Wired, incident_id: IncidentId, body: Comment) -> IncidentEntry:
    """Comment on an incident, also on one that is over."""
    try:
        return await wired.stores.journal.comment(
            caller.tenant, str(incident_id), by=caller.name, note=body.note, now=wired.clock()
        )
    except KeyError as error:
        raise not_found("incident") from error


def _tell(wired: Services, incident: Incident) -> None:
    """Show the acknowledgement at once to who watches here; the alerter tells everybody else at its next sweep."""
    now = wired.clock()
    event = IncidentEvent(**dict(incident), event=Occasion.ACKNOWLEDGED)
    wired.hub.publish(
        LiveEvent(Kind.INCIDENT, incident.tenant, incident.device, now, frame(Kind.INCIDENT, event, at=now))
    )
