"""The log of one program: emptied into a second file at each start and when it grows too large."""

import shutil
from pathlib import Path
from typing import IO, Final

MAX_BYTES: Final = 10 * 1024 * 1024
TAIL_BYTES: Final = 4096


class LogFile:
    """A file that a program writes its output to.

    Args:
        path: Where; the one before goes to the same name with `.1`.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists():
            path.replace(self._old)

    def open(self) -> IO[bytes]:
        """The file to write to; everything is appended, so that `bound` may empty it while it is written."""
        return self.path.open("ab")

    def bound(self) -> None:
        """Move what is there to the second file when it is more than `MAX_BYTES`."""
        if self.path.exists() and self.path.stat().st_size > MAX_BYTES:
            shutil.copyfile(self.path, self._old)
            with self.path.open("r+b") as file:
                file.truncate()

    def tail(self, lines: int) -> list[str]:
        """The last lines."""
        if not self.path.exists():
            return []
        with self.path.open("rb") as file:
            file.seek(max(0, self.path.stat().st_size - TAIL_BYTES))
            text = file.read().decode(errors="replace")
        return [line for line in text.splitlines() if line.strip()][-lines:]

    @property
    def _old(self) -> Path:
        return self.path.with_name(self.path.name + ".1")
