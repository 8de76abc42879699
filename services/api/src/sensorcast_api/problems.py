"""Every error as application/problem+json (RFC 9457), with a correlation id and without internals."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Final, Literal

import structlog
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.routing import iter_route_contexts
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sensorcast_common.invalid import plain_location

MEDIA_TYPE: Final = "application/problem+json"
_URN: Final = "urn:sensorcast:problem:"

Place = Literal["path", "query", "header", "body"]


class FieldError(BaseModel):
    """What is wrong with one field.

    Attributes:
        place: Where the field was sent.
        field: Its name; parts of a nested field are joined by dots.
        message: What was expected.
    """

    place: Place
    field: str
    message: str


class Problem(BaseModel):
    """A problem detail (RFC 9457).

    Attributes:
        type: A URN for problems that mean more than their status, else `about:blank`.
        title: The kind of problem, the same for each occurrence.
        status: The HTTP status.
        detail: What is wrong here.
        correlation_id: Finds this request in the logs; also sent as `X-Request-Id`.
        errors: The fields that are wrong.
    """

    type: str = "about:blank"
    title: str
    status: int = Field(ge=400, le=599)
    detail: str | None = None
    correlation_id: str | None = None
    errors: list[FieldError] | None = None


class ProblemError(Exception):
    """Raised by a handler to answer with a problem.

    Args:
        status: HTTP status.
        detail: What is wrong here, for the client's developer; no internals.
        kind: Last part of the problem's URN; `None` where the status says it all.
        title: The kind of problem in words; the status phrase by default.
        errors: The fields that are wrong.
        headers: Headers of the answer.
    """

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        kind: str | None = None,
        title: str | None = None,
        errors: Sequence[FieldError] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.problem = Problem(
            type=_URN + kind if kind else "about:blank",
            title=title or HTTPStatus(status).phrase,
            status=status,
            detail=detail,
            errors=list(errors) or None,
        )
        self.headers = headers


def invalid(place: Place, field: str, message: str) -> ProblemError:
    """The problem of one wrong field."""
    return _invalid([FieldError(place=place, field=field, message=message)])


def not_found(what: str) -> ProblemError:
    """The problem of a thing that is not there for this tenant, whether or not another tenant has it."""
    return ProblemError(404, f"There is no such {what}.")


def respond(problem: Problem, headers: Mapping[str, str] | None = None) -> Response:
    """The answer that carries a problem."""
    correlation_id = structlog.contextvars.get_contextvars().get("correlation_id")
    body = problem.model_copy(update={"correlation_id": correlation_id})
    return Response(
        body.model_dump_json(exclude_none=True),
        status_code=problem.status,
        media_type=MEDIA_TYPE,
        headers=dict(headers or {}),
    )


def internal_error() -> Response:
    """The answer to a failure of ours: the correlation id and nothing else."""
    return respond(Problem(title="Internal Server Error", status=500, detail="The failure is in the service's log."))


def install(app: FastAPI) -> None:
    """Answer every error of `app` with a problem."""

    async def on_problem(request: Request, error: Exception) -> Response:
        del request
        if not isinstance(error, ProblemError):
            raise error
        return respond(error.problem, error.headers)

    async def on_http(request: Request, error: Exception) -> Response:
        if not isinstance(error, HTTPException):
            raise error
        if error.status_code == 400:
            # FastAPI's word for bytes that are no text.
            return respond(invalid("body", "body", "not JSON").problem)
        detail = f"{request.method} {request.url.path}" if error.status_code in (404, 405) else str(error.detail)
        title = HTTPStatus(error.status_code).phrase
        headers = dict(error.headers or {})
        if error.status_code == 405:
            headers["Allow"] = ", ".join(_methods(app, request.url.path))
        return respond(Problem(title=title, status=error.status_code, detail=detail), headers)

    async def on_validation(request: Request, error: Exception) -> Response:
        del request
        if not isinstance(error, RequestValidationError):
            raise error
        return respond(_invalid([_field_error(each) for each in error.errors()]).problem)

    app.add_exception_handler(ProblemError, on_problem)
    app.add_exception_handler(HTTPException, on_http)
    app.add_exception_handler(RequestValidationError, on_validation)


def _methods(app: FastAPI, path: str) -> list[str]:
    """The methods of all routes at an address; the framework tells those of the first only.

    An address that routes name as it stands is theirs alone, as in the OpenAPI document, where templates match it too.
    """
    routes = [context.original_route for context in iter_route_contexts(app.routes)]
    matching = [route for route in routes if isinstance(route, Route) and route.path_regex.match(path)]
    named = [route for route in matching if route.path == path]
    return sorted({method for route in named or matching for method in route.methods or ()})


def _invalid(errors: list[FieldError]) -> ProblemError:
    detail = "; ".join(f"{error.field}: {error.message}" for error in errors[:5])
    return ProblemError(422, detail, kind="invalid-request", title="The request is not valid", errors=errors)


def _field_error(error: Mapping[str, object]) -> FieldError:
    loc = error.get("loc")
    parts = plain_location(loc) if isinstance(loc, tuple) else []
    place: Place = "body"
    for known in ("path", "query", "header"):
        if parts[:1] == [known]:
            place = known
    message = str(error.get("msg", "not valid")).removeprefix("Value error, ")
    if error.get("type") == "json_invalid":
        return FieldError(place="body", field="body", message="not JSON")
    return FieldError(place=place, field=".".join(parts[1:]) or place, message=message)
