"""Stands between a broker and an emulator: counts requests, delays, fails and interrupts them."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode

from aiohttp import ClientSession, ClientTimeout, web


@dataclass
class Call:
    """One request as it came: the operation, its arguments (of SQS: JSON; of SNS: form fields)."""

    operation: str
    arguments: dict[str, Any]


@dataclass
class Proxy:
    """What a test sets, and what it reads."""

    upstream: str
    calls: list[Call] = field(default_factory=list)
    open: Counter[str] = field(default_factory=Counter)
    most_open: Counter[str] = field(default_factory=Counter)
    down: bool = False
    hold_answer: dict[str, asyncio.Event] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)
    fail_entry: Callable[[Call, dict[str, Any]], tuple[str, bool] | None] | None = None
    url: str = ""
    _runner: web.AppRunner | None = None
    _port: int = 0
    _client: ClientSession | None = None

    def count(self, operation: str) -> int:
        """How many requests of an operation came."""
        return sum(call.operation == operation for call in self.calls)

    def arguments(self, operation: str) -> list[dict[str, Any]]:
        """What the requests of an operation asked."""
        return [call.arguments for call in self.calls if call.operation == operation]

    async def listen(self) -> None:
        """Accept connections, on the same port each time."""
        app = web.Application(client_max_size=8 << 20)
        app.router.add_route("*", "/{path:.*}", self._serve)
        self._runner = web.AppRunner(app, shutdown_timeout=0.05, handler_cancellation=True)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port)
        await site.start()
        self._port = self._runner.addresses[0][1]
        self.url = f"http://127.0.0.1:{self._port}"

    async def refuse(self) -> None:
        """Close every connection and accept none."""
        assert self._runner is not None
        await self._runner.cleanup()
        self._runner = None

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        call = _parse(request, body)
        self.calls.append(call)
        self.open[call.operation] += 1
        self.most_open[call.operation] = max(self.most_open[call.operation], self.open[call.operation])
        try:
            if self.down or call.operation in self.broken:
                return web.Response(status=503, text="<html>away</html>")
            return await self._answer(request, call, body)
        finally:
            self.open[call.operation] -= 1

    async def _answer(self, request: web.Request, call: Call, body: bytes) -> web.StreamResponse:
        if self.fail_entry is None:
            status, headers, answer = await self._forward(request, body)
        elif "Entries" in call.arguments:
            status, headers, answer = await self._fail_sqs_entries(request, call)
        elif call.operation == "PublishBatch":
            status, headers, answer = await self._fail_sns_entries(request, call)
        else:
            status, headers, answer = await self._forward(request, body)
        if held := self.hold_answer.get(call.operation):
            await held.wait()
        return web.Response(status=status, body=answer, headers=headers)

    async def _forward(self, request: web.Request, body: bytes) -> tuple[int, dict[str, str], bytes]:
        assert self._client is not None
        headers = {k: v for k, v in request.headers.items() if k.lower() not in {"host", "content-length"}}
        async with self._client.request(
            request.method, f"{self.upstream}{request.path_qs}", data=body, headers=headers
        ) as answer:
            kept = {k: v for k, v in answer.headers.items() if k.lower().startswith(("x-amz", "content-type"))}
            return answer.status, kept, await answer.read()

    async def _fail_sqs_entries(self, request: web.Request, call: Call) -> tuple[int, dict[str, str], bytes]:
        failed, rest = self._sort(call, call.arguments["Entries"])
        if rest:
            body = json.dumps({**call.arguments, "Entries": rest}).encode()
            status, headers, answer = await self._forward(request, body)
            result = json.loads(answer)
        else:
            status, headers, result = 200, {"Content-Type": "application/x-amz-json-1.0"}, {"Successful": []}
        if failed and status == 200:
            result["Failed"] = [*result.get("Failed", []), *failed]
        return status, headers, json.dumps(result).encode()

    async def _fail_sns_entries(self, request: web.Request, call: Call) -> tuple[int, dict[str, str], bytes]:
        prefix = "PublishBatchRequestEntries.member."
        entries: dict[str, dict[str, str]] = {}
        for key, value in call.arguments.items():
            if key.startswith(prefix):
                number, _, name = key.removeprefix(prefix).partition(".")
                entries.setdefault(number, {})[name] = value
        failed, rest = self._sort(call, list(entries.values()))
        form = {key: value for key, value in call.arguments.items() if not key.startswith(prefix)}
        for place, entry in enumerate(rest, start=1):
            form.update({f"{prefix}{place}.{name}": value for name, value in entry.items()})
        told = "".join(
            f"<member><Id>{f['Id']}</Id><Code>{f['Code']}</Code><Message>m</Message>"
            f"<SenderFault>{str(f['SenderFault']).lower()}</SenderFault></member>"
            for f in failed
        )
        status, headers, answer = 200, {"Content-Type": "text/xml"}, _NOTHING_SENT
        if rest:
            status, headers, answer = await self._forward(request, urlencode(form).encode())
        text = answer.decode()
        if failed:
            text = text.replace("<Failed/>", "").replace("<Failed />", "").replace("<Failed></Failed>", "")
            text = text.replace("</PublishBatchResult>", f"<Failed>{told}</Failed></PublishBatchResult>")
        return status, headers, text.encode()

    def _sort(self, call: Call, entries: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        assert self.fail_entry is not None
        failed, rest = [], []
        for entry in entries:
            if (verdict := self.fail_entry(call, entry)) is None:
                rest.append(entry)
            else:
                failed.append({"Id": entry["Id"], "Code": verdict[0], "SenderFault": verdict[1], "Message": "m"})
        return failed, rest


def _parse(request: web.Request, body: bytes) -> Call:
    if target := request.headers.get("X-Amz-Target"):
        return Call(target.rpartition(".")[2], json.loads(body))
    form = dict(parse_qsl(body.decode(), keep_blank_values=True))
    return Call(form.get("Action", "?"), form)


_NOTHING_SENT = (
    b'<PublishBatchResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><PublishBatchResult>'
    b"<Successful></Successful></PublishBatchResult></PublishBatchResponse>"
)


@asynccontextmanager
async def proxy_to(upstream: str) -> AsyncIterator[Proxy]:
    """A proxy to `upstream`, on a port of its own."""
    proxy = Proxy(upstream=upstream)
    async with ClientSession(timeout=ClientTimeout(total=40), auto_decompress=True) as client:
        proxy._client = client
        await proxy.listen()
        try:
            yield proxy
        finally:
            if proxy._runner is not None:
                await proxy.refuse()
