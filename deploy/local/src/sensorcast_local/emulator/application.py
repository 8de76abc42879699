"""MiniStack's ASGI application with its completions installed and a few paths of our own."""

import asyncio
import json
from contextlib import suppress
from importlib.metadata import version
from urllib.parse import parse_qs

from hypercorn.typing import ASGIFramework, ASGIReceiveCallable, ASGISendCallable, HTTPResponseStartEvent, Scope

from sensorcast_local.emulator import athena, catalog, cloudformation, durable, loopback, retention, schedule, sms
from sensorcast_local.emulator.client import READY_PATH, SAVE_PATH, SMS_PATH
from sensorcast_local.emulator.hangup import is_poll, serve_until_hangup
from sensorcast_local.emulator.reach import ministack

MINISTACK = "1.4.21"


def application(*, save_every: float) -> ASGIFramework:
    """The application to serve; call it once, after `configure_ministack`.

    Args:
        save_every: Seconds between two savings of the state.

    Raises:
        RuntimeError: Another version of MiniStack is installed than the one this completes.
    """
    if version("ministack") != MINISTACK:
        raise RuntimeError(f"ministack: expected version {MINISTACK}, found {version('ministack')}")
    durable.install()  # first, as the others import what loads its state
    for completion in (catalog, cloudformation, athena, schedule, sms, retention, loopback):
        completion.install()
    app: ASGIFramework = ministack("app").app

    async def serve(scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        if scope["type"] == "lifespan":
            saving = asyncio.create_task(durable.save_forever(every=save_every), name="save-state")
            await app(scope, receive, send)
            saving.cancel()
            with suppress(asyncio.CancelledError):
                await saving
        elif scope["type"] == "http" and scope["path"] == READY_PATH:
            await _answer(send, {"ready": True})
        elif scope["type"] == "http" and scope["path"] == SAVE_PATH:
            await _answer(send, {"saved": await durable.save()})
        elif scope["type"] == "http" and scope["path"] == SMS_PATH:
            account = parse_qs(scope["query_string"].decode()).get("account", [None])[0]
            await _answer(send, sms.sent(account=account))
        elif scope["type"] == "http" and is_poll(scope):
            await serve_until_hangup(app, scope, receive, send)
        else:
            await app(scope, receive, send)

    return serve


async def _answer(send: ASGISendCallable, content: object) -> None:
    body = json.dumps(content).encode()
    start: HTTPResponseStartEvent = {
        "type": "http.response.start",
        "status": 200,
        "headers": [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())],
    }
    await send(start)
    await send({"type": "http.response.body", "body": body, "more_body": False})
