"""What a handler sees of an SQS message, one or a batch."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from faststream.message import StreamMessage

from faststream_sqs.errors import BatchFailures, UndecodableMessagesError
from faststream_sqs.received import Received

if TYPE_CHECKING:
    from collections.abc import Iterable


class SQSMessage(StreamMessage[Received]):
    """One message; `ack`, `nack` and `reject` decide its fate, the broker then carries it out in batches."""

    @property
    def receive_count(self) -> int:
        """How often SQS has delivered this message, this time included."""
        return self.raw_message.receive_count

    @property
    def sent_at(self) -> datetime | None:
        """When SQS took the message."""
        sent = self.raw_message.attributes.get("SentTimestamp")
        return None if sent is None else datetime.fromtimestamp(int(sent) / 1000, UTC)

    @property
    def lost(self) -> bool:
        """Whether others may have received the message meanwhile, since its visibility could not be extended."""
        return self.raw_message.lost

    async def ack(self) -> None:
        """Delete the message."""
        self.raw_message.settlement.delete(self.raw_message)
        await super().ack()

    async def nack(self, *, after: float | None = None) -> None:
        """Leave the message in the queue, visible again after `after` seconds or the subscriber's backoff."""
        self.raw_message.settlement.fail(self.raw_message, self.raw_message.failure, after=after)
        await super().nack()

    async def reject(self, *, reason: str | None = None) -> None:
        """Move the message to the dead-letter queue."""
        failure = self.raw_message.failure
        self.raw_message.settlement.dead_letter(
            self.raw_message, reason or (repr(failure) if failure is not None else "rejected by its handler")
        )
        await super().reject()


class SQSBatchMessage(StreamMessage[Sequence[Received]]):
    """A list of messages that one handler call takes."""

    async def ack(self) -> None:
        """Delete all messages, unless some could not be decoded: then only these, as the others come again."""
        undecodable = self._undecodable()
        for message in self.raw_message if undecodable is None else [m for m, _ in undecodable]:
            message.settlement.delete(message)
        await super().ack()

    async def nack(self, *, after: float | None = None) -> None:
        """Leave all messages in the queue, or after `BatchFailures` only those it names."""
        for message, error in self._judged():
            if error is None:
                message.settlement.delete(message)
            else:
                message.settlement.fail(message, None if error is _WHOLE else error, after=after)
        await super().nack()

    async def reject(self, *, reason: str | None = None) -> None:
        """Move all messages to the dead-letter queue, or after `BatchFailures` only those it names."""
        for message, error in self._judged():
            if error is None:
                message.settlement.delete(message)
            else:
                why = "rejected by its handler" if error is _WHOLE else repr(error)
                message.settlement.dead_letter(message, reason or why)
        await super().reject()

    def _judged(self) -> Iterable[tuple[Received, BaseException | None]]:
        """Each message with its error; `None` means that it was handled."""
        failure = self.raw_message[0].failure if self.raw_message else None
        if (undecodable := self._undecodable()) is not None:
            return undecodable
        if not isinstance(failure, BatchFailures):
            return [(message, failure or _WHOLE) for message in self.raw_message]
        by_place = {_place(key, self.raw_message): error for key, error in failure.failures.items()}
        if None in by_place:  # it names a message that is not here: delete nothing on such evidence
            return [(message, by_place.get(index, _WHOLE)) for index, message in enumerate(self.raw_message)]
        return [(message, by_place.get(index)) for index, message in enumerate(self.raw_message)]

    def _undecodable(self) -> list[tuple[Received, BaseException | None]] | None:
        """The messages that kept the handler from being called, where that is what happened."""
        failure = self.raw_message[0].failure if self.raw_message else None
        if not isinstance(failure, UndecodableMessagesError):
            return None
        return [(self.raw_message[index], error) for index, error in failure.failures.items()]


_WHOLE = Exception("the whole batch failed")


def _place(key: int | str, messages: Sequence[Received]) -> int | None:
    if isinstance(key, int):
        return key if 0 <= key < len(messages) else None
    return next((index for index, message in enumerate(messages) if message.message_id == key), None)
