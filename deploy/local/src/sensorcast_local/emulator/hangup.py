"""A long poll ends when its caller hangs up.

MiniStack 1.4.21 goes on with the poll of a consumer that was stopped or killed and gives it the next messages, which
nobody then sees until their visibility times out. Here the poll is cancelled, so that a restarted service goes on at
once.
"""

import asyncio
from contextlib import suppress

from hypercorn.typing import (
    ASGIFramework,
    ASGIReceiveCallable,
    ASGIReceiveEvent,
    ASGISendCallable,
    HTTPScope,
)

_TARGET = (b"x-amz-target", b"AmazonSQS.ReceiveMessage")


def is_poll(scope: HTTPScope) -> bool:
    """Tell whether a request receives messages."""
    return _TARGET in [(name.lower(), value) for name, value in scope["headers"]]


async def serve_until_hangup(
    app: ASGIFramework, scope: HTTPScope, receive: ASGIReceiveCallable, send: ASGISendCallable
) -> None:
    """Let `app` answer a poll for as long as its caller waits."""
    body: asyncio.Queue[ASGIReceiveEvent] = asyncio.Queue()
    hung_up = asyncio.create_task(_pass_on(receive, body), name="poll-caller")
    answered = asyncio.ensure_future(app(scope, body.get, send))
    try:
        await asyncio.wait({hung_up, answered}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (hung_up, answered):
            if not task.done():
                task.cancel()
    with suppress(asyncio.CancelledError):
        await answered


async def _pass_on(receive: ASGIReceiveCallable, body: asyncio.Queue[ASGIReceiveEvent]) -> None:
    """Hand over what is received until the caller has hung up."""
    while True:
        event = await receive()
        body.put_nowait(event)
        if event["type"] == "http.disconnect":
            return
