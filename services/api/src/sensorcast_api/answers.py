"""What every answer to a read goes through: an ETag, 304 where it is known, a table where asked for, packing."""

import hashlib
import json
from collections.abc import Hashable
from typing import Final
from urllib.parse import parse_qsl, urlencode

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sensorcast_api import encoding, table
from sensorcast_api.auth import PRINCIPAL
from sensorcast_api.gate import GUARDED
from sensorcast_api.kept import AnswerCache, KeptAnswer
from sensorcast_api.stream.hub import Hub

_READS: Final = ("GET", "HEAD")
_ETAG_DIGITS: Final = 24
_VARY: Final = "Authorization, X-API-Key, Accept, Accept-Encoding"
_REVALIDATE: Final = "private, no-cache"
"""A browser may keep an answer for its own user, and asks each time whether it is still good."""


class Answers:
    """Finishes the answers of all routes behind it; event streams pass through untouched.

    Args:
        app: What is behind; the gate is before.
        cache: Keeps answers for a moment.
        hub: Tells how often incidents of a tenant have changed, after which nothing that was kept is good.
    """

    def __init__(self, app: ASGIApp, *, cache: AnswerCache, hub: Hub) -> None:
        self._app = app
        self._cache = cache
        self._hub = hub

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        key = self._key(scope)
        if key is not None and (kept := self._cache.find(key)) is not None:
            await _repeat(kept, scope, send)
            return
        try:
            await self._app(scope, receive, _Answer(scope, send, self._cache, key).take)
        finally:
            if scope["method"] not in _READS and PRINCIPAL in scope:
                self._cache.written(scope[PRINCIPAL].tenant)

    def _key(self, scope: Scope) -> Hashable | None:
        """Everything that decides an answer to a read; `None` where it is not to be kept."""
        if not self._cache.keeps or scope["method"] != "GET" or PRINCIPAL not in scope:
            return None
        credential = scope[PRINCIPAL].key
        sent = dict(scope["headers"])
        return (
            credential.tenant,
            credential.role,
            credential.scopes,
            self._cache.generation(credential.tenant),
            self._hub.incident_changes[credential.tenant],
            scope["path"],
            scope["query_string"],
            sent.get(b"accept"),
            sent.get(b"accept-encoding"),
        )


