"""What the API carries: requests beside a bare handler, idle streams, and the way from MQTT to a stream.

`python -m benchmarks.api_load [--seconds N] [--rounds N] [--streams N] [--rate N]`

The stores are in memory and cost nothing, so that what is measured is the API. Server and load have a process each.
Requests are counted per second of the server's CPU, which other work on the machine does not change; the bare handler,
Starlette behind the same Uvicorn, returns the same bytes, and both take turns.
"""

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiomqtt
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from tests.servers.broker import MosquittoServer
from tests.services.api.fakes import NOW, World
from tests.services.api.fakes.devices import FakeReadings

from sensorcast_api import examples
from sensorcast_api.app import settle
from sensorcast_api.server import HttpServer
from sensorcast_api.services import Limits
from sensorcast_api.stream.mqtt_feed import MAX_QUEUED, MqttFeed
from sensorcast_common import logs
from sensorcast_common.clock import from_millis, system_clock
from sensorcast_common.tables.api_keys import Role
from sensorcast_common.tables.hot_chunk import SeriesColumns

CONNECTIONS = 16
DEVICES = 100
PATHS = {
    "latest value": "/v1/devices/truck-1",
    "1,000 readings": "/v1/devices/truck-1/readings?metric=temperature&limit=1000",
}
TICKS = 100
"""Of the kernel's CPU accounting, a second (USER_HZ)."""


class ReadOnce(FakeReadings):
    """A store that costs nothing once it has been asked, so that only the API is measured."""

    def __init__(self) -> None:
        super().__init__()
        self._known: dict[tuple[object, ...], Mapping[str, SeriesColumns]] = {}

    async def read(
        self, tenant: str, device: str, *, start: int, end: int, metrics: Collection[str] | None = None
    ) -> Mapping[str, SeriesColumns]:
        """As before, where this was asked before."""
        asked = (tenant, device, start, end, *(metrics or ()))
        if asked not in self._known:
            self._known[asked] = await super().read(tenant, device, start=start, end=end, metrics=metrics)
        return self._known[asked]


def world(answer_seconds: float) -> World:
    """A tenant with a hundred trucks, one of which has an hour of readings."""
    limits = Limits(answer_seconds=answer_seconds, streams_per_key=10_000, heartbeat_seconds=15)
    made = World(limits=limits, burst=10**9, readings=ReadOnce())
    for number in range(DEVICES):
        made.devices.put("acme", f"truck-{number}")
    for number in range(1_000):
        made.readings.put("acme", "truck-1", NOW - 3_600_000 + number * 3_000, 4.2 + number % 10 / 10)
    return made


def present(devices: int) -> World:
    """A tenant with devices that were heard of just now: each with an hour of minutes, the first with more."""
    made = world(0.0)
    made.now = system_clock()
    for number in range(devices):
        name = f"truck-{number}"
        heard = from_millis(made.now)
        made.devices.items["acme", name] = examples.DEVICE.model_copy(
            update={"tenant": "acme", "device": name, "name": None, "last_seen": heard}
        )
        for minute in range(60):
            made.readings.put("acme", name, made.now - minute * 60_000, 4.2 + (minute + number) % 10 / 10)
    for number in range(2_000):
        made.readings.put("acme", "truck-1", made.now - number * 10_000, 4.2 + number % 10 / 10)
    return made


async def serve(kind: str, broker: int, devices: int) -> None:
    """The process that is measured: says its port and a key on one line, and serves until killed."""
    logs.configure(service="api", level="info", form="json")
    made = present(devices) if kind == "page" else world(0.0 if kind == "api-anew" else 1.0)
    key = made.keys.make("acme", Role.VIEWER, expires_at=system_clock() + 86_400_000)
    if kind == "bare":
        body = sys.stdin.buffer.read()

        async def bare(request: Request) -> Response:
            del request
            return Response(body, media_type="application/json")

        app: object = Starlette(routes=[Route("/{rest:path}", bare)])
    else:
        app = made.app
    server = HttpServer(app, host="127.0.0.1", port=0)  # type: ignore[arg-type] # an ASGI application either way
    settle()
    print(json.dumps({"port": server.port, "key": key}), flush=True)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(server.serve())
        if kind in ("live", "page"):
            tasks.create_task(_present(made))
            services = made.services
            feed = MqttFeed(
                lambda: aiomqtt.Client("127.0.0.1", broker, max_queued_incoming_messages=MAX_QUEUED),
                hub=services.hub,
                subscriptions=services.subscriptions,
                clock=services.clock,
                metrics=services.metrics,
            )
            tasks.create_task(feed.run())


async def _present(made: World) -> None:
    while True:
        made.now = system_clock()
        await asyncio.sleep(0.005)


@dataclass(slots=True)
class Server:
    """A server in a process of its own."""

    pid: int
    port: int
    key: str

    def cpu(self) -> float:
        """CPU seconds so far."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def megabytes(self) -> float:
        """Resident memory."""
        pages = Path(f"/proc/{self.pid}/statm").read_text().split()[1]
        return int(pages) * 4096 / 1e6

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A connection."""
        return await asyncio.open_connection("127.0.0.1", self.port, limit=2**20)

    def request(self, path: str) -> bytes:
        """What a client sends."""
        return f"GET {path} HTTP/1.1\r\nHost: api\r\nAuthorization: Bearer {self.key}\r\n\r\n".encode()


