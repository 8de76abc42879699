"""Lets only one `up` use a data folder; the kernel lets go of the lock however its holder ends."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sensorcast_local.faults import Fault


@contextmanager
def only_one(data_dir: Path) -> Iterator[bool]:
    """Hold the data folder; yields whether the `up` before was killed, so that its programs may still be ending.

    Raises:
        Fault: Another `up` holds it, or it cannot be written.
    """
    path = data_dir / "up.lock"
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        file = path.open("a+", encoding="utf-8")
    except OSError as error:
        raise Fault(f"--data-dir: {data_dir}: {error.strerror}") from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.seek(0)
            holder = file.read().strip() or "unknown"
            raise Fault(
                f"another `sensorcast up` (process {holder}) runs with {data_dir}: "
                "stop it, or choose another --data-dir"
            ) from error
        file.seek(0)
        killed = bool(file.read())
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        try:
            yield killed
        finally:
            file.truncate(0)
