"""How far an import is, in a file beside it: what was interrupted goes on, what is done is not done twice."""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Final, Self

from sensorcast_common.csv.fault import CsvFault
from sensorcast_common.identity import new_id

_VERSION: Final = 1
_LOOKED_AT: Final = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Journal:
    """How far it is.

    Attributes:
        fingerprint: Of the file and of what was said about it.
        import_id: The lake's batches are named by it, so that one whose commit is in doubt is added once.
        received_at: When the import began, in milliseconds since 1970 UTC: the receipt of all its readings.
        rows: Rows whose readings are in the lake.
        readings: How many that are.
        rejected: Cells and rows that were not taken.
        rejects_bytes: Length of the rejects file by then.
        done: Whether the file is through.
    """

    fingerprint: str
    import_id: str
    received_at: int
    rows: int = 0
    readings: int = 0
    rejected: int = 0
    rejects_bytes: int = 0
    done: bool = False

    @classmethod
    def begin(cls, fingerprint: str, *, now: int) -> Self:
        """Of an import that begins."""
        return cls(fingerprint=fingerprint, import_id=new_id(), received_at=now)

    @classmethod
    def load(cls, path: Path, fingerprint: str) -> Self | None:
        """The journal of this import; `None` where there is none.

        Raises:
            CsvFault: It is of another file or other options, or cannot be read.
        """
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            version = content.pop("version")
            found = cls(**content)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise CsvFault(f"{path}: not the journal of an import: {error}") from error
        if version != _VERSION:
            raise CsvFault(f"{path}: not the journal of an import: of version {version}")
        if found.fingerprint != fingerprint:
            raise CsvFault(
                f"{path}: says how far another version of the file is, or the file with other options; "
                "give those again, or delete it to import anew"
            )
        return found

    def moved(self, *, rows: int, readings: int, rejected: int, rejects_bytes: int, done: bool) -> Self:
        """As it is after one more commit."""
        return replace(self, rows=rows, readings=readings, rejected=rejected, rejects_bytes=rejects_bytes, done=done)

    def save(self, path: Path) -> None:
        """Write it as a whole or not at all.

        Raises:
            OSError: It cannot be written.
        """
        beside = path.with_name(path.name + ".new")
        with beside.open("w", encoding="utf-8") as file:
            json.dump({"version": _VERSION, **asdict(self)}, file)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)


def fingerprint(path: Path, options: Mapping[str, object]) -> str:
    """Of a file's size, its time, its beginning and what was said about it."""
    state = path.stat()
    digest = sha256(json.dumps([state.st_size, state.st_mtime_ns, options], sort_keys=True, default=str).encode())
    with path.open("rb") as file:
        digest.update(file.read(_LOOKED_AT))
    return digest.hexdigest()
