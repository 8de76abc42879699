"""History is sent packed, live readings at their time, and a stop loses and repeats nothing."""

import asyncio
import json
import time
from pathlib import Path

from sensorcast_common.clock import system_clock
from sensorcast_common.names import ReadingsTopic
from sensorcast_common.payload.parse import MAX_PAYLOAD_BYTES, parse
from sensorcast_local.fleet.drive import Drive, Phase, Sender
from sensorcast_local.fleet.fleet import UNITS
from sensorcast_local.fleet.progress import Progress, resume

HISTORY = 3 * 3600
TRUCKS = 20


class Recorder(Sender):
    """Keeps what is sent."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, bytes]] = []
        self.readings = 0

    async def send(self, topic: str, payload: bytes, *, readings: int) -> None:
        self.messages.append((topic, payload))
        self.readings += readings

    async def drain(self) -> None:
        await asyncio.sleep(0)

    def sent(self) -> list[tuple[str, int]]:
        return [(topic, each["ts"]) for topic, payload in self.messages for each in json.loads(payload)]


class Run:
    """One run of a fleet with its progress kept in a file."""

    def __init__(self, path: Path, *, now: int) -> None:
        self.offset = now * 1000 - system_clock()
        self.recorder = Recorder()
        departure = resume(Progress.load(path), seed=1, devices=TRUCKS, now=now, history=HISTORY)
        self.start = departure.fleet.at
        self.drive = Drive(
            departure.fleet,
            tenant="demo",
            live_from=departure.live_from,
            sender=self.recorder,
            clock=lambda: system_clock() + self.offset,
            save=lambda progress: progress.save(path),
            sent_to=departure.sent_to,
        )

    async def until_messages(self, wanted: int) -> None:
        task = asyncio.create_task(self.drive.run())
        deadline = time.monotonic() + 20
        while len(self.recorder.messages) < wanted and time.monotonic() < deadline and not task.done():  # noqa: ASYNC110 - has a deadline
            await asyncio.sleep(0.01)
        self.drive.request_stop()
        await asyncio.wait_for(task, 5)


async def test_history_is_complete_and_packed_for_every_broker(tmp_path: Path) -> None:
    now = 1_764_000_003
    run = Run(tmp_path / "fleet.json", now=now)
    await run.until_messages(3 * TRUCKS + 5)
    assert run.drive.phase is Phase.LIVE
    history = [ts for _, ts in run.recorder.sent() if ts < 1_764_000_000 * 1000]
    assert len(history) == TRUCKS * HISTORY // 60
    for topic, payload in run.recorder.messages:
        assert len(payload) < MAX_PAYLOAD_BYTES / 4
        readings = parse(payload, ReadingsTopic.parse(topic), received_at=(now + 60) * 1000, redelivered=False)
        assert {reading.metric: reading.unit for reading in readings} == UNITS


async def test_stop_in_the_middle_of_a_step_neither_loses_nor_repeats(tmp_path: Path) -> None:
    path, now = tmp_path / "fleet.json", 1_764_000_003
    first = Run(path, now=now)
    began = time.monotonic()
    await first.until_messages(3 * TRUCKS + 6)
    second = Run(path, now=now + round(time.monotonic() - began))
    await second.until_messages(TRUCKS)
    sent = first.recorder.sent() + second.recorder.sent()
    assert len(sent) == len(set(sent)), "a sample was sent twice"
    live = sorted(ts for _, ts in sent if ts >= 1_764_000_000 * 1000)
    steps = {ts // 10_000 for ts in live[:-1]}
    assert steps == set(range(min(steps), max(steps) + 1)), "a step is missing"


async def test_pause_is_filled(tmp_path: Path) -> None:
    path, now = tmp_path / "fleet.json", 1_764_000_003
    first = Run(path, now=now)
    await first.until_messages(3 * TRUCKS + 1)
    second = Run(path, now=now + 3000)
    await second.until_messages(TRUCKS)
    filled = {ts // 60_000 for _, ts in second.recorder.sent()}
    assert set(range((now + 60) // 60, (now + 2940) // 60)) <= filled
