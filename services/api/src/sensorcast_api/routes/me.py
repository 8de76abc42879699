"""Who the caller is: what a page needs to know to offer only what the key may do."""

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from sensorcast_api import examples
from sensorcast_api.auth import Viewer
from sensorcast_common.clock import UtcDatetime
from sensorcast_common.tables.api_keys import Role

router = APIRouter(prefix="/v1/me", tags=["me"])


class Me(BaseModel):
    """The credential of this request.

    Attributes:
        tenant: The only tenant it opens.
        role: What it may do there.
        key_id: Names the key in logs and lists; opens nothing.
        name: What people call the key.
        expires_at: From when on it opens nothing.
        scopes: The resources it opens, by the names of the API's sections.
    """

    tenant: str
    role: Role
    key_id: str
    name: str
    expires_at: UtcDatetime
    scopes: list[str]


_EXAMPLE = Me(
    tenant="demo",
    role=Role.OPERATOR,
    key_id="0123456789abcdef",
    name="dispatch room",
    expires_at=examples.DEVICE.last_seen,
    scopes=["fleet", "me", "readings"],
)


@router.get("", responses={200: examples.shown(_EXAMPLE), **examples.problems()})
async def get_me(caller: Viewer, request: Request, response: Response) -> Me:
    """Tenant, role, scopes and expiry of the key."""
    # It says who asks, which is not the same for all who may ask.
    response.headers["Cache-Control"] = "no-store"
    key = caller.key
    return Me(
        tenant=key.tenant,
        role=key.role,
        key_id=key.key_id,
        name=key.name,
        expires_at=key.expires_at,
        scopes=sorted(key.scopes or request.app.state.resources),
    )
