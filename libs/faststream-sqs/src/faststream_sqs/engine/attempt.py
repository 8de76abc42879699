"""Makes one batch call for settlements and never raises, so that no settlement is forgotten."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from faststream_sqs.engine.calls import CALL_ERRORS, as_failure

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from faststream_sqs.engine.coalesce import Step
    from faststream_sqs.engine.port import Report
    from faststream_sqs.errors import EntryFailure

# The sender's fault in name, yet cured by a policy change, fresh credentials or a new attempt
_CURABLE = frozenset(
    {"AccessDenied", "AccessDeniedException", "ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId"}
    | {"UnrecognizedClientException", "SignatureDoesNotMatch", "RequestExpired", "BatchRequestTooLong"}
)


async def attempt(call: Awaitable[dict[int, EntryFailure]], *, entries: int, report: Report) -> dict[int, EntryFailure]:
    """The failures by index; a request that fails as a whole fails each of its entries."""
    try:
        return await call
    except CALL_ERRORS as error:
        failure = as_failure(error)
    except Exception as error:  # noqa: BLE001 - whatever it is, these messages must not be forgotten
        report.log(logging.ERROR, f"unexpected {type(error).__name__} while settling: {error}", error)
        failure = as_failure(error)
    return dict.fromkeys(range(entries), failure)


def is_final(failure: EntryFailure) -> bool:
    """Whether trying the same again is pointless."""
    return failure.sender_fault and failure.code not in _CURABLE


def note_repeat(what: str, step: Step, failure: EntryFailure, *, report: Report) -> None:
    """Say that a step is tried again; the first time in a low voice."""
    report.log(
        logging.WARNING if step.attempts else logging.INFO,
        f"{what} of message {step.message.message_id} failed and is tried again: {failure}",
    )
