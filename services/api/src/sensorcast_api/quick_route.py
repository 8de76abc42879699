"""A route for what is asked for most: the same answers as any route of FastAPI, with less in between.

FastAPI walks its tree of dependencies for each request, which costs more than many an answer. Here it is laid flat
once. Whatever is unusual in a request, such as a parameter that is wrong, missing, empty or repeated, takes FastAPI's
own way, so that errors are made in one place.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, cast
from urllib.parse import parse_qsl

from fastapi.exceptions import ResponseValidationError
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

_MEDIA_TYPE: Final = "application/json"

Dependency = Callable[[Request], Awaitable[object]]


class QuickRoute(APIRoute):
    """A route that is quick where its endpoint takes parameters of path and query, and what depends on the request.

    Routes that take anything else are FastAPI's, unchanged.

    Attributes:
        thorough: FastAPI's own way.
    """

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:  # noqa: ANN401 - FastAPI's
        super().__init__(path, endpoint, **options)
        self.thorough: ASGIApp = self.app
        dependencies = self._flat()
        if dependencies is not None:
            self._dependencies = dependencies
            self.app = self._answer

    def _flat(self) -> list[tuple[str, Dependency]] | None:
        """What the endpoint needs besides parameters, by name; `None` where that is more than a quick route gives."""
        of = self.dependant
        if self.body_field or self.status_code or of.header_params or of.cookie_params:
            return None
        if of.request_param_name or of.response_param_name or of.background_tasks_param_name:
            return None
        flat: list[tuple[str, Dependency]] = []
        for each in of.dependencies:
            alone = each.request_param_name and not (each.dependencies or each.query_params or each.path_params)
            if each.name is None or each.call is None or not alone:
                return None
            flat.append((each.name, cast("Dependency", each.call)))
        return flat

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        values = self._read(scope)
        if values is None:
            await self.thorough(scope, receive, send)
            return
        request = Request(scope)
        for name, dependency in self._dependencies:
            values[name] = await dependency(request)
        result = await self.endpoint(**values)
        response = result if isinstance(result, Response) else Response(self._written(result), media_type=_MEDIA_TYPE)
        await response(scope, receive, send)

    def _read(self, scope: Scope) -> dict[str, object] | None:
        """The parameters by name, or `None` where FastAPI must have a look."""
        query = _query(scope["query_string"])
        if query is None:
            return None
        values: dict[str, object] = {}
        for fields, sent in ((self.dependant.path_params, scope["path_params"]), (self.dependant.query_params, query)):
            for field in fields:
                if field.alias in sent:
                    values[field.name], errors = field.validate(sent[field.alias])
                    if errors:
                        return None
                elif field.field_info.is_required():
                    return None
                else:
                    values[field.name] = field.get_default()
        return values

    def _written(self, result: object) -> bytes:
        """What the endpoint returned as the JSON that the document promises."""
        field = self.response_field
        if field is None:
            raise TypeError(f"{self.path}: says nothing of what it returns")
        value, errors = field.validate(result, {}, loc=("response",))
        if errors:
            raise ResponseValidationError(errors=errors, body=result)
        return field.serialize_json(value)


def _query(raw: bytes) -> Mapping[str, str] | None:
    """A query by name; `None` where a name comes twice or a value is empty."""
    if not raw:
        return {}
    pairs = parse_qsl(raw.decode("latin-1"), keep_blank_values=True)
    query = dict(pairs)
    return None if len(query) < len(pairs) or not all(query.values()) else query
