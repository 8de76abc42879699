"""Notes what a handler raised, since FastStream's acknowledgement does not pass it on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from faststream import BaseMiddleware

from faststream_sqs.received import Received

if TYPE_CHECKING:
    from types import TracebackType


class FailureMiddleware(BaseMiddleware):
    """The outermost of the broker's middlewares: sees an error after all others have had their say."""

    async def after_processed(
        self,
        exc_type: type[BaseException] | None = None,  # noqa: ARG002 - FastStream's signature
        exc_val: BaseException | None = None,
        exc_tb: TracebackType | None = None,  # noqa: ARG002
    ) -> bool | None:
        """Put the error on the raw messages, where `nack` and `reject` find it."""
        messages = self.msg if isinstance(self.msg, Sequence) else (self.msg,)
        for message in messages:
            if isinstance(message, Received):
                message.failure = exc_val
        return False
