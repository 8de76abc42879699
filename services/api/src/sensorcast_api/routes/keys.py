"""API keys of the tenant: who may call the API, in which role, for what, until when."""

from typing import Annotated, Final

from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from sensorcast_api import examples
from sensorcast_api.auth import Admin
from sensorcast_api.idempotency import UNREPEATABLE
from sensorcast_api.paging import Cursor, Page, PageLimit, decode, encode, refusing_cursor
from sensorcast_api.problems import invalid, not_found
from sensorcast_api.services import Wired
from sensorcast_common.clock import UtcDatetime
from sensorcast_common.tables.api_keys import ApiKey, Role

router = APIRouter(prefix="/v1/keys", tags=["keys"])

LONGEST_DAYS: Final = 366
"""A key that a person made through the API is looked at again once a year."""

_DAY_MS: Final = 86_400_000
KeyId = Annotated[str, Path(pattern=r"^[0-9a-f]{16}$", examples=[examples.KEY_ID])]


class KeyState(BaseModel):
    """What is known of a key, which is everything but the key.

    Attributes:
        key_id: Names it in lists and logs; opens nothing.
        role: What it may do.
        name: What people call it.
        scopes: The resources it opens, by the names of the API's sections; all of them where empty.
        created_at: When it was made.
        expires_at: From when on it opens nothing.
        revoked_at: Since when it opens nothing, by decision; null where nobody revoked it.
    """

    key_id: str
    role: Role
    name: str
    scopes: list[str]
    created_at: UtcDatetime
    expires_at: UtcDatetime
    revoked_at: UtcDatetime | None = None


class NewKey(KeyState):
    """A key that was just made.

    Attributes:
        key: The key itself. It is shown this once and stored nowhere.
    """

    key: str


class KeyBody(BaseModel):
    """A key to be made.

    Attributes:
        name: What people call it.
        role: What it may do; not more than the caller may.
        scopes: The resources it opens, by the names of the API's sections; all of them where empty.
        expires_in_days: How long it is valid.
    """

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"name": "dispatch room", "role": "viewer", "scopes": ["fleet", "readings"], "expires_in_days": 90}
            ]
        },
    )

    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80)]
    role: Role = Role.VIEWER
    scopes: Annotated[list[Annotated[str, StringConstraints(max_length=32)]], Field(max_length=32)] = []
    expires_in_days: Annotated[int, Field(strict=True, ge=1, le=LONGEST_DAYS)] = 90


_STATE: Final = KeyState(
    key_id=examples.KEY_ID,
    role=Role.VIEWER,
    name="dispatch room",
    scopes=["fleet", "readings"],
    created_at=examples.DEVICE.first_seen,
    expires_at=examples.DEVICE.last_seen,
    revoked_at=None,
)
_NEW: Final = NewKey(**_STATE.model_dump(), key="sc_" + "A" * 43)


def shown(key: ApiKey) -> KeyState:
    """What a list shows of a key."""
    return KeyState(**key.model_dump(exclude={"tenant", "scopes"}), scopes=sorted(key.scopes))


@router.get("", responses={200: examples.page(_STATE), **examples.problems(403)})
async def list_keys(caller: Admin, wired: Wired, limit: PageLimit = 50, cursor: Cursor = None) -> Page[KeyState]:
    """The tenant's keys, oldest first, also those that open nothing any more."""
    position = decode("keys", cursor)
    with refusing_cursor(position):
        found, after = await wired.stores.api_keys.page(caller.tenant, limit=limit, cursor=position)
    return Page(items=[shown(key) for key in found], next_cursor=encode("keys", after) if after else None)


@router.post("", status_code=201, responses={201: examples.shown(_NEW), **examples.problems(403)})
async def create_key(caller: Admin, wired: Wired, body: KeyBody, request: Request, response: Response) -> NewKey:
    """Make a key. The answer is the only one that ever shows it."""
    known: frozenset[str] = request.app.state.resources
    unknown = sorted(set(body.scopes) - known)
    if unknown:
        raise invalid("body", "scopes", f"{unknown[0]!r} is none of {', '.join(sorted(known))}")
    if caller.key.scopes and not set(body.scopes or known) <= caller.key.scopes:
        raise invalid("body", "scopes", "not more than the caller's own")
    now = wired.clock()
    key, made = await wired.stores.api_keys.create(
        tenant=caller.tenant,
        role=body.role,
        name=body.name,
        scopes=body.scopes,
        expires_at=now + body.expires_in_days * _DAY_MS,
        now=now,
    )
    response.headers["Cache-Control"] = "no-store"
    response.headers[UNREPEATABLE] = "true"
    return NewKey(**shown(made).model_dump(), key=key)


@router.delete("/{key_id}", status_code=204, responses=examples.problems(403, 404))
async def revoke_key(caller: Admin, wired: Wired, key_id: KeyId) -> None:
    """Make a key open nothing. Other processes of the API notice within half a minute."""
    if await wired.stores.api_keys.revoke(key_id, now=wired.clock(), tenant=caller.tenant) is None:
        raise not_found("key")
    wired.credentials.keys.forget(key_id)
