"""Ends a process group when the process that holds the other end of our standard input has gone, however it went.

The supervisor puts every program it starts into this process's group. A process that is killed with SIGKILL can clean
up nothing itself; its end of the pipe is closed all the same. This works for the children of children too, and, other
than Linux's PR_SET_PDEATHSIG, everywhere.
"""

import os
import signal
import sys
import time
from pathlib import Path
from typing import Final

GRACE: Final = 5.0
"""Seconds between SIGTERM and SIGKILL."""

LOOK: Final = 0.1
PROC: Final = Path("/proc")


def members(group: int) -> list[int] | None:
    """Processes of a group but zombies; `None` where the system has no /proc to look at."""
    if not (PROC / "self" / "stat").exists():
        return None
    found = []
    for entry in PROC.iterdir():
        if entry.name.isdigit():
            try:
                # After the name, which is in brackets and may hold anything: state, parent, group.
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue  # it has just ended
            if int(fields[2]) == group and fields[0] != "Z":
                found.append(int(entry.name))
    return found


def main() -> int:
    """Wait for the end of standard input, then end the group."""
    for ignored in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    sys.stdin.buffer.read()
    group = os.getpgrp()
    os.killpg(group, signal.SIGTERM)
    deadline = time.monotonic() + GRACE
    while time.monotonic() < deadline:
        if members(group) == [os.getpid()]:
            return 0
        time.sleep(LOOK)
    os.killpg(group, signal.SIGKILL)
    return 0


if __name__ == "__main__":
    sys.exit(main())
