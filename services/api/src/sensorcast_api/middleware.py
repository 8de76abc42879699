"""What surrounds every request: correlation id, security headers, a log line, metrics, the answer to a crash."""

import functools
import logging
import re
import time
from typing import Final

import structlog
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sensorcast_api.metrics import ApiMetrics
from sensorcast_api.problems import internal_error
from sensorcast_common.identity import new_id
from sensorcast_common.logs import logger

log = logger(__name__)

MAX_BODY_BYTES: Final = 64 * 1024
"""More than any body of this API needs."""

_DEBUGGING: Final = functools.partial(logging.getLogger(__name__).isEnabledFor, logging.DEBUG)
_FIRST_ERROR: Final = 400
_SLOW_SECONDS: Final = 1.0

_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9_.:-]{8,64}")

API_CSP: Final = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
"""Nothing of an API's answer is to be executed or framed; pages set a policy of their own."""

_SECURITY_HEADERS: Final = [
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
    (b"content-security-policy", API_CSP.encode()),
    # Measurements belong in no shared cache.
    (b"cache-control", b"no-store"),
]


class RequestScope:
    """The outermost layer, as plain ASGI so that streams pass through unbuffered."""

    def __init__(self, app: ASGIApp, *, metrics: ApiMetrics) -> None:
        self._app = app
        # A label's counter is found by a lock and a walk; there are few, and they stay.
        self._requests = functools.cache(metrics.requests.labels)
        self._seconds = functools.cache(metrics.seconds.labels)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        sent = dict(scope["headers"]).get(b"x-request-id", b"").decode("latin-1")
        correlation_id = sent if _REQUEST_ID.fullmatch(sent) else new_id()
        began = time.perf_counter()
        status = 0

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                raw = message.setdefault("headers", [])
                present = {name.lower() for name, _ in raw}
                raw.append((b"x-request-id", correlation_id.encode()))
                raw += [header for header in _SECURITY_HEADERS if header[0] not in present]
                self._observe(scope, status, time.perf_counter() - began)
            await send(message)

        # Nothing is unbound: the server runs each request in a context of its own.
        structlog.contextvars.bind_contextvars(correlation_id=correlation_id)
        try:
            await self._app(scope, _bounded(receive), send_with_headers)
        except Exception:
            log.exception("request failed", method=scope["method"], route=_route(scope))
            if status:
                raise
            await internal_error()(scope, receive, send_with_headers)

    def _observe(self, scope: Scope, status: int, seconds: float) -> None:
        route = _route(scope)
        self._requests(_method(scope), route, str(status)).inc()
        self._seconds(route).observe(seconds)
        # Reads that went well are in the metrics; a line for each costs as much as the answer.
        worth_a_line = status >= _FIRST_ERROR or scope["method"] not in ("GET", "HEAD") or seconds >= _SLOW_SECONDS
        if worth_a_line or _DEBUGGING():
            write = log.info if worth_a_line else log.debug
            write("request", method=_method(scope), route=route, status=status, ms=round(seconds * 1000, 1))


def _bounded(receive: Receive) -> Receive:
    """Refuse a body that is too large while it arrives, whatever length it claims."""
    size = 0

    async def receive_bounded() -> Message:
        nonlocal size
        message = await receive()
        size += len(message.get("body", b""))
        if size > MAX_BODY_BYTES:
            raise HTTPException(413, f"The body is larger than {MAX_BODY_BYTES} bytes.")
        return message

    return receive_bounded


def _route(scope: Scope) -> str:
    """The route's template, so that names do not become label values."""
    path = getattr(scope.get("route"), "path", None)
    return path if isinstance(path, str) else "unmatched"


def _method(scope: Scope) -> str:
    method = str(scope["method"])
    return method if method in ("GET", "HEAD", "OPTIONS", "PUT", "POST", "PATCH", "DELETE") else "other"
