"""What is created, and replaced only by who has seen it: the parts that such routes share."""

from typing import Annotated, Final, Protocol, TypeVar

from fastapi import Header, Path, Response
from pydantic import BaseModel, ValidationError
from pydantic.config import JsonDict

from sensorcast_api.conditions import IF_MATCH_PATTERN, etag
from sensorcast_api.problems import ProblemError, invalid, not_found

ETAG_HEADER: Final = {"ETag": "The version, to be sent as If-Match when it is replaced."}

Id = Annotated[str, Path(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$", examples=["north"])]
IfMatch = Annotated[
    str | None,
    Header(
        description='The ETag of what is replaced, e.g. `"3"`; leave out to create.',
        json_schema_extra={"pattern": IF_MATCH_PATTERN},
    ),
]


class HasVersion(Protocol):
    """Anything that counts its changes."""

    @property
    def version(self) -> int:
        """From 1."""
        ...


VersionedT = TypeVar("VersionedT", bound=HasVersion)


def found(what: str, thing: VersionedT | None, response: Response) -> VersionedT:
    """What is there, with its version as ETag.

    Raises:
        ProblemError: 404 where there is none.
    """
    if thing is None:
        raise not_found(what)
    response.headers["ETag"] = etag(thing.version)
    return thing


def written(thing: VersionedT, response: Response) -> VersionedT:
    """What has been stored, with its version as ETag: 201 where it is new, 200 where it took another's place."""
    response.status_code = 201 if thing.version == 1 else 200
    response.headers["ETag"] = etag(thing.version)
    return thing


def taken(what: str, stored: HasVersion | None, expected: int) -> ProblemError:
    """What is answered where the store holds another version than expected."""
    if expected == 0 and stored is not None:
        return ProblemError(
            428, f"The {what} exists: send its ETag as If-Match to replace it.", headers={"ETag": etag(stored.version)}
        )
    detail = f"The {what} is at version {stored.version}." if stored else f"The {what} is gone."
    return ProblemError(412, detail, kind="version-conflict")


def invalid_body(error: ValidationError) -> ProblemError:
    """What is answered where a thing is wrong as a whole."""
    problem = error.errors(include_url=False, include_input=False)[0]
    field = ".".join(str(part) for part in problem["loc"]) or "body"
    return invalid("body", field, problem["msg"].removeprefix("Value error, "))


def content_of(thing: BaseModel, *besides: str) -> JsonDict:
    """A thing as it would be sent: without what the credential, the path and the store say."""
    content: JsonDict = thing.model_dump(mode="json", exclude={"tenant", "version", *besides}, exclude_none=True)
    return content
