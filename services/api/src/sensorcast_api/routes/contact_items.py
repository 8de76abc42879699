"""What the routes of recipients, escalations and silences do alike with one of theirs."""

from fastapi import Response

from sensorcast_api.conditions import etag
from sensorcast_api.ports import Kept
from sensorcast_api.problems import not_found
from sensorcast_api.routes.versions import taken
from sensorcast_common.tables.contact_items import ContactConflict, ModelT


async def found(what: str, store: Kept[ModelT], tenant: str, identity: str, response: Response) -> ModelT:
    """One of them, with its version as ETag.

    Raises:
        ProblemError: 404 where the tenant has none of that name.
    """
    thing = await store.get(tenant, identity)
    if thing is None:
        raise not_found(what)
    response.headers["ETag"] = etag(thing.version)
    return thing


async def put(what: str, store: Kept[ModelT], thing: ModelT, identity: str, response: Response) -> ModelT:
    """Store it as the version that it names: 201 where it is new, 200 where it takes another's place.

    Raises:
        ProblemError: 428 where there is one and it was to be created, 412 where another version is in force.
    """
    expected = thing.version - 1
    try:
        await store.put(thing)
    except ContactConflict as error:
        raise taken(what, await store.get(thing.tenant, identity), expected) from error
    response.status_code = 200 if expected else 201
    response.headers["ETag"] = etag(thing.version)
    return thing


async def remove(what: str, store: Kept[ModelT], tenant: str, identity: str) -> None:
    """Remove it.

    Raises:
        ProblemError: 404 where the tenant has none of that name.
    """
    if not await store.delete(tenant, identity):
        raise not_found(what)
