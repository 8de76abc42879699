"""Runs programs together: one process group, one warden, one end."""

import asyncio
import os
import sys
import time
from collections.abc import Callable, Mapping
from itertools import groupby
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from sensorcast_local.supervise.log_file import LogFile
from sensorcast_local.supervise.program import Condition, Program
from sensorcast_local.supervise.runner import Report, Runner
from sensorcast_local.supervise.warden import members

HOUSEKEEPING_SECONDS: Final = 5.0

STOP_SECONDS: Final = 8.0
"""How long all stages together may take to stop."""

RESERVED_SECONDS: Final = 1.5
"""What of that each stage leaves for every stage after it."""


class Supervisor:
    """Programs that live no longer than this object, and no longer than this process.

    Args:
        log_dir: Where each program's output goes.
        environment: What programs inherit, besides their own variables.
        report: Told what happens to them.
    """

    def __init__(self, *, log_dir: Path, environment: Mapping[str, str], report: Report) -> None:
        self._log_dir = log_dir
        self._environment = environment
        self._report = report
        self._runners: list[Runner] = []
        self._warden: asyncio.subprocess.Process | None = None
        self._group = 0
        self._housekeeping: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Start the warden."""
        self._warden = await self._start_warden(group=0)
        self._group = self._warden.pid
        self._housekeeping = asyncio.create_task(self._keep_house(), name="housekeeping")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop everything, stage by stage, then the warden."""
        if self._housekeeping is not None:
            self._housekeeping.cancel()
            await asyncio.wait([self._housekeeping])
        by_stage = sorted(self._runners, key=lambda runner: -runner.program.stage)
        stages = [list(stage) for _, stage in groupby(by_stage, key=lambda runner: runner.program.stage)]
        deadline = time.monotonic() + STOP_SECONDS
        for left, stage in zip(range(len(stages) - 1, -1, -1), stages, strict=True):
            within = max(RESERVED_SECONDS, deadline - time.monotonic() - left * RESERVED_SECONDS)
            await asyncio.gather(*(runner.stop(within=within) for runner in stage))
        if self._warden is not None and self._warden.stdin is not None:
            self._warden.stdin.close()
            await self._warden.wait()

    @property
    def group(self) -> int:
        """Process group of all programs."""
        return self._group

    @property
    def conditions(self) -> list[Condition]:
        """How every program is doing, in the order of their start."""
        return [runner.condition for runner in self._runners]

    async def start(self, *programs: Program, again: Callable[[], bool] = lambda: False) -> None:
        """Start programs beside each other and wait until all of them are ready.

        Args:
            *programs: What to start.
            again: As in `Runner.start`.

        Raises:
            StartFailed: One did not come up.
        """
        runners = [
            Runner(
                program,
                environment=self._environment,
                log=LogFile(self._log_dir / f"{program.name}.log"),
                group=self._group,
                report=self._report,
            )
            for program in programs
        ]
        self._runners += runners
        starting = [asyncio.create_task(runner.start(again=again)) for runner in runners]
        try:
            done, _ = await asyncio.wait(starting, return_when=asyncio.FIRST_EXCEPTION)
            for task in done:
                task.result()
        finally:
            for task in starting:
                task.cancel()
            await asyncio.gather(*starting, return_exceptions=True)

    def rss(self) -> int | None:
        """Bytes of memory that all programs and this process hold; `None` where that cannot be seen.

        What processes share is counted once for each of them.
        """
        pids = members(self._group)
        if pids is None:
            return None
        page = os.sysconf("SC_PAGE_SIZE")
        total = 0
        for pid in [os.getpid(), *pids]:
            try:
                total += int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * page
            except OSError:
                continue  # it has just ended
        return total

    async def _start_warden(self, *, group: int) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "sensorcast_local.supervise.warden",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
            process_group=group,
        )

    async def _keep_house(self) -> None:
        while True:
            await asyncio.sleep(HOUSEKEEPING_SECONDS)
            for runner in self._runners:
                runner.log.bound()
            if self._warden is not None and self._warden.returncode is not None:
                try:
                    self._warden = await self._start_warden(group=self._group)
                except OSError as error:
                    self._report(f"the warden has ended and cannot be started again: {error.strerror}")
