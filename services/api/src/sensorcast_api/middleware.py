"""What surrounds every request: correlation id, security headers, a log line, metrics, the answer to a crash."""

import re
import time
from typing import Final

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sensorcast_api.metrics import ApiMetrics
from sensorcast_api.problems import internal_error
from sensorcast_common.identity import new_id
from sensorcast_common.logs import logger

log = logger(__name__)

MAX_BODY_BYTES: Final = 64 * 1024
"""More than any body of this API needs."""

_FIRST_ERROR: Final = 400
_SLOW_SECONDS: Final = 1.0

_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9_.:-]{8,64}")

API_CSP: Final = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
"""Nothing of an API's answer is to be executed or framed; pages set a policy of their own."""

_SECURITY_HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Content-Security-Policy": API_CSP,
    # Measurements belong in no shared cache.
    "Cache-Control": "no-store",
}


class RequestScope:
    """The outermost layer, as plain ASGI so that streams pass through unbuffered."""

    def __init__(self, app: ASGIApp, *, metrics: ApiMetrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        sent = Headers(scope=scope).get("x-request-id", "")
        correlation_id = sent if _REQUEST_ID.fullmatch(sent) else new_id()
        began = time.perf_counter()
        status = 0

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["X-Request-Id"] = correlation_id
                for name, value in _SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
                self._observe(scope, status, time.perf_counter() - began)
            await send(message)

        with structlog.contextvars.bound_contextvars(correlation_id=correlation_id):
            try:
                await self._app(scope, _bounded(receive), send_with_headers)
            except Exception:
                log.exception("request failed", method=scope["method"], route=_route(scope))
                if status:
                    raise
                await internal_error()(scope, receive, send_with_headers)

    def _observe(self, scope: Scope, status: int, seconds: float) -> None:
        route = _route(scope)
        self._metrics.requests.labels(_method(scope), route, str(status)).inc()
        self._metrics.seconds.labels(route).observe(seconds)
        # Reads that went well are in the metrics; a line for each costs as much as the answer.
        worth_a_line = status >= _FIRST_ERROR or scope["method"] not in ("GET", "HEAD") or seconds >= _SLOW_SECONDS
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
