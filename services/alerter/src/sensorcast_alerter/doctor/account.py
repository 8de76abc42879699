"""Whose account it is, and whether our clock agrees with AWS's."""

from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Final

from botocore.exceptions import BotoCoreError, ClientError

from sensorcast_alerter.doctor.finding import Finding, bad, doubtful, good, of_error
from sensorcast_common.clock import Clock, to_millis

if TYPE_CHECKING:
    from types_aiobotocore_sts import STSClient

WRONG_SECONDS: Final = 300.0
"""AWS refuses signatures that are five minutes off; readings that are five minutes ahead are quarantined."""

DOUBTFUL_SECONDS: Final = 5.0


async def check_account(sts: "STSClient", clock: Clock) -> list[Finding]:
    """Credentials and clock."""
    try:
        answer = await sts.get_caller_identity()
    except ClientError as error:
        headers = error.response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
        return [of_error("credentials", error, permission="sts:GetCallerIdentity"), *_skew(headers.get("date"), clock)]
    except BotoCoreError as error:
        return [of_error("credentials", error, permission="sts:GetCallerIdentity")]
    date = answer["ResponseMetadata"]["HTTPHeaders"].get("date")
    return [good(f"credentials: account {answer['Account']}, {answer['Arn']}"), *_skew(date, clock)]


def _skew(date: str | None, clock: Clock) -> list[Finding]:
    return [] if date is None else [clock_finding(date, now=clock())]


def clock_finding(date: str, *, now: int) -> Finding:
    """Compare our time with that of an answer.

    Args:
        date: The header `Date`, in whole seconds.
        now: Ours, in milliseconds since 1970 UTC.
    """
    skew = (now - to_millis(parsedate_to_datetime(date))) / 1000
    words = f"clock: {abs(skew):.0f} s {'ahead of' if skew > 0 else 'behind'} AWS"
    advice = "run a time service (chrony, systemd-timesyncd) on this machine"
    if abs(skew) >= WRONG_SECONDS:
        return bad(words, advice)
    return doubtful(words, advice) if abs(skew) >= DOUBTFUL_SECONDS else good("clock: as AWS has it")
