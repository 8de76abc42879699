"""Puts new files in the place of old ones in one commit, beside writers that go on appending."""

import random
import time
from collections.abc import Callable, Sequence
from typing import Final

from pyiceberg.exceptions import CommitFailedException, CommitStateUnknownException, ValidationException
from pyiceberg.manifest import DataFile
from pyiceberg.table import Table

from sensorcast_archiver.lake.write import without_blind_retries
from sensorcast_common import logs

log = logs.logger(__name__)

_ATTEMPTS: Final = 12
_FIRST_WAIT: Final = 0.1
_LONGEST_WAIT: Final = 5.0


class Overtaken(Exception):  # noqa: N818 - somebody else did the work
    """Another has replaced the old files meanwhile; nothing was changed."""


def live_files(table: Table) -> dict[str, DataFile]:
    """The data files of the current snapshot, by path."""
    return {task.file.file_path: task.file for task in table.scan().plan_files()}


def replace_files(
    table: Table, old: Sequence[DataFile], new: Sequence[DataFile], *, sleep: Callable[[float], None] = time.sleep
) -> None:
    """Commit `new` in the place of `old`.

    An archiver that appends meanwhile wins, for its commit is refused otherwise; then the same exchange is made on top
    of its snapshot. It never looks at what was appended, so nothing of that is lost.

    Raises:
        Overtaken: An old file is no longer there; the new ones are deleted.
        CommitFailedException: Others came first too often; the new files are deleted.
    """
    wanted = {file.file_path for file in new}
    in_doubt = False
    for attempt in range(_ATTEMPTS):
        if attempt:
            sleep(random.uniform(0.5, 1) * min(_LONGEST_WAIT, _FIRST_WAIT * 2 ** (attempt - 1)))  # noqa: S311 - jitter
        table.refresh()
        there = live_files(table)
        if in_doubt and wanted <= there.keys() and not any(file.file_path in there for file in old):
            return  # it took place
        if any(file.file_path not in there for file in old):
            discard(table, new)
            raise Overtaken("its files were replaced by another")
        try:
            _commit(table, [there[file.file_path] for file in old], new)
        except (CommitFailedException, ValidationException) as error:
            log.info("an exchange of files lost against another writer", attempt=attempt + 1, reason=str(error))
        except CommitStateUnknownException as error:
            in_doubt = True
            log.warning("an exchange of files is in doubt; the snapshots will tell", reason=str(error))
        else:
            table.refresh()
            return
    if not in_doubt:
        discard(table, new)
    raise CommitFailedException(f"lost against other writers {_ATTEMPTS} times")


def _commit(table: Table, old: Sequence[DataFile], new: Sequence[DataFile]) -> None:
    transaction = without_blind_retries(table).transaction()
    with transaction.update_snapshot().overwrite() as overwrite:
        for file in old:
            overwrite.delete_data_file(file)
        for file in new:
            overwrite.append_data_file(file)
    transaction.commit_transaction()


def discard(table: Table, files: Sequence[DataFile]) -> None:
    """Delete files that no snapshot refers to."""
    for file in files:
        try:
            table.io.delete(file.file_path)
        except OSError as error:
            log.warning("an unused file stays in the lake's bucket", path=file.file_path, reason=str(error))
