"""A service stops in the reverse order of its start, visibly and within its deadline."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

import aiohttp
from prometheus_client import Counter

from sensorcast_common.health import Heartbeat
from sensorcast_common.lifecycle import Lifecycle
from sensorcast_common.ops import OpsServer


def noting(log: list[str], what: str) -> Callable[[], Awaitable[None]]:
    async def note() -> None:
        log.append(what)

    return note


async def test_stopping_undoes_in_reverse_order() -> None:
    done: list[str] = []
    life = Lifecycle(drain_seconds=5)

    @contextlib.asynccontextmanager
    async def client() -> AsyncIterator[None]:
        yield
        done.append("client closed")

    await life.enter(client())
    life.on_stop("drain", noting(done, "drained"))
    life.on_stop("intake", noting(done, "intake stopped"))
    life.request_stop()
    assert await life.run() == 0
    assert done == ["intake stopped", "drained", "client closed"]


async def test_a_failing_step_does_not_keep_the_rest_from_stopping() -> None:
    done: list[str] = []
    life = Lifecycle(drain_seconds=5)
    life.on_stop("last", noting(done, "last"))

    async def fail() -> None:
        raise RuntimeError("cannot stop")

    life.on_stop("first", fail)
    assert await life.close() == 0
    assert done == ["last"]


async def test_a_failed_background_task_ends_the_service_with_code_1() -> None:
    life = Lifecycle(drain_seconds=5)

    async def fail() -> None:
        raise RuntimeError("lost")

    life.background("worker", fail)
    assert await asyncio.wait_for(life.run(), 5) == 1


async def test_background_tasks_are_cancelled_at_the_end() -> None:
    life = Lifecycle(drain_seconds=5)
    cancelled = asyncio.Event()
    started = asyncio.Event()

    async def forever() -> None:
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    life.background("worker", forever)
    await asyncio.wait_for(started.wait(), 5)
    assert await life.close() == 0
    assert cancelled.is_set()


async def test_a_drain_that_takes_too_long_is_cut_off_with_code_1() -> None:
    life = Lifecycle(drain_seconds=0.05)

    async def never() -> None:
        await asyncio.Event().wait()

    life.on_stop("drain", never)
    assert await asyncio.wait_for(life.close(), 5) == 1


class FakeTime:
    """Seconds that pass only when told."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


async def test_health_and_metrics_are_served() -> None:
    life = Lifecycle(drain_seconds=5)
    counter = Counter("sensorcast_test_things", "Things.", registry=life.registry)
    counter.inc()
    time = FakeTime()
    life.health.alive("poll", Heartbeat(max_age=10, monotonic=time))
    broken = False

    async def check() -> None:
        if broken:
            raise ConnectionError("no route to SNS")

    life.health.ready("sns", check)
    server = OpsServer(health=life.health, registry=life.registry, host="127.0.0.1", port=0)
    await server.start()
    try:
        async with aiohttp.ClientSession(f"http://127.0.0.1:{server.port}") as http:

            async def get(path: str) -> tuple[int, str]:
                async with http.get(path) as response:
                    return response.status, await response.text()

            assert (await get("/healthz"))[0] == 200
            assert (await get("/readyz"))[0] == 200
            assert "sensorcast_test_things_total 1.0" in (await get("/metrics"))[1]
            time.now += 11
            broken = True
            status, body = await get("/healthz")
            assert (status, "poll" in body) == (503, True)
            status, body = await get("/readyz")
            assert (status, "no route to SNS" in body) == (503, True)
            broken = False
            life.health.stopping = True
            assert (await get("/readyz"))[0] == 503
    finally:
        await server.close()


async def test_service_is_not_ready_before_it_is_built() -> None:
    life = Lifecycle(drain_seconds=5)
    assert await life.health.unready() == {}
    life.health.starting = True
    assert await life.health.unready() == {"service": "starting"}
