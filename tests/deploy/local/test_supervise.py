"""Programs are started in order, started again when they die, and never outlive their supervisor."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from sensorcast_local.command import Command
from sensorcast_local.supervise.log_file import MAX_BYTES, LogFile
from sensorcast_local.supervise.program import Program, StartFailed, State
from sensorcast_local.supervise.supervisor import Supervisor
from sensorcast_local.supervise.warden import members

ENVIRONMENT = {"PATH": "/usr/bin:/bin"}


def python(code: str) -> Command:
    return Command(argv=(sys.executable, "-S", "-c", code))


SLEEPER = "import time; print('up', flush=True); time.sleep(600)"
STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(600)"
)


class Watched:
    """A program that is ready when its log says so."""

    def __init__(self, tmp_path: Path, name: str, code: str, *, stage: int = 0, stop_seconds: float = 3.0) -> None:
        self.log = tmp_path / f"{name}.log"
        self.program = Program(
            name=name,
            command=python(code),
            ready=self.ready,
            stage=stage,
            start_seconds=10.0,
            stop_seconds=stop_seconds,
        )

    async def ready(self) -> bool:
        return self.log.exists() and "up" in self.log.read_text()


async def until(condition: Callable[[], bool], *, seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "condition did not come true in time"
        await asyncio.sleep(0.02)


def gone(pid: int) -> bool:
    try:
        return (Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


async def test_died_program_is_started_again_and_said_so(tmp_path: Path) -> None:
    said: list[str] = []
    watched = Watched(tmp_path, "sleeper", SLEEPER)
    async with Supervisor(log_dir=tmp_path, environment=ENVIRONMENT, report=said.append) as supervisor:
        await supervisor.start(watched.program)
        (condition,) = supervisor.conditions
        assert condition.state is State.READY
        before = condition.pid
        assert before is not None
        os.kill(before, signal.SIGKILL)
        await until(lambda: condition.state is State.READY and condition.pid not in (None, before))
        assert condition.restarts == 1
        rss = supervisor.rss()
        assert rss is not None
        assert rss > 1_000_000
        after = condition.pid
    assert any("sleeper ended with SIGKILL" in line for line in said)
    assert after is not None
    assert gone(after)


async def test_stages_stop_from_the_last_to_the_first(tmp_path: Path) -> None:
    order = tmp_path / "order"
    code = (
        "import signal, sys, time\n"
        f"def end(*_):\n    open({str(order)!r}, 'a').write('NAME ')\n    sys.exit(0)\n"
        "signal.signal(signal.SIGTERM, end); print('up', flush=True); time.sleep(600)"
    )
    async with Supervisor(log_dir=tmp_path, environment=ENVIRONMENT, report=print) as supervisor:
        for stage, name in enumerate(("broker", "service", "fleet")):
            await supervisor.start(Watched(tmp_path, name, code.replace("NAME", name), stage=stage).program)
    assert order.read_text().split() == ["fleet", "service", "broker"]


async def test_program_that_ignores_sigterm_is_killed_in_time(tmp_path: Path) -> None:
    said: list[str] = []
    watched = Watched(tmp_path, "stubborn", STUBBORN, stop_seconds=0.3)
    async with Supervisor(log_dir=tmp_path, environment=ENVIRONMENT, report=said.append) as supervisor:
        await supervisor.start(watched.program)
        pid = supervisor.conditions[0].pid
        began = time.monotonic()
    assert time.monotonic() - began < 3
    assert pid is not None
    assert gone(pid)
    assert any("killed" in line for line in said)


async def test_failed_start_shows_the_log_and_leaves_nothing(tmp_path: Path) -> None:
    broken = Watched(tmp_path, "broken", "raise SystemExit('the reason why')")
    other = Watched(tmp_path, "other", SLEEPER)
    with pytest.raises(StartFailed, match=r"(?s)broken ended with exit code 1.*the reason why"):
        async with Supervisor(log_dir=tmp_path, environment=ENVIRONMENT, report=print) as supervisor:
            await supervisor.start(other.program, broken.program)
    assert members(supervisor.group) == []


async def test_program_is_tried_again_only_while_what_it_needs_is_on_its_way(tmp_path: Path) -> None:
    needed = tmp_path / "needed"
    code = f"import sys, time; from pathlib import Path\nif not Path({str(needed)!r}).exists(): sys.exit(1)\n{SLEEPER}"
    tries: list[bool] = []

    def again() -> bool:
        tries.append(not needed.exists())
        if len(tries) == 2:
            needed.touch()
        return tries[-1]

    async with Supervisor(log_dir=tmp_path, environment=ENVIRONMENT, report=print) as supervisor:
        await supervisor.start(Watched(tmp_path, "patient", code).program, again=again)
        assert len(tries) == 2
        with pytest.raises(StartFailed, match="exit code 1"):
            await supervisor.start(Watched(tmp_path, "broken", "raise SystemExit(1)").program, again=again)


async def test_missing_program_is_named(tmp_path: Path) -> None:
    program = Program(
        name="nix", command=Command(argv=("/no/such/thing",)), ready=lambda: asyncio.sleep(0, True), stage=0
    )
    with pytest.raises(StartFailed, match="/no/such/thing"):
        async with Supervisor(log_dir=tmp_path, environment=ENVIRONMENT, report=print) as supervisor:
            await supervisor.start(program)


def test_killed_supervisor_leaves_no_child_and_no_grandchild(tmp_path: Path) -> None:
    stubborn_parent = f"import subprocess, sys\nsubprocess.Popen([sys.executable, '-S', '-c', {SLEEPER!r}])\n{STUBBORN}"
    code = f"""
import asyncio
from pathlib import Path
from sensorcast_local.command import Command
from sensorcast_local.supervise.program import Program
from sensorcast_local.supervise.supervisor import Supervisor
async def ready():
    return True
async def main():
    async with Supervisor(log_dir=Path({str(tmp_path)!r}), environment={ENVIRONMENT!r}, report=print) as supervisor:
        for name, code in (("sleeper", {SLEEPER!r}), ("parent", {stubborn_parent!r})):
            command = Command(argv=({sys.executable!r}, "-S", "-c", code))
            await supervisor.start(Program(name=name, command=command, ready=ready, stage=0))
        print(supervisor.group, flush=True)
        await asyncio.sleep(600)
asyncio.run(main())
"""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        group = int(process.stdout.readline())
        deadline = time.monotonic() + 10
        while len(members(group) or []) < 4:  # the warden, two children, one grandchild
            assert time.monotonic() < deadline, members(group)
            time.sleep(0.05)
        process.kill()
    deadline = time.monotonic() + 9
    while members(group):
        assert time.monotonic() < deadline, f"left behind: {members(group)}"
        time.sleep(0.05)


def test_log_is_put_aside_at_start_and_bounded_while_it_is_written(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_text("the run before\n")
    log = LogFile(path)
    assert (tmp_path / "a.log.1").read_text() == "the run before\n"
    with log.open() as file:
        file.write(b"x" * (MAX_BYTES + 1))
        file.flush()
        log.bound()
        assert path.stat().st_size == 0
        file.write(b"and on\n")
    assert log.tail(3) == ["and on"]
