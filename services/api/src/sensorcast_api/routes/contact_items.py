"""What the routes of recipients, escalations and silences do alike with one of theirs."""

from fastapi import Response

from sensorcast_api.ports import Kept
from sensorcast_api.problems import not_found
from sensorcast_api.routes import versions
from sensorcast_common.tables.contact_items import ContactConflict, ModelT


async def found(what: str, store: Kept[ModelT], tenant: str, identity: str, response: Response) -> ModelT:
    """One of them, with its version as ETag.

    Raises:
        ProblemError: 404 where the tenant has none of that name.
    """
    return versions.found(what, await store.get(tenant, identity), response)


async def put(what: str, store: Kept[ModelT], thing: ModelT, identity: str, response: Response) -> ModelT:
    """Store it as the version that it names: 201 where it is new, 200 where it takes another's place.

    Raises:
        ProblemError: 428 where there is one and it was to be created, 412 where another version is in force.
    """
    try:
        await store.put(thing)
    except ContactConflict as error:
        raise versions.taken(what, await store.get(thing.tenant, identity), thing.version - 1) from error
    return versions.written(thing, response)


async def remove(what: str, store: Kept[ModelT], tenant: str, identity: str) -> None:
    """Remove it.

    Raises:
        ProblemError: 404 where the tenant has none of that name.
    """
    if not await store.delete(tenant, identity):
        raise not_found(what)
