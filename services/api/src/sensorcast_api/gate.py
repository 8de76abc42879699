"""Before every route under /v1: who is calling, and not too often."""

import math
from collections.abc import Mapping
from typing import Final, Protocol

import structlog
from starlette.types import ASGIApp, Receive, Scope, Send

from sensorcast_api import problems
from sensorcast_api.auth import PRINCIPAL, REALM, Principal
from sensorcast_api.credential import Credential
from sensorcast_api.metrics import ApiMetrics
from sensorcast_api.problems import ProblemError
from sensorcast_api.rates import Rates

GUARDED: Final = "/v1/"


class Credentials(Protocol):
    """Knows which credentials are good."""

    async def check(self, secret: str) -> Credential | None:
        """The credential, or `None` where it opens nothing; may raise `ProblemError` where that cannot be told now."""
        ...


class Gate:
    """Lets nobody pass to /v1 without a credential; leaves the caller in the scope.

    As a layer around all routes it holds for those that are added later, too.

    Args:
        app: What is behind.
        credentials: Knows which credentials are good.
        rates: Counts the requests of each.
        metrics: Counts the refused.
    """

    def __init__(self, app: ASGIApp, *, credentials: Credentials, rates: Rates, metrics: ApiMetrics) -> None:
        self._app = app
        self._credentials = credentials
        self._rates = rates
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http" or not scope["path"].startswith(GUARDED):
            await self._app(scope, receive, send)
            return
        try:
            credential = await self._identified(dict(scope["headers"]))
            self._counted(credential)
        except ProblemError as error:
            await problems.respond(error.problem, error.headers)(scope, receive, send)
            return
        scope[PRINCIPAL] = Principal(credential)
        structlog.contextvars.bind_contextvars(tenant=credential.tenant, key_id=credential.key_id)
        await self._app(scope, receive, send)

    async def _identified(self, headers: Mapping[bytes, bytes]) -> Credential:
        secret = _secret(headers)
        if secret is None:
            raise ProblemError(
                401,
                "Send an API key or a token as `Authorization: Bearer ...`, or an API key as `X-API-Key`.",
                headers={"WWW-Authenticate": REALM},
            )
        found = await self._credentials.check(secret)
        if found is None:
            # The same words for malformed, unknown, revoked and expired: whoever tries keys learns nothing.
            raise ProblemError(
                401,
                "The API key or token is not valid.",
                headers={"WWW-Authenticate": f'{REALM}, error="invalid_token"'},
            )
        return found

    def _counted(self, credential: Credential) -> None:
        wait = self._rates.take(credential.key_id)
        if wait:
            self._metrics.limited.inc()
            seconds = max(1, math.ceil(wait))
            raise ProblemError(429, f"Too many requests: wait {seconds} s.", headers={"Retry-After": str(seconds)})


def _secret(headers: Mapping[bytes, bytes]) -> str | None:
    """What the caller shows; the standard header first."""
    scheme, _, value = headers.get(b"authorization", b"").partition(b" ")
    if scheme.lower() == b"bearer" and value.strip():
        return value.strip().decode("latin-1")
    key = headers.get(b"x-api-key")
    return None if key is None else key.decode("latin-1")
