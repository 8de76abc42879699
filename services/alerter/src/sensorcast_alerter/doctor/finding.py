"""What a check has found, and what to do about it."""

from dataclasses import dataclass
from enum import StrEnum

from botocore.exceptions import BotoCoreError, ClientError

UNKNOWN_ACTIONS = frozenset({"InvalidAction", "UnknownOperation", "404", "InternalError", "500", "501"})
"""What emulators answer to what they have not: it says nothing about an account."""


class Outcome(StrEnum):
    """How a check ended."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report.

    Attributes:
        outcome: Whether something must be done.
        what: What was found.
        advice: What to do about it.
    """

    outcome: Outcome
    what: str
    advice: str = ""


def good(what: str) -> Finding:
    """Nothing to do."""
    return Finding(Outcome.OK, what)


def doubtful(what: str, advice: str) -> Finding:
    """Alerts may not arrive."""
    return Finding(Outcome.WARN, what, advice)


def bad(what: str, advice: str) -> Finding:
    """Alerts will not arrive."""
    return Finding(Outcome.FAIL, what, advice)


def is_denied(error: ClientError) -> bool:
    """Whether AWS refuses for want of permission."""
    code = error.response["Error"].get("Code", "")
    return "Denied" in code or code in {"AuthorizationError", "UnauthorizedOperation"}


def of_error(what: str, error: BotoCoreError | ClientError, *, permission: str) -> Finding:
    """What an error of AWS means for a check.

    Args:
        what: What was asked.
        error: The answer.
        permission: The IAM action it needs.
    """
    if not isinstance(error, ClientError):
        return bad(f"{what}: {type(error).__name__}: {error}", "check network, region and AWS_ENDPOINT_URL")
    code = error.response["Error"].get("Code", "")
    if code in UNKNOWN_ACTIONS:
        return doubtful(f"{what}: this endpoint cannot tell ({code})", "an emulator has no such thing; ask AWS itself")
    if is_denied(error):
        return bad(f"{what}: access denied", f"allow {permission} to whoever runs this")
    return bad(f"{what}: {code}: {error.response['Error'].get('Message', '')}", "see the message")
