"""What to run, and how it is doing."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum

from sensorcast_local.command import Command

Ready = Callable[[], Awaitable[bool]]
"""Tells whether a program does its work; called again and again until it does."""


class State(StrEnum):
    """How a program is doing."""

    STARTING = "starting"
    READY = "ready"
    RESTARTING = "restarting"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """What to run.

    Attributes:
        name: What people call it; also the name of its log.
        command: Arguments and environment.
        ready: Whether it does its work.
        stage: Programs of a higher stage are stopped first, those of one stage together.
        start_seconds: How long it may take to be ready.
        stop_seconds: How long it may take to end after SIGTERM, before SIGKILL.
    """

    name: str
    command: Command
    ready: Ready
    stage: int
    start_seconds: float = 30.0
    stop_seconds: float = 3.0


@dataclass(slots=True)
class Condition:
    """How a program is doing, for the status.

    Attributes:
        name: The program's.
        state: As the name says.
        pid: Process id; `None` while there is no process.
        restarts: How often it was started again.
        note: What happened last, in a few words.
    """

    name: str
    state: State = State.STARTING
    pid: int | None = None
    restarts: int = 0
    note: str = ""


class StartFailed(Exception):  # noqa: N818 - says what happened
    """A program did not come up; the message ends with the last lines of its log."""
