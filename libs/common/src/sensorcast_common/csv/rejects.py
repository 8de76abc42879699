"""What was not taken of a file, with row and reason, in a file beside it."""

import csv
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final, TextIO

from sensorcast_common.csv.readings import Rejected


class Rejects:
    """The file that keeps what was not taken; made when there is something to keep.

    Args:
        path: Where it goes; an older one is replaced.
        report: Told about the first few.
        verb: What did not happen to them.
        kept: Bytes of an older file to go on after; what follows them is dropped.
        count: How many are in those bytes.
    """

    SHOWN: Final = 5

    def __init__(
        self, path: Path, *, report: Callable[[str], None], verb: str = "sent", kept: int = 0, count: int = 0
    ) -> None:
        self.path = path
        self.count = count
        self._kept = kept
        self._verb = verb
        self._report = report
        self._file: TextIO | None = None

    def add(self, rejected: Iterable[Rejected]) -> None:
        """Keep them.

        Raises:
            OSError: The file cannot be written.
        """
        for each in rejected:
            if self._file is None:
                self._file = self._opened()
            csv.writer(self._file).writerow(each)
            self.count += 1
            if self.count <= self.SHOWN:
                where = f"row {each.row}" + (f", {each.column}" if each.column else "")
                self._report(f"not {self._verb}: {where}: {each.reason}")
            elif self.count == self.SHOWN + 1:
                self._report(f"not {self._verb}: more of them, all in {self.path}")

    def written(self) -> int:
        """Bytes that are in the file for sure.

        Raises:
            OSError: The file cannot be written.
        """
        if self._file is None:
            return self._kept
        self._file.flush()
        os.fsync(self._file.fileno())
        return self._file.tell()

    def _opened(self) -> TextIO:
        if self._kept:
            os.truncate(self.path, self._kept)
            return self.path.open("a", encoding="utf-8", newline="")
        file = self.path.open("w", encoding="utf-8", newline="")
        csv.writer(file).writerow(["row", "column", "text", "reason"])
        return file

    def close(self) -> None:
        """Finish the file."""
        if self._file is not None:
            self._file.close()


def beside(file: Path) -> Path:
    """Where the rejects of a file go: beside it, or here where that folder is not ours to write."""
    name = f"{file.stem}.rejected.csv"
    return file.with_name(name) if os.access(file.parent, os.W_OK) else Path(name)
