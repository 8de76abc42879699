"""Incidents: what broke a rule or is about to."""

import uuid
from typing import Annotated

from fastapi import APIRouter, Path, Query

from sensorcast_api import examples
from sensorcast_api.auth import Viewer
from sensorcast_api.paging import Cursor, Page, PageLimit, decode, encode, refusing_cursor
from sensorcast_api.problems import not_found
from sensorcast_api.services import Wired
from sensorcast_common.incident import Incident, IncidentState

router = APIRouter(prefix="/v1/incidents", tags=["incidents"])


@router.get("", responses={200: examples.page(examples.INCIDENT), **examples.problems()})
async def list_incidents(
    caller: Viewer,
    wired: Wired,
    state: Annotated[IncidentState | None, Query(description="Only those in this state.")] = None,
    limit: PageLimit = 50,
    cursor: Cursor = None,
) -> Page[Incident]:
    """Incidents, newest first."""
    listing = f"incidents:{state.value if state else 'all'}"
    position = decode(listing, cursor)
    with refusing_cursor(position):
        found, after = await wired.stores.incidents.list(caller.tenant, state=state, limit=limit, cursor=position)
    return Page(items=found, next_cursor=encode(listing, after) if after else None)


@router.get("/{incident_id}", responses={200: examples.shown(examples.INCIDENT), **examples.problems(404)})
async def get_incident(
    caller: Viewer,
    wired: Wired,
    incident_id: Annotated[uuid.UUID, Path(examples=[examples.INCIDENT.incident_id])],
) -> Incident:
    """One incident."""
    found = await wired.stores.incidents.get(caller.tenant, str(incident_id))
    if found is None:
        raise not_found("incident")
    return found
