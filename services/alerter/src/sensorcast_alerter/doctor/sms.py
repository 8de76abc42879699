"""Whether SNS would deliver SMS: sandbox, verified numbers, spend limit, numbers that opted out."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

from botocore.exceptions import BotoCoreError, ClientError

from sensorcast_alerter.doctor.finding import Finding, bad, doubtful, good, of_error

if TYPE_CHECKING:
    from types_aiobotocore_sns import SNSClient

DEFAULT_LIMIT_USD: Final = 1.0
"""What a new account may spend on SMS in a month: a few dozen messages."""

_LEAVE: Final = "leave it: SNS console, Text messaging (SMS), Exit SMS sandbox; it takes a day"
_RAISE: Final = "raise it: Service Quotas, Amazon SNS, then set MonthlySpendLimit in the SMS preferences"


async def check_sms(sns: "SNSClient", numbers: Sequence[str]) -> list[Finding]:
    """What SNS says about the account and the numbers that rules and recipients name."""
    return [*await _sandbox(sns, numbers), await check_spend(sns), *await check_opted_out(sns, numbers)]


async def check_spend(sns: "SNSClient") -> Finding:
    """How much the account may spend on SMS."""
    try:
        attributes = (await sns.get_sms_attributes()).get("attributes", {})
    except (ClientError, BotoCoreError) as error:
        return of_error("SMS spend limit", error, permission="sns:GetSMSAttributes")
    return spend_finding(attributes.get("MonthlySpendLimit"))


async def _sandbox(sns: "SNSClient", numbers: Sequence[str]) -> list[Finding]:
    try:
        if not (await sns.get_sms_sandbox_account_status())["IsInSandbox"]:
            return [good("SMS sandbox: the account is out of it")]
        verified: list[str] = []
        async for page in sns.get_paginator("list_sms_sandbox_phone_numbers").paginate():
            verified += [each["PhoneNumber"] for each in page["PhoneNumbers"] if each.get("Status") == "Verified"]
    except (ClientError, BotoCoreError) as error:
        return [of_error("SMS sandbox", error, permission="sns:GetSMSSandboxAccountStatus")]
    return sandbox_findings(verified, numbers)


async def check_opted_out(sns: "SNSClient", numbers: Sequence[str]) -> list[Finding]:
    """The numbers whose owners want nothing more."""
    findings: list[Finding] = []
    for number in numbers:
        try:
            answer = await sns.check_if_phone_number_is_opted_out(phoneNumber=number)
        except (ClientError, BotoCoreError) as error:
            permission = "sns:CheckIfPhoneNumberIsOptedOut"
            return [*findings, of_error("numbers that opted out", error, permission=permission)]
        if answer["isOptedOut"]:
            findings.append(bad(f"{number} has opted out", "its owner must agree: sns:OptInPhoneNumber, once a month"))
    return findings or ([good(f"numbers: none of {len(numbers)} has opted out")] if numbers else [])


def sandbox_findings(verified: Iterable[str], numbers: Sequence[str]) -> list[Finding]:
    """What the sandbox means for the numbers: it lets only verified ones be reached."""
    missing = sorted(set(numbers) - set(verified))
    findings = [doubtful("SMS sandbox: the account is in it, only verified numbers are reached", _LEAVE)]
    findings += [
        bad(f"{number} is not verified", "verify it in the sandbox, or leave the sandbox") for number in missing
    ]
    return findings


def spend_finding(limit: str | None) -> Finding:
    """What the monthly limit means.

    Args:
        limit: In US dollars, as SNS writes it; absent where nobody has set one.
    """
    dollars = DEFAULT_LIMIT_USD if limit is None else float(limit)
    words = f"SMS spend limit: {dollars:g} USD a month"
    return good(words) if dollars > DEFAULT_LIMIT_USD else doubtful(f"{words}, which is soon spent", _RAISE)
