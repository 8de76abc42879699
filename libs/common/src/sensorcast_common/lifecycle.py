"""How a service starts and stops: stop intake, drain with a deadline, release, close, in that order and visibly."""

import asyncio
import contextlib
import json
import signal
import sys
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from typing import TypeVar

from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector

from sensorcast_common import logs
from sensorcast_common.health import Health, Heartbeat
from sensorcast_common.ops import OpsServer
from sensorcast_common.settings import ServiceSettings, SettingsError, load
from sensorcast_common.tracing import Tracing
from sensorcast_common.tracing.spans import add_trace

T = TypeVar("T")
SettingsT = TypeVar("SettingsT", bound=ServiceSettings)
Build = Callable[[SettingsT, "Lifecycle"], Awaitable[None]]
"""The composition root of a service: wires everything onto the lifecycle, and returns."""

log = logs.logger(__name__)

CANCEL_SECONDS = 2.0
LOOP_BEAT_SECONDS = 1.0
LOOP_STUCK_SECONDS = 30.0


class Lifecycle:
    """What a service has started, and therefore must stop.

    Everything is undone in the reverse order of its registration: register clients first, the intake last, and the
    intake stops first. All of it together has `drain_seconds`; what is not done by then is cancelled and named.

    Attributes:
        health: What /healthz and /readyz ask.
        registry: The Prometheus registry of this service.
        tracing: Starts the spans of this service.
    """

    def __init__(self, *, drain_seconds: float, tracing: Tracing | None = None) -> None:
        self.health = Health()
        self.tracing = tracing or Tracing()
        self.registry = CollectorRegistry()
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=self.registry)
        self._drain_seconds = drain_seconds
        self._stack = AsyncExitStack()
        self._stop_requested = asyncio.Event()
        self._failure: BaseException | None = None

    async def enter(self, context: AbstractAsyncContextManager[T]) -> T:
        """Enter a context that is left when the service stops."""
        return await self._stack.enter_async_context(context)

    def on_stop(self, name: str, action: Callable[[], Awaitable[None]]) -> None:
        """Run `action` when the service stops; a failure is logged and does not keep the rest from stopping."""

        async def visibly() -> None:
            log.info("stopping", step=name)
            try:
                await action()
            except Exception:
                log.exception("stopping failed", step=name)

        self._stack.push_async_callback(visibly)

    def background(self, name: str, work: Callable[[], Coroutine[object, object, None]]) -> None:
        """Run `work` beside the service until it stops; if `work` fails, the service ends with exit code 1."""
        task = asyncio.create_task(work(), name=name)

        def ended(done: asyncio.Task[None]) -> None:
            if done.cancelled():
                return
            error = done.exception()
            if error is not None:
                log.error("background task failed", task=name, exc_info=error)
                self._failure = self._failure or error
                self.request_stop()

        task.add_done_callback(ended)

        async def cancel() -> None:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                # Its failure has been logged by `ended`.
                await asyncio.wait([task])

        self.on_stop(name, cancel)

    def request_stop(self) -> None:
        """Let `run` go on to stopping."""
        self._stop_requested.set()

    async def run(self) -> int:
        """Wait until a stop is requested, then stop.

        Returns:
            The process's exit code: 0, or 1 where a background task failed or the deadline passed.
        """
        await self._stop_requested.wait()
        return await self.close()

    async def close(self) -> int:
        """Undo everything within the deadline; returns the exit code."""
        self.health.stopping = True
        closing = asyncio.create_task(self._stack.aclose(), name="close")
        await asyncio.wait([closing], timeout=self._drain_seconds)
        if not closing.done():
            log.error("drain deadline passed, what was not settled will be redelivered", seconds=self._drain_seconds)
            closing.cancel()
            # Each remaining step sees the cancellation once; none may hold up the process for longer.
            await asyncio.wait([closing], timeout=CANCEL_SECONDS)
            return 1
        closing.result()
        return 1 if self._failure else 0


async def _beat(heartbeat: Heartbeat) -> None:
    while True:
        heartbeat.beat()
        await asyncio.sleep(LOOP_BEAT_SECONDS)


async def _tracing(service: str, settings: ServiceSettings, life: Lifecycle) -> Tracing:
    if settings.traces == "off":
        return Tracing()
    # Only those pay for the SDK, in time to start and in memory, who use it.
    from sensorcast_common.tracing.export import exporting

    return await life.enter(
        exporting(
            service=service,
            endpoint=settings.traces_endpoint,
            ratio=settings.traces_ratio,
            headers=settings.traces_header_fields,
            registry=life.registry,
        )
    )


async def run_service(settings: SettingsT, build: Build[SettingsT], *, service: str) -> int:
    """Build a service, serve health and metrics, run until SIGTERM or SIGINT, stop.

    Returns:
        The exit code.
    """
    life = Lifecycle(drain_seconds=settings.drain_seconds)
    loop = asyncio.get_running_loop()
    for signum in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signum, life.request_stop)
    ops = OpsServer(health=life.health, registry=life.registry, host=settings.ops_host, port=settings.ops_port)
    life.health.starting = True  # until everything that must be ready has said so
    try:
        await ops.start()
        life.on_stop("ops server", ops.close)
        life.tracing = await _tracing(service, settings, life)
        heartbeat = life.health.alive("loop", Heartbeat(max_age=LOOP_STUCK_SECONDS))
        life.background("heartbeat", lambda: _beat(heartbeat))
        await build(settings, life)
        life.health.starting = False
    except Exception:
        log.exception("start failed")
        await life.close()
        return 1
    log.info("started", ops_port=ops.port)
    code = await life.run()
    log.info("stopped", exit_code=code)
    return code


def serve(service: str, settings_type: type[SettingsT], build: Build[SettingsT]) -> int:
    """The entry point of a service: read settings, run, return the exit code.

    `--print-config` shows the settings, secrets masked, and runs nothing. Exit code 2 means a wrong setting.
    """
    try:
        settings = load(settings_type)
    except SettingsError as error:
        print(error, file=sys.stderr)  # noqa: T201 - before logging is configured, and for a person to read
        return 2
    if "--print-config" in sys.argv[1:]:
        print(json.dumps(settings.masked(), indent=2, default=str))  # noqa: T201 - the command's output
        return 0
    logs.configure(
        service=service,
        level=settings.log_level,
        form=settings.log_format,
        correlate=None if settings.traces == "off" else add_trace,
    )
    return asyncio.run(run_service(settings, build, service=service))
