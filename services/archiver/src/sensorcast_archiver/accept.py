"""Takes a batch in, or refuses it: what passes here, both stores can hold."""

import math
import uuid
from typing import Final, NamedTuple

from sensorcast_archiver.lake.rows import Rows
from sensorcast_archiver.lake.write import LakeBatch
from sensorcast_common.batch import ReadingBatch
from sensorcast_common.errors import Poison
from sensorcast_common.names import is_name

MAX_MS: Final = 10**13
"""Times are below this, the year 2286: the hot store's sort keys have 13 digits."""


class HotBatch(NamedTuple):
    """A batch on its way into the hot store.

    Attributes:
        batch_id: UUID.
        rows: Its readings; the same object that waits for the lake, so that they are held once.
        trace: The traceparent of its handling, if that is recorded.
    """

    batch_id: str
    rows: Rows
    trace: str | None = None


class Accepted(NamedTuple):
    """A batch in the form that each store takes.

    Attributes:
        hot: For the hot store.
        lake: For the lake.
        oldest_received: Receipt of its first reading, in milliseconds since 1970 UTC.
    """

    hot: HotBatch
    lake: LakeBatch
    oldest_received: int


def accept(batch: ReadingBatch, *, trace: str | None = None) -> Accepted:
    """Check a batch, whose handling may be traced.

    Raises:
        Poison: No store could hold it; the reason names the field.
    """
    try:
        # Whatever spelling the producer has, the lake remembers the UUID.
        batch_id = str(uuid.UUID(batch.batch_id))
    except ValueError as error:
        raise Poison(f"batch_id: {batch.batch_id!r} is not a UUID") from error
    for reading in batch.readings:
        if not 0 <= reading.ts < MAX_MS:
            raise Poison(f"ts: {reading.ts} is not between 1970 and 2286")
        if not 0 <= reading.received_at < MAX_MS:
            raise Poison(f"received_at: {reading.received_at} is not between 1970 and 2286")
        if not math.isfinite(reading.value):
            raise Poison(f"value: {reading.value} is not finite")
    rows = Rows.of(batch.readings)
    for series in rows.series:
        for field in ("tenant", "device", "metric"):
            if not is_name(getattr(series, field)):
                raise Poison(f"{field}: {getattr(series, field)[:64]!r} is not a name")
    return Accepted(
        hot=HotBatch(batch_id, rows, trace),
        lake=LakeBatch(batch_id, batch.created_at, rows),
        oldest_received=min((reading.received_at for reading in batch.readings), default=batch.created_at),
    )
