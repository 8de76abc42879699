"""`Idempotency-Key`: a write that names itself is done once, however often it is sent.

As in draft-ietf-httpapi-idempotency-key-header: the same key with another request to the same address is 422, one that
is under way is 409, one that is done gets the first answer again.
"""

import hashlib
import re
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sensorcast_api import problems
from sensorcast_api.auth import PRINCIPAL, Principal
from sensorcast_api.ports import Idempotency
from sensorcast_api.problems import FieldError, ProblemError, invalid
from sensorcast_common.clock import Clock
from sensorcast_common.tables.idempotency import KeptAnswer, Stage

HEADER: Final = "Idempotency-Key"
UNREPEATABLE: Final = "X-Sensorcast-Unrepeatable"
"""A route sets it on an answer that must not be stored, such as one that shows a secret; it never leaves the house."""

REPLAYED: Final = "Idempotency-Replayed"

WRITES: Final = frozenset({"POST", "PUT", "PATCH", "DELETE"})
KEY_PATTERN: Final = r"[\x21-\x7e]{1,255}"

_KEY: Final = re.compile(KEY_PATTERN)
_KEPT_HEADERS: Final = ("content-type", "etag", "location", "cache-control")
_FIRST_FAILURE: Final = 500


class Idempotent:
    """Looks at the writes of all routes behind it.

    Args:
        app: What is behind; the gate is before.
        store: Where answers are kept.
        clock: The present.
    """

    def __init__(self, app: ASGIApp, *, store: Idempotency, clock: Clock) -> None:
        self._app = app
        self._store = store
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http" or scope["method"] not in WRITES or PRINCIPAL not in scope:
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        key = headers.get(HEADER)
        try:
            if key is None:
                await self._app(scope, receive, _without_mark(send))
            else:
                await self._once(key, headers, scope, receive, send)
        except ProblemError as error:
            await problems.respond(error.problem, error.headers)(scope, receive, send)

    async def _once(self, key: str, headers: Headers, scope: Scope, receive: Receive, send: Send) -> None:
        if not _KEY.fullmatch(key):
            raise invalid("header", HEADER, "1 to 255 visible ASCII characters")
        body = await _read(receive)
        principal: Principal = scope[PRINCIPAL]
        # A key names one write of one address: what another address is asked is another write.
        name = _digest(principal.tenant, principal.key.key_id, scope["method"], scope["path"], key)
        condition = headers.get("If-Match", "")
        fingerprint = _digest(scope["query_string"].decode("latin-1"), condition, body)
        claim = await self._store.claim(name, fingerprint, now=self._clock())
        if claim.stage is Stage.NEW:
            await self._do(name, scope, _again(body, receive), send)
        elif claim.fingerprint != fingerprint:
            used = "was used for another request"
            wrong = [FieldError(place="header", field=HEADER, message=used)]
            raise ProblemError(422, f"The key {used}.", kind="idempotency-key-reused", errors=wrong)
        elif claim.answer is None:
            raise ProblemError(
                409, "The request is under way.", kind="idempotency-key-in-use", headers={"Retry-After": "1"}
            )
        else:
            await _replay(claim.answer, send)

    async def _do(self, name: str, scope: Scope, receive: Receive, send: Send) -> None:
        start: Message | None = None
        pieces: list[bytes] = []

        async def noting(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start":
                start = message
            elif message["type"] == "http.response.body":
                pieces.append(message.get("body", b""))
                if not message.get("more_body") and start is not None:
                    # Before the client hears of it: whoever has an answer gets the same one again.
                    await self._keep(name, start, b"".join(pieces))
            await send(message)

        try:
            await self._app(scope, receive, noting)
        except BaseException:
            await self._store.release(name)
            raise

    async def _keep(self, name: str, start: Message, body: bytes) -> None:
        headers = MutableHeaders(scope=start)
        repeatable = UNREPEATABLE not in headers
        del headers[UNREPEATABLE]
        if start["status"] >= _FIRST_FAILURE:
            await self._store.release(name)
            return
        kept = {each: headers[each] for each in _KEPT_HEADERS if each in headers}
        await self._store.finish(
            name, KeptAnswer(status=start["status"], headers=kept, body=body if repeatable else None)
        )


async def _replay(answer: KeptAnswer, send: Send) -> None:
    if answer.body is None:
        raise ProblemError(409, "The request was done; its answer was shown once and not kept.", kind="answer-not-kept")
    headers = {**answer.headers, REPLAYED.lower(): "true"}
    if answer.body:
        headers["content-length"] = str(len(answer.body))
    raw = [(key.encode("latin-1"), value.encode("latin-1")) for key, value in headers.items()]
    await send({"type": "http.response.start", "status": answer.status, "headers": raw})
    await send({"type": "http.response.body", "body": answer.body})


def _without_mark(send: Send) -> Send:
    async def unmarked(message: Message) -> None:
        if message["type"] == "http.response.start":
            del MutableHeaders(scope=message)[UNREPEATABLE]
        await send(message)

    return unmarked


async def _read(receive: Receive) -> bytes:
    """The whole body; how long it may be is checked while it arrives."""
    pieces: list[bytes] = []
    while True:
        try:
            message = await receive()
        except HTTPException as error:
            raise ProblemError(error.status_code, str(error.detail)) from error
        if message["type"] != "http.request":
            raise ProblemError(400, "The client went away before its request was complete.")
        pieces.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(pieces)


def _again(body: bytes, receive: Receive) -> Receive:
    unread = True

    async def receive_again() -> Message:
        nonlocal unread
        if unread:
            unread = False
            return {"type": "http.request", "body": body, "more_body": False}
        return await receive()

    return receive_again


def _digest(*parts: str | bytes) -> str:
    """A hash of several parts, no two lists of which look alike."""
    digest = hashlib.sha256()
    for part in parts:
        raw = part.encode() if isinstance(part, str) else part
        digest.update(f"{len(raw)}:".encode())
        digest.update(raw)
    return digest.hexdigest()
