"""Moves what waits in queue `quarantine` into the table, where a tenant can look at its own."""

from pydantic import ValidationError

from faststream_sqs import SQSBroker
from faststream_sqs.annotations import SQSMessage
from sensorcast_api.ports import Quarantine
from sensorcast_common.clock import Clock
from sensorcast_common.errors import Poison
from sensorcast_common.names import Names
from sensorcast_common.quarantine import Quarantined

_WORKERS = 4
_VISIBILITY = 60


def subscribe(broker: SQSBroker, names: Names, store: Quarantine, *, clock: Clock) -> None:
    """Take messages off the queue once the table holds them.

    A queue cannot be looked through by tenant, and every look counts as a receipt until the message is given up.

    Args:
        broker: Not started yet.
        names: Names of the stack.
        store: The table.
        clock: The present, from which the time to live counts.
    """

    @broker.subscriber(
        names.queue_quarantine,
        max_workers=_WORKERS,
        visibility_timeout=_VISIBILITY,
        dead_letter_queue=names.dead_letter(names.queue_quarantine),
        title="quarantine",
        description="Payloads that ingest could not accept; deleted once the table holds them.",
    )
    async def keep(message: SQSMessage) -> None:
        await store.put(read(message.body), now=clock())


def read(body: bytes) -> Quarantined:
    """A message of ingest's.

    Raises:
        Poison: It is not one.
    """
    try:
        return Quarantined.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"])) or "message"
        raise Poison(f"quarantine: {where}: {first['msg']}") from error