@asynccontextmanager
async def running(kind: str, broker: int = 0, *, body: bytes = b"", devices: int = DEVICES) -> AsyncIterator[Server]:
    """A server until the end of the block; `body` is what the bare one answers, `devices` what that of the page has."""
    command = [sys.executable, "-m", "benchmarks.api_load", "--serve", kind, "--broker", str(broker)]
    command += ["--devices", str(devices)]
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, stderr=asyncio.subprocess.DEVNULL)
    try:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(body)
        process.stdin.close()
        said = json.loads(await process.stdout.readline())
        yield Server(process.pid, said["port"], said["key"])
    finally:
        process.kill()
        await process.wait()


async def answer(reader: asyncio.StreamReader) -> bytes:
    """The body of one answer."""
    head = await reader.readuntil(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200"):
        raise RuntimeError(head.decode())
    length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
    return await reader.readexactly(int(length.partition(b":")[2]))


async def load(server: Server, path: str, seconds: float) -> float:
    """Requests per CPU second of the server."""
    done = 0
    until = time.perf_counter() + seconds

    async def client() -> None:
        nonlocal done
        reader, writer = await server.connect()
        sent = server.request(path)
        while time.perf_counter() < until:
            writer.write(sent)
            await answer(reader)
            done += 1
        writer.close()

    began = server.cpu()
    await asyncio.gather(*(client() for _ in range(CONNECTIONS)))
    return done / (server.cpu() - began)


async def compare(name: str, path: str, *, seconds: float, rounds: int) -> None:
    """Print the rate of the API beside that of the bare handler."""
    async with running("api") as api, running("api-anew") as anew, AsyncExitStack() as stack:
        reader, writer = await api.connect()
        writer.write(api.request(path))
        body = await answer(reader)
        bare = await stack.enter_async_context(running("bare", body=body))
        rates: dict[str, list[float]] = {"bare": [], "api": [], "anew": []}
        for _ in range(rounds):
            for kind, server in (("bare", bare), ("api", api), ("anew", anew)):
                rates[kind].append(await load(server, path, seconds))
    middle = {kind: statistics.median(each) for kind, each in rates.items()}
    ratio = {
        kind: statistics.median(one / bare for one, bare in zip(rates[kind], rates["bare"], strict=True))
        for kind in ("api", "anew")
    }
    print(
        f"{name} ({len(body):,} bytes): bare {middle['bare']:,.0f}, API {middle['api']:,.0f} ({ratio['api']:.2f} of "
        f"bare), each answer made anew {middle['anew']:,.0f} ({ratio['anew']:.2f}) requests per CPU second"
    )


async def idle(streams: int) -> None:
    """Print the memory of streams on which nothing happens."""
    async with running("live", 1) as server:
        reader, writer = await server.connect()
        writer.write(server.request("/v1/me"))
        await answer(reader)
        before = server.megabytes()
        opened = []
        for _ in range(streams):
            reader, writer = await server.connect()
            writer.write(server.request("/v1/events"))
            opened.append((reader, writer))
        await asyncio.gather(*(reader.readuntil(b"event: incidents") for reader, _ in opened))
        await asyncio.sleep(5)
        print(f"{streams} idle streams: {server.megabytes():.0f} MB, {before:.0f} MB of which without them")
        for _, writer in opened:
            writer.close()


async def latency(rate: int, seconds: float) -> None:
    """Print how long a reading takes from the device's publish to a client of a stream of the whole fleet."""
    with tempfile.TemporaryDirectory() as folder, MosquittoServer(state_dir=Path(folder)) as broker:
        async with running("live", broker.port) as server, aiomqtt.Client(broker.host, broker.port) as device:
            reader, writer = await server.connect()
            writer.write(server.request("/v1/events?kind=readings"))
            await reader.readuntil(b'"live":true')
            waits: list[float] = []
            wanted = round(rate * seconds)

            async def read() -> None:
                while len(waits) < wanted:
                    line = await reader.readline()
                    if line.startswith(b"data:") and b'"readings"' in line:
                        now = time.time()
                        waits.extend(now - point["value"] for point in json.loads(line[5:])["readings"])

            reading = asyncio.create_task(read())
            began = time.perf_counter()
            for number in range(wanted):
                await asyncio.sleep(max(0.0, began + number / rate - time.perf_counter()))
                payload = json.dumps({"metric": "sent", "value": time.time(), "unit": "s"})
                await device.publish(f"dt/acme/truck-{number % DEVICES}/readings", payload, qos=0)
            took = time.perf_counter() - began
            async with asyncio.timeout(60):
                await reading
            writer.close()
    cuts = statistics.quantiles(waits, n=100)
    print(
        f"MQTT publish to stream, {wanted / took:,.0f} readings/s for {took:.0f} s, {len(waits):,} readings: "
        f"median {cuts[49] * 1000:.0f} ms, p99 {cuts[98] * 1000:.0f} ms, longest {max(waits) * 1000:.0f} ms"
    )


async def measure(seconds: float, rounds: int, streams: int, rate: int) -> None:
    """Print all figures."""
    for name, path in PATHS.items():
        await compare(name, path, seconds=seconds, rounds=rounds)
    await idle(streams)
    await latency(rate, 20)


def main() -> None:
    """Run as the arguments say."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=3.0, help="of each round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--streams", type=int, default=500)
    parser.add_argument("--rate", type=int, default=1_000, help="readings per second")
    parser.add_argument("--serve", help=argparse.SUPPRESS)
    parser.add_argument("--broker", type=int, default=0, help=argparse.SUPPRESS)
    parser.add_argument("--devices", type=int, default=DEVICES, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve:
        asyncio.run(serve(given.serve, given.broker, given.devices))
    else:
        asyncio.run(measure(given.seconds, given.rounds, given.streams, given.rate))


if __name__ == "__main__":
    main()
