"""Keeps one program running."""

import asyncio
import contextlib
import math
import signal
import time
from collections.abc import Callable, Mapping
from typing import Final

from sensorcast_local.supervise.log_file import LogFile
from sensorcast_local.supervise.program import Condition, Program, StartFailed, State

READY_LOOK: Final = 0.1  # s between two looks whether it is ready
FIRST_PAUSE: Final = 0.5  # s before the first restart; doubled with each
LONGEST_PAUSE: Final = 15.0  # s
STEADY_AFTER: Final = 30.0  # s of running after which the pauses begin small again
TAIL_LINES: Final = 6

Report = Callable[[str], None]


class Runner:
    """One program: start it, start it again when it dies, stop it.

    Args:
        program: What to run.
        environment: The environment it is added to.
        log: Where its output goes.
        group: Process group it joins.
        report: Told when it dies and when it is back.
    """

    def __init__(
        self, program: Program, *, environment: Mapping[str, str], log: LogFile, group: int, report: Report
    ) -> None:
        self.program = program
        self.condition = Condition(program.name)
        self.log = log
        self._environment = {**environment, **program.command.env}
        self._group = group
        self._report = report
        self._process: asyncio.subprocess.Process | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._stopping = False

    async def start(self, *, again: Callable[[], bool] = lambda: False) -> None:
        """Start it and wait until it is ready; from then on it is kept running.

        Args:
            again: Whether to start it again when it ends before it is ready, as what it needs is not there yet.

        Raises:
            StartFailed: It ended, or was not ready in time.
        """
        deadline = time.monotonic() + self.program.start_seconds
        forgiven = again()
        process = await self._spawn()
        while not await self._came_up(process, deadline):
            ended = process.returncode
            if ended is None or not forgiven or time.monotonic() > deadline:
                await self.stop()
                what = f"ended with {_reason(ended)}" if ended is not None else "was not ready in time"
                raise StartFailed(self._with_log(f"{self.program.name} {what}"))
            await asyncio.sleep(FIRST_PAUSE)
            forgiven = again()
            process = await self._spawn()
        self._keeper = asyncio.create_task(self._keep(process), name=f"keep-{self.program.name}")

    async def stop(self, *, within: float = math.inf) -> None:
        """End it: SIGTERM, and SIGKILL when it takes longer than its `stop_seconds`, or than `within`."""
        self._stopping = True
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.wait([self._keeper])
        process = self._process
        if process is not None and process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGTERM)
            limit = min(within, self.program.stop_seconds)
            try:
                async with asyncio.timeout(limit):
                    await process.wait()
            except TimeoutError:
                self._report(f"{self.program.name} did not stop within {limit:.1f} s: killed")
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
        self.condition.state, self.condition.pid = State.STOPPED, None

    async def _spawn(self) -> asyncio.subprocess.Process:
        name, argv = self.program.name, self.program.command.argv
        try:
            with self.log.open() as output:
                process = await asyncio.create_subprocess_exec(
                    *argv,
                    env=self._environment,
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    process_group=self._group,
                )
        except FileNotFoundError as error:
            raise StartFailed(f"{name}: there is no program {argv[0]}") from error
        except OSError as error:
            raise StartFailed(f"{name}: {argv[0]}: {error.strerror}") from error
        self._process, self.condition.pid = process, process.pid
        return process

    async def _came_up(self, process: asyncio.subprocess.Process, deadline: float) -> bool:
        """Wait for readiness; False when the process ended or the time is over."""
        while process.returncode is None and time.monotonic() < deadline:
            if await self.program.ready():
                self.condition.state = State.READY
                return True
            await asyncio.sleep(READY_LOOK)
        return False

    async def _keep(self, process: asyncio.subprocess.Process) -> None:
        pause, name, condition = FIRST_PAUSE, self.program.name, self.condition
        while True:
            began = time.monotonic()
            code = await process.wait()
            if time.monotonic() - began > STEADY_AFTER:
                pause = FIRST_PAUSE
            condition.state, condition.pid, condition.restarts = State.RESTARTING, None, condition.restarts + 1
            condition.note = f"ended with {_reason(code)}"
            self._report(f"{name} {condition.note}; starting it again in {pause:g} s (log: {self.log.path})")
            await asyncio.sleep(pause)
            pause = min(LONGEST_PAUSE, pause * 2)
            try:
                process = await self._spawn()
            except StartFailed as error:
                self._report(str(error))
                continue
            if await self._came_up(process, time.monotonic() + self.program.start_seconds):
                self._report(f"{name} is back")
            elif process.returncode is None:
                self._report(f"{name} is not ready after {self.program.start_seconds:.0f} s: killed")
                with contextlib.suppress(ProcessLookupError):
                    process.kill()

    def _with_log(self, text: str) -> str:
        tail = self.log.tail(TAIL_LINES)
        lines = "".join(f"\n  {line[:300]}" for line in tail)
        return f"{text}; its log {self.log.path} " + (f"ends with{lines}" if tail else "is empty")


def _reason(code: int | None) -> str:
    if code is not None and code < 0:
        with contextlib.suppress(ValueError):
            return signal.Signals(-code).name
    return f"exit code {code}"
