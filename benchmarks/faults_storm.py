"""What `faults.py` does to running programs: deaths, stand-stills and an AWS that does not answer."""

import asyncio
import os
import random
import signal
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

Kind = Literal["killed", "stood still", "restarted"]

SERVICES: Final = ("ingest", "archiver", "forecaster", "alerter", "api")
LONGEST_STANDSTILL: Final = 45.0
"""Seconds; longer than the visibility of a message and than a lease, so that somebody else takes over meanwhile."""

LONGEST_SILENCE: Final = 15.0
"""Seconds for which AWS answers nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Blow:
    """One thing that is done to one program.

    Attributes:
        program: Part of its command line.
        kind: What is done.
        seconds: How long it stands still.
    """

    program: str
    kind: Kind
    seconds: float = 0.0

    def __str__(self) -> str:
        return f"{self.program} {self.kind}" + (f" for {self.seconds:.0f} s" if self.seconds else "")


class Storm:
    """Blows at random moments, the same ones for the same seed.

    Args:
        seed: Of the random numbers.
        every: Seconds between two blows, on average.
        services: Which services are struck.
        process: Finds the process of a program; `None` while it does not run.
    """

    def __init__(
        self, *, seed: int, every: float, services: Sequence[str], process: Callable[[str], int | None]
    ) -> None:
        self._random = random.Random(seed)
        self._every = every
        self._services = services
        self._process = process
        self.dealt: Counter[str] = Counter()

    async def rage(self, report: Callable[[str], None]) -> None:
        """Go on until cancelled; what stands still then goes on too."""
        async with asyncio.TaskGroup() as blows:
            while True:
                await asyncio.sleep(self._random.uniform(0.5, 1.5) * self._every)
                blow = self._next()
                pid = self._process(blow.program)
                if pid is not None:
                    report(str(blow))
                    self.dealt[f"{blow.program} {blow.kind}"] += 1
                    blows.create_task(_deal(blow, pid))

    def _next(self) -> Blow:
        luck = self._random.random()
        if luck < 0.1:
            return Blow(
                program="sensorcast_local.emulator",
                kind="stood still",
                seconds=self._random.uniform(2, LONGEST_SILENCE),
            )
        if luck < 0.15:
            return Blow(program="mosquitto", kind="restarted")
        program = f"sensorcast-{self._random.choice(self._services)}"
        if luck < 0.4:
            return Blow(program=program, kind="stood still", seconds=self._random.uniform(2, LONGEST_STANDSTILL))
        return Blow(program=program, kind="killed")


async def _deal(blow: Blow, pid: int) -> None:
    match blow.kind:
        case "killed":
            _signal(pid, signal.SIGKILL)
        case "restarted":
            _signal(pid, signal.SIGTERM)
        case "stood still":
            _signal(pid, signal.SIGSTOP)
            try:
                await asyncio.sleep(blow.seconds)
            finally:
                _signal(pid, signal.SIGCONT)


def _signal(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return  # killed while it stood still
