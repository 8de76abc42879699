"""What is sent: a response or batch entry of its own headers, and the command a producer executes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Self

from faststream.response import BatchPublishCommand, PublishCommand, PublishType, Response

from faststream_sqs.limits import MAX_DELAY

if TYPE_CHECKING:
    from collections.abc import Mapping

Kind = Literal["queue", "topic"]


class SQSResponse(Response):
    """A body with headers and delay of its own: what a handler returns, or one entry of `publish_batch`.

    Args:
        body: The message.
        headers: Message attributes.
        correlation_id: `None` means the one of the handled message, or a new one.
        delay: Whole seconds until a queue shows the message; topics have no delay.
    """

    def __init__(
        self,
        body: Any,  # noqa: ANN401 - whatever FastStream can encode
        *,
        headers: Mapping[str, Any] | None = None,
        correlation_id: str | None = None,
        delay: int | None = None,
    ) -> None:
        super().__init__(body, headers=dict(headers or {}), correlation_id=correlation_id)
        self.delay = delay

    def as_publish_command(self) -> SQSPublishCommand:
        """The command that sends it."""
        return SQSPublishCommand(
            self.body,
            headers=self.headers,
            correlation_id=self.correlation_id,
            delay=self.delay,
            _publish_type=PublishType.PUBLISH,
        )


PublishEntry = SQSResponse


class SQSPublishCommand(BatchPublishCommand):
    """One message, or several, to one queue or topic."""

    def __init__(
        self,
        body: Any,  # noqa: ANN401 - whatever FastStream can encode
        /,
        *bodies: Any,  # noqa: ANN401
        _publish_type: PublishType,
        destination: str = "",
        kind: Kind = "queue",
        headers: dict[str, Any] | None = None,
        correlation_id: str | None = None,
        reply_to: str = "",
        delay: int | None = None,
    ) -> None:
        super().__init__(
            body,
            *bodies,
            _publish_type=_publish_type,
            destination=destination,
            headers=headers,
            correlation_id=correlation_id,
            reply_to=reply_to,
        )
        if delay is not None and not 0 <= delay <= MAX_DELAY:
            raise ValueError(f"delay: expected 0 to {MAX_DELAY} s, got {delay}")
        self.kind: Kind = kind
        self.delay = delay

    @classmethod
    def from_cmd(cls, cmd: PublishCommand, *, batch: bool = False) -> Self:
        """The same command with what SQS needs; with `batch` a list body becomes several messages."""
        if isinstance(cmd, cls):
            if batch and not cmd.extra_bodies:
                cmd.body, cmd.extra_bodies = cls._parse_bodies(cmd.body, batch=True)
            return cmd
        body, extra = cls._parse_bodies(cmd.body, batch=batch)
        return cls(
            body,
            *extra,
            destination=cmd.destination,
            headers=cmd.headers,
            correlation_id=cmd.correlation_id,
            reply_to=cmd.reply_to,
            _publish_type=cmd.publish_type,
        )


def destination_of(*, queue: str | None, topic: str | None) -> tuple[str, Kind]:
    """The one destination a publish names.

    Raises:
        ValueError: Neither or both of `queue` and `topic` are given.
    """
    if (queue is None) == (topic is None):
        raise ValueError(f"queue, topic: expected one of them, got queue={queue!r} and topic={topic!r}")
    return (queue, "queue") if queue is not None else (topic or "", "topic")