class _Answer:
    """One answer on its way out."""

    def __init__(self, scope: Scope, send: Send, cache: AnswerCache, key: Hashable | None) -> None:
        self._scope = scope
        self._cache = cache
        self._key = key
        self._request = Headers(scope=scope)
        self._send = send
        self._start: Message | None = None
        self._packer: encoding.Packer | None = None
        self._streaming = False

    async def take(self, message: Message) -> None:
        """Take what the route sends: its start is held until the first piece of the body is here."""
        if message["type"] == "http.response.start":
            self._start = message
        elif message["type"] != "http.response.body" or self._streaming:
            await self._continue(message)
        elif self._start is None:
            await self._send(message)
        elif message.get("more_body"):
            await self._begin_stream(self._start, message)
        else:
            await self._whole(self._start, message.get("body", b""))

    async def _whole(self, start: Message, body: bytes) -> None:
        headers = MutableHeaders(scope=start)
        etag = None
        if self._scope["path"].startswith(GUARDED):
            headers["Vary"] = _VARY
            if start["status"] == 200 and self._scope["method"] in _READS:
                body = self._tabulate(headers, body)
                etag = self._validate(headers, body)
                if matches(self._request.get("if-none-match", ""), etag):
                    await _unchanged(start, self._send)
                    return
        coding = self._coding(headers, len(body))
        if coding is not None:
            body = encoding.pack(coding, body)
            _mark(headers, coding)
        if "content-length" in headers and self._scope["method"] != "HEAD":
            headers["Content-Length"] = str(len(body))
        if self._key is not None and etag is not None and headers["cache-control"] == _REVALIDATE:
            route = self._scope.get("route")
            self._cache.keep(self._key, KeptAnswer(tuple(start["headers"]), body, etag, route))
        await self._send(start)
        await self._send({"type": "http.response.body", "body": body})

    def _tabulate(self, headers: MutableHeaders, body: bytes) -> bytes:
        if headers.get("content-type") != "application/json" or not table.wanted(self._request.get("accept", "")):
            return body
        made = table.as_csv(json.loads(body))
        if made is None:
            return body
        text, cursor = made
        headers["Content-Type"] = f"{table.MEDIA_TYPE}; charset=utf-8; header=present"
        if cursor is not None:
            query = [pair for pair in parse_qsl(self._scope["query_string"].decode("latin-1")) if pair[0] != "cursor"]
            headers["Link"] = f'<{self._scope["path"]}?{urlencode([*query, ("cursor", cursor)])}>; rel="next"'
        return text.encode()

    def _validate(self, headers: MutableHeaders, body: bytes) -> str:
        """Give the answer an ETag unless its route has."""
        etag = headers.get("etag")
        if etag is None:
            # Weak: the same content may be packed in other ways.
            etag = f'W/"{hashlib.sha256(body).hexdigest()[:_ETAG_DIGITS]}"'
            headers["ETag"] = etag
        headers.setdefault("Cache-Control", _REVALIDATE)
        return etag

    async def _begin_stream(self, start: Message, message: Message) -> None:
        self._streaming = True
        headers = MutableHeaders(scope=start)
        coding = self._coding(headers, encoding.MIN_BYTES)
        if coding is not None:
            self._packer = encoding.PACKERS[coding]()
            _mark(headers, coding)
            del headers["content-length"]
        await self._send(start)
        await self._continue(message)

    async def _continue(self, message: Message) -> None:
        if self._packer is None or message["type"] != "http.response.body":
            await self._send(message)
            return
        more = message.get("more_body", False)
        body = self._packer.compress(message.get("body", b"")) + (b"" if more else self._packer.flush())
        if body or not more:
            await self._send({"type": "http.response.body", "body": body, "more_body": more})

    def _coding(self, headers: MutableHeaders, size: int) -> str | None:
        """How to pack the answer, `None` to leave it as it is."""
        media_type = headers.get("content-type", "").partition(";")[0]
        if size < encoding.MIN_BYTES or media_type not in encoding.PACKABLE or "content-encoding" in headers:
            return None
        if not headers.get("etag", "W/").startswith("W/"):
            return None  # a strong ETag stands for these very bytes
        return encoding.choose(self._request.get("accept-encoding", ""))


async def _repeat(kept: KeptAnswer, scope: Scope, send: Send) -> None:
    scope["route"] = kept.route
    start: Message = {"type": "http.response.start", "status": 200, "headers": list(kept.headers)}
    if matches(dict(scope["headers"]).get(b"if-none-match", b"").decode("latin-1"), kept.etag):
        await _unchanged(start, send)
        return
    await send(start)
    await send({"type": "http.response.body", "body": kept.body})


async def _unchanged(start: Message, send: Send) -> None:
    """Say that the client's copy is good."""
    start["status"] = 304
    headers = MutableHeaders(scope=start)
    for name in ("content-length", "content-type", "content-encoding"):
        del headers[name]
    await send(start)
    await send({"type": "http.response.body", "body": b""})


def matches(if_none_match: str, etag: str) -> bool:
    """Weak comparison (RFC 9110, section 8.8.3.2) with any of the ETags of `If-None-Match`."""
    if not if_none_match:
        return False
    opaque = etag.removeprefix("W/")
    return any(each.strip().removeprefix("W/") in (opaque, "*") for each in if_none_match.split(","))


def _mark(headers: MutableHeaders, coding: str) -> None:
    headers["Content-Encoding"] = coding
    headers.add_vary_header("Accept-Encoding")
