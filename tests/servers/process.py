"""A server that a test started, as a process of its own."""

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from sensorcast_local.command import Command

START_DEADLINE = 90.0  # s
STOP_DEADLINE = 10.0  # s


class ServerProcess:
    """Runs a command until told otherwise; ended by its pid, whatever the test did.

    Args:
        name: For messages.
        command: What to run.
        ready: Tells whether it answers.
        log: File for what it prints.
    """

    def __init__(self, *, name: str, command: Command, ready: Callable[[], bool], log: Path) -> None:
        self.name = name
        self.command = command
        self.log = log
        self._ready = ready
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Process id while it runs."""
        assert self._process is not None, f"{self.name} does not run"
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """How it ended by itself; `None` while it runs."""
        assert self._process is not None, f"{self.name} was not started"
        return self._process.poll()

    def start(self) -> None:
        """Start it and wait until it is ready.

        Raises:
            RuntimeError: It ended or was not ready in time; the message carries what it printed.
        """
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self.command.argv,
                env=os.environ | self.command.env,  # noqa: TID251 - a child inherits it
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + START_DEADLINE
        while not self._ready():
            if self._process.poll() is not None or time.monotonic() > deadline:
                code = self._process.poll()
                self.stop()
                printed = self.log.read_text(errors="replace")[-4000:]
                raise RuntimeError(f"{self.name} is not ready (exit code {code}):\n{printed}")
            time.sleep(0.05)

    def stop(self) -> None:
        """End it in good order, or the hard way when that takes too long."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(STOP_DEADLINE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(STOP_DEADLINE)
        self._process = None

    def kill(self) -> None:
        """End it as a power cut would."""
        assert self._process is not None, f"{self.name} does not run"
        self._process.send_signal(signal.SIGKILL)
        self._process.wait(STOP_DEADLINE)
        self._process = None

    def restart(self) -> None:
        """Stop it in good order and start it again with the same command."""
        self.stop()
        self.start()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
