"""The command `sensorcast doctor`: would an alert arrive? Exit code 1 where it would not."""

import asyncio
from collections.abc import Iterable
from typing import Annotated

import typer
from botocore.exceptions import BotoCoreError, ClientError

from sensorcast_alerter.doctor.access import check_access
from sensorcast_alerter.doctor.account import check_account
from sensorcast_alerter.doctor.finding import Finding, Outcome, doubtful, good
from sensorcast_alerter.doctor.sms import check_sms
from sensorcast_alerter.doctor.stack import check_queues, check_tables
from sensorcast_alerter.doctor.ways import check_mqtt, check_ses, check_smtp
from sensorcast_alerter.notify.country import country_of
from sensorcast_alerter.settings import AlerterSettings
from sensorcast_common.aws import Aws
from sensorcast_common.clock import Clock, system_clock
from sensorcast_common.names import Names
from sensorcast_common.settings import SettingsError, load
from sensorcast_common.tables.contacts import ContactsTable
from sensorcast_common.tables.rules import RulesTable

_ORDER = {Outcome.FAIL: "FAIL", Outcome.WARN: "warn", Outcome.OK: "ok"}


def doctor(
    stack: Annotated[str | None, typer.Option(help="Prefix of the AWS names; SENSORCAST_STACK by default.")] = None,
) -> None:
    """Check whether alerts would arrive, and say what to do; it needs the alerter's settings in the environment.

    It looks at credentials, clock, tables and queues and the access to them, the SNS sandbox and its numbers, the spend
    limit, MQTT and mail. It changes and sends nothing. The exit code is 1 where something fails.
    """
    try:
        settings = load(AlerterSettings)
    except SettingsError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from error
    findings = asyncio.run(examine(settings, stack=stack or settings.stack))
    for finding in findings:
        typer.echo(f"{_ORDER[finding.outcome]:4}  {finding.what}")
        if finding.advice:
            typer.echo(f"      -> {finding.advice}")
    if any(finding.outcome is Outcome.FAIL for finding in findings):
        raise typer.Exit(1)


async def examine(
    settings: AlerterSettings, *, stack: str, aws: Aws | None = None, clock: Clock = system_clock
) -> list[Finding]:
    """Every check, in the order of the report."""
    aws, names = aws or Aws(), Names(stack)
    async with (
        aws.client("sts") as sts,
        aws.client("dynamodb") as dynamodb,
        aws.client("sqs") as sqs,
        aws.client("sns") as sns,
    ):
        findings = await check_account(sts, clock)
        findings += await check_tables(dynamodb, names)
        findings += await check_queues(sqs, names)
        if not any(finding.outcome is Outcome.FAIL for finding in findings):
            findings += await check_access(dynamodb, sqs, names)
        try:
            numbers = await _numbers(RulesTable(dynamodb, names), ContactsTable(dynamodb, names))
        except (ClientError, BotoCoreError) as error:
            findings.append(doubtful(f"numbers: cannot be read: {type(error).__name__}", "mend the tables first"))
            numbers = []
        findings += country_findings(numbers, settings.sms_countries)
        findings += await check_sms(sns, numbers)
    if settings.alert_mqtt:
        findings.append(await check_mqtt(settings))
    return findings + await _mail(settings, aws)


async def _numbers(rules: RulesTable, contacts: ContactsTable) -> list[str]:
    """The numbers that somebody has named, each once."""
    numbers = {number async for rule in rules.every() if rule.enabled for number in rule.sms}
    numbers |= {each.sms for each in (await contacts.every()).recipients if each.enabled and each.sms}
    return sorted(numbers)


async def _mail(settings: AlerterSettings, aws: Aws) -> list[Finding]:
    if settings.email == "smtp":
        return [await check_smtp(settings.mail_server)]
    if settings.email == "ses" and settings.email_from is not None:
        async with aws.client("sesv2") as ses:
            return await check_ses(ses, settings.email_from)
    return [good("mail: off")]


def country_findings(numbers: Iterable[str], allowed: Iterable[str]) -> list[Finding]:
    """The numbers that the country list keeps from being told."""
    countries = frozenset(allowed)
    return [
        doubtful(
            f"{number} ({country_of(number) or 'no country'}) is in no allowed country",
            "add the country to SENSORCAST_SMS_COUNTRIES, or mend the number",
        )
        for number in numbers
        if countries and country_of(number) not in countries
    ]
