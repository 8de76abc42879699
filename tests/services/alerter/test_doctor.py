"""The doctor finds what would keep an alert from arriving, and says what to do."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from urllib.parse import parse_qs

import pytest
from aiohttp import web
from tests.servers.aws import AwsAccount, DeployedStack, MotoServer
from tests.servers.broker import MosquittoServer
from typer.testing import CliRunner

from sensorcast_alerter.doctor.access import check_access
from sensorcast_alerter.doctor.account import clock_finding
from sensorcast_alerter.doctor.command import country_findings, examine
from sensorcast_alerter.doctor.finding import Finding, Outcome
from sensorcast_alerter.doctor.sms import check_opted_out, check_sms, check_spend, spend_finding
from sensorcast_alerter.doctor.stack import check_queues
from sensorcast_alerter.doctor.ways import check_mqtt, check_ses
from sensorcast_alerter.settings import AlerterSettings
from sensorcast_common.cli import build
from sensorcast_common.mqtt import MqttSettings
from sensorcast_common.names import Names
from sensorcast_common.recipient import Recipient
from sensorcast_common.tables.contacts import ContactsTable
from sensorcast_local.command import LOOPBACK, free_port

NUMBER, OTHER = "+4915112345678", "+4915187654321"

ANSWERS = {
    "GetSMSSandboxAccountStatus": "<IsInSandbox>true</IsInSandbox>",
    "ListSMSSandboxPhoneNumbers": (
        f"<PhoneNumbers><member><PhoneNumber>{NUMBER}</PhoneNumber><Status>Verified</Status></member>"
        f"<member><PhoneNumber>{OTHER}</PhoneNumber><Status>Pending</Status></member></PhoneNumbers>"
    ),
    "GetSMSAttributes": ("<attributes><entry><key>MonthlySpendLimit</key><value>1</value></entry></attributes>"),
    "CheckIfPhoneNumberIsOptedOut": "<isOptedOut>false</isOptedOut>",
}


@asynccontextmanager
async def answering(answer: Callable[[web.Request], Awaitable[web.Response]]) -> AsyncIterator[AwsAccount]:
    """An AWS that is nothing but this."""
    app = web.Application()
    app.router.add_post("/", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, LOOPBACK, port).start()
    try:
        yield AwsAccount(
            endpoint_url=f"http://{LOOPBACK}:{port}", account_id="1" * 12, access_key="1" * 12, secret_key="secret"
        )
    finally:
        await runner.cleanup()


@asynccontextmanager
async def account_in_the_sandbox() -> AsyncIterator[AwsAccount]:
    """An SNS that answers as AWS does for a new account; no emulator has the sandbox."""

    async def answer(request: web.Request) -> web.Response:
        action = parse_qs((await request.read()).decode())["Action"][0]
        body = f"<{action}Response><{action}Result>{ANSWERS[action]}</{action}Result></{action}Response>"
        return web.Response(text=body, content_type="text/xml")

    async with answering(answer) as account:
        yield account


def settings(**fields: object) -> AlerterSettings:
    return AlerterSettings.model_validate({"alert_mqtt": False, **fields})


def lines(findings: list[Finding], *outcomes: Outcome) -> list[str]:
    return [finding.what for finding in findings if not outcomes or finding.outcome in outcomes]


async def test_a_number_that_the_sandbox_does_not_let_through_fails() -> None:
    async with account_in_the_sandbox() as account, account.aws.client("sns") as sns:
        findings = await check_sms(sns, [NUMBER, OTHER])
    assert lines(findings, Outcome.FAIL) == [f"{OTHER} is not verified"]
    assert lines(findings, Outcome.WARN) == [
        "SMS sandbox: the account is in it, only verified numbers are reached",
        "SMS spend limit: 1 USD a month, which is soon spent",
    ]
    assert all(finding.advice for finding in findings if finding.outcome is not Outcome.OK)


async def test_the_spend_limit_and_opted_out_numbers_are_asked_of_sns(moto_server: MotoServer) -> None:
    account = await moto_server.new_account()
    async with account.aws.client("sns") as sns:
        await sns.set_sms_attributes(attributes={"MonthlySpendLimit": "50"})
        opted_out = await check_opted_out(sns, ["+4915112345699", NUMBER])
        assert lines(opted_out) == ["+4915112345699 has opted out"]
        assert lines([await check_spend(sns)], Outcome.OK) == ["SMS spend limit: 50 USD a month"]


async def test_a_stack_that_is_well_passes_until_dead_letters_wait(stack: DeployedStack) -> None:
    async with stack.aws.client("dynamodb") as dynamodb:
        anna = Recipient(tenant="demo", recipient_id="anna", name="Anna", roles=["driver"], sms=NUMBER)
        await ContactsTable(dynamodb, stack.names).recipients.put(anna)
    findings = await examine(settings(sms_countries="AT"), stack=stack.names.stack, aws=stack.aws)
    assert lines(findings, Outcome.FAIL) == []
    assert lines(findings, Outcome.WARN) == [
        f"{NUMBER} (DE) is in no allowed country",
        "SMS sandbox: this endpoint cannot tell (InvalidAction)",
        "SMS spend limit: this endpoint cannot tell (InvalidAction)",
        "numbers that opted out: this endpoint cannot tell (InvalidAction)",
    ]
    assert "clock: as AWS has it" in lines(findings, Outcome.OK)
    assert "access: reads 4 tables, writes 2, takes from sensorcast-watch" in lines(findings, Outcome.OK)
    async with stack.aws.client("sqs") as sqs:
        name = stack.names.dead_letter(stack.names.queue_watch)
        url = (await sqs.get_queue_url(QueueName=name))["QueueUrl"]
        await sqs.send_message(QueueUrl=url, MessageBody="poison")
        assert lines(await check_queues(sqs, stack.names)) == [f"queue {name}: 1 messages could not be handled"]


async def test_the_command_ends_with_1_where_the_stack_is_missing(account: AwsAccount) -> None:
    env = {**account.env, "SENSORCAST_ALERT_MQTT": "false"}
    result = await asyncio.to_thread(CliRunner().invoke, build(only="doctor"), ["doctor"], env=env)
    assert result.exit_code == 1, result.output
    assert "FAIL  table sensorcast-contacts does not exist\n      -> deploy the stack" in result.output
    assert "FAIL  queue sensorcast-watch does not exist" in result.output


async def test_a_broker_that_is_away_fails_and_one_that_is_there_does_not(mosquitto: MosquittoServer) -> None:
    assert (await check_mqtt(MqttSettings(mqtt_url=mosquitto.url))).outcome is Outcome.OK
    away = await check_mqtt(MqttSettings(mqtt_url=f"mqtt://{LOOPBACK}:9"))
    assert (away.outcome, away.what.partition(": ")[0]) == (Outcome.FAIL, f"MQTT broker {LOOPBACK}:9")


@asynccontextmanager
async def account_without(*denied: str) -> AsyncIterator[AwsAccount]:
    """Tables and queues that answer, but for the actions that somebody may not do."""

    async def answer(request: web.Request) -> web.Response:
        action = request.headers["X-Amz-Target"].rpartition(".")[2]
        refusal = {"UpdateItem": "ConditionalCheckFailedException", "ChangeMessageVisibility": "ReceiptHandleIsInvalid"}
        problem = "AccessDeniedException" if action in denied else refusal.get(action)
        found = {"Items": [], "Count": 0} if action == "Query" else {"QueueUrl": str(request.url)}
        body = json.dumps(found if problem is None else {"__type": problem, "message": "no"})
        return web.Response(text=body, status=400 if problem else 200, content_type="application/x-amz-json-1.0")

    async with answering(answer) as account:
        yield account


@pytest.mark.parametrize(
    ("action", "advice"),
    [
        ("Query", "allow dynamodb:Query to whoever runs this"),
        ("UpdateItem", "allow dynamodb:UpdateItem to whoever runs this"),
        ("ChangeMessageVisibility", "sqs:ReceiveMessage, sqs:DeleteMessage and sqs:ChangeMessageVisibility"),
    ],
)
async def test_what_the_alerter_may_not_do_is_named(action: str, advice: str) -> None:
    async with account_without(action) as account, AsyncExitStack() as clients:
        dynamodb = await clients.enter_async_context(account.aws.client("dynamodb"))
        sqs = await clients.enter_async_context(account.aws.client("sqs"))
        findings = await check_access(dynamodb, sqs, Names())
    assert findings
    assert all(finding.outcome is Outcome.FAIL and advice in finding.advice for finding in findings)


async def test_a_sender_that_ses_does_not_know_fails(account: AwsAccount) -> None:
    async with account.aws.client("sesv2") as ses:
        unknown = await check_ses(ses, "Sensorcast <alerts@example.com>")
        await ses.create_email_identity(EmailIdentity="alerts@example.com")
        known = await check_ses(ses, "Sensorcast <alerts@example.com>")
    assert lines(unknown, Outcome.FAIL) == ["SES: neither alerts@example.com nor example.com is verified"]
    assert lines(known) == ["SES: out of the sandbox", "SES: alerts@example.com may send"]


@pytest.mark.parametrize(
    ("ahead", "outcome"), [(0, Outcome.OK), (-2, Outcome.OK), (20, Outcome.WARN), (-400, Outcome.FAIL)]
)
def test_a_clock_that_differs_from_aws_is_told_of(ahead: int, outcome: Outcome) -> None:
    assert clock_finding("Wed, 15 Jan 2025 12:00:00 GMT", now=1_736_942_400_000 + ahead * 1000).outcome is outcome


def test_limits_and_countries() -> None:
    assert spend_finding(None).outcome is Outcome.WARN
    assert spend_finding("20").outcome is Outcome.OK
    assert country_findings([NUMBER], []) == []
    assert country_findings([NUMBER], ["DE"]) == []
