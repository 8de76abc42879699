"""The alerter against real servers: from the queue to the table, the telephone and the vehicle."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import aiomqtt
import pytest
from tests.servers.aws import AwsAccount, DeployedStack, MinistackServer
from tests.servers.broker import MosquittoServer
from tests.servers.waiting import until
from tests.services.alerter.test_channels import SECRET, Receiver

from sensorcast_alerter.app import build
from sensorcast_alerter.notify.message import Message
from sensorcast_alerter.notify.sms import SmsSender
from sensorcast_alerter.ports import Refused
from sensorcast_alerter.settings import AlerterSettings
from sensorcast_common.aws import Aws
from sensorcast_common.batch import ReadingBatch
from sensorcast_common.clock import from_millis, system_clock
from sensorcast_common.errors import Retryable
from sensorcast_common.forecast import Forecast, ForecastBatch, LimitRisk
from sensorcast_common.identity import new_id
from sensorcast_common.incident import Basis, Incident, IncidentState
from sensorcast_common.lifecycle import Lifecycle
from sensorcast_common.reading import Reading
from sensorcast_common.recipient import Recipient
from sensorcast_common.rule import ForecastCondition, LimitCondition, Rule
from sensorcast_common.tables.contacts import ContactsTable
from sensorcast_common.tables.incidents import IncidentsTable
from sensorcast_common.tables.rules import RulesTable
from sensorcast_local import emulator

NUMBER = "+4915112345678"
RULE = Rule(
    tenant="acme",
    rule_id="chilled",
    name="Chilled goods",
    device="truck-*",
    condition=LimitCondition(above=8, forecast=ForecastCondition(min_probability=0.7)),
    sms=[NUMBER],
)
SentSms = Callable[[], Awaitable[list[emulator.SentSms]]]


class Bench:
    """A deployed stack with the rule, and the ways in and out of the alerters that run on it."""

    def __init__(self, stack: DeployedStack) -> None:
        self.stack = stack
        self.lives: list[Lifecycle] = []

    async def start(self, *, aws: Aws | None = None, **settings: object) -> Lifecycle:
        """Run one more alerter."""
        life = Lifecycle(drain_seconds=20)
        self.lives.append(life)
        fields = {"alert_mqtt": False, "sweep_seconds": 0.5, **settings}
        await build(AlerterSettings.model_validate(fields), life, aws=aws or self.stack.aws)
        return life

    async def publish(self, topic: str, *messages: str) -> None:
        """Publish as ingest or the forecaster does."""
        arn = f"arn:aws:sns:{self.stack.account.region}:{self.stack.account.account_id}:{topic}"
        async with self.stack.aws.client("sns") as sns:
            for message in messages:
                await sns.publish(TopicArn=arn, Message=message)

    async def readings(self, *readings: Reading) -> None:
        batch = ReadingBatch(new_id(), system_clock(), readings)
        await self.publish(self.stack.names.topic_readings, batch.encode())

    async def incidents(self) -> list[Incident]:
        async with self.stack.aws.client("dynamodb") as dynamodb:
            return (await IncidentsTable(dynamodb, self.stack.names).list("acme"))[0]

    async def waiting(self, queue: str) -> int:
        """Messages that are in a queue, in flight ones included."""
        async with self.stack.aws.client("sqs") as sqs:
            url = (await sqs.get_queue_url(QueueName=queue))["QueueUrl"]
            found = await sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])
        counts = found["Attributes"]
        return int(counts["ApproximateNumberOfMessages"]) + int(counts["ApproximateNumberOfMessagesNotVisible"])

    async def handled(self) -> bool:
        return await self.waiting(self.stack.names.queue_watch) == 0


@pytest.fixture
async def bench(stack: DeployedStack) -> AsyncIterator[Bench]:
    async with stack.aws.client("dynamodb") as dynamodb:
        await RulesTable(dynamodb, stack.names).put(RULE)
    bench = Bench(stack)
    yield bench
    for life in bench.lives:
        assert await life.close() == 0


async def has_any(sent_sms: SentSms) -> bool:
    return bool(await sent_sms())


def reading(value: float, *, age: float = 0.0, device: str = "truck-1") -> Reading:
    now = system_clock()
    return Reading("acme", device, "temperature", now - round(age * 1000), value, "Cel", now)


def forecast(probability: float) -> Forecast:
    known = from_millis(system_clock())
    return Forecast(
        tenant="acme",
        device="truck-1",
        metric="temperature",
        unit="Cel",
        known_at=known,
        last_value=7.5,
        step_seconds=300,
        start=known + timedelta(minutes=5),
        q10=[7.0] * 12,
        q50=[8.0] * 12,
        q90=[9.0] * 12,
        risks=[LimitRisk(rule_id="chilled", side="above", threshold=8, probability=probability)],
        model="test/1",
        trained_from=known - timedelta(days=1),
        trained_to=known,
    )


async def test_a_forecast_then_a_breach_make_one_incident_and_one_sms(bench: Bench, sent_sms: SentSms) -> None:
    await bench.start()
    batch = ForecastBatch(new_id(), system_clock(), [forecast(0.9)])
    await bench.publish(bench.stack.names.topic_forecasts, batch.encode())

    async def told() -> bool:
        return bool(await sent_sms()) and all(each.notified_at for each in await bench.incidents())

    await until(told)
    (incident,) = await bench.incidents()
    (sms,) = await sent_sms()
    assert incident.basis is Basis.PREDICTED
    assert sms.message == incident.message
    assert sms.message.startswith("WARNING Chilled goods: truck-1 temperature now 7.5 C, 90% likely above limit 8 C by")
    await bench.readings(reading(7.9, age=1), reading(8.5))

    async def observed() -> bool:
        return [each.basis for each in await bench.incidents()] == [Basis.OBSERVED]

    await until(observed)
    await bench.readings(reading(5))

    async def resolved() -> bool:
        return [each.state for each in await bench.incidents()] == [IncidentState.RESOLVED]

    await until(resolved)
    await until(bench.handled)
    assert len(await sent_sms()) == 1


async def test_two_alerters_and_redelivered_messages_make_one_incident_and_one_sms(
    bench: Bench, sent_sms: SentSms
) -> None:
    await asyncio.gather(bench.start(), bench.start())
    batches = [
        ReadingBatch(new_id(), system_clock(), [reading(9 + step / 10, age=20 - step)]).encode() for step in range(20)
    ]
    await bench.publish(bench.stack.names.topic_readings, *batches, *batches[::3])
    await until(bench.handled, within=20)
    await until(lambda: has_any(sent_sms))
    await asyncio.gather(*(life.close() for life in bench.lives))
    assert len(await bench.incidents()) == 1
    assert len(await sent_sms()) == 1


async def test_late_readings_make_a_late_incident_and_no_sms(bench: Bench, sent_sms: SentSms) -> None:
    await bench.start()
    await bench.readings(*(reading(20, age=3600 * 24 - 60 * minute) for minute in range(1380)))
    await until(bench.handled)
    (incident,) = await bench.incidents()
    assert incident.late
    assert await sent_sms() == []


async def test_a_message_that_is_none_is_set_aside_and_the_others_count(bench: Bench) -> None:
    good = ReadingBatch(new_id(), system_clock(), [reading(9)]).encode()
    await bench.publish(bench.stack.names.topic_readings, "not an envelope", good, good.replace("readings", "dreams"))
    await bench.start()
    dead_letters = bench.stack.names.dead_letter(bench.stack.names.queue_watch)

    async def set_aside() -> bool:
        return await bench.waiting(dead_letters) == 2

    await until(set_aside)
    await until(bench.handled)
    assert len(await bench.incidents()) == 1


async def test_a_stopped_alerter_goes_on_where_it_was(bench: Bench, sent_sms: SentSms) -> None:
    life = await bench.start()
    await bench.readings(reading(9))
    await until(lambda: has_any(sent_sms))
    assert await life.close() == 0
    await bench.start()

    async def resolved() -> bool:
        # The emulator may still answer the long poll of the stopped alerter, which hides what it hands out.
        await bench.readings(reading(5))
        return [each.state for each in await bench.incidents()] == [IncidentState.RESOLVED]

    await until(resolved, every=0.5)
    assert len(await sent_sms()) == 1


async def test_an_sms_goes_out_once_sns_is_back(bench: Bench, tmp_path: Path) -> None:
    away = MinistackServer(state_dir=tmp_path)
    account = away.new_account()

    class WithoutSns(Aws):
        """SNS is elsewhere, and not there yet."""

        def client(self, service: str) -> object:  # type: ignore[override] # the overloads do not matter here
            return (account.aws if service == "sns" else bench.stack.aws).client(service)  # type: ignore[call-overload]

    here = bench.stack.account
    elsewhere = WithoutSns(session=here.session, region=here.region, endpoint_url=here.endpoint_url)
    await bench.start(aws=elsewhere)
    await bench.readings(reading(9))

    async def tried() -> bool:
        async with bench.stack.aws.client("dynamodb") as dynamodb:
            stored = [each async for each in IncidentsTable(dynamodb, bench.stack.names).live()]
        return any(notice.attempts for each in stored for notice in each.outbox.values())

    await until(tried)
    assert (await bench.incidents())[0].notified_at is None
    await asyncio.to_thread(away.start)
    try:

        async def told() -> bool:
            return [each.notified_at is not None for each in await bench.incidents()] == [True]

        await until(told, within=40)
        (sms,) = await emulator.sent_sms(away.endpoint_url, account=account.account_id)
        assert sms.phone_number == NUMBER
    finally:
        for life in bench.lives:
            assert await life.close() == 0
        bench.lives.clear()
        await asyncio.to_thread(away.stop)


async def test_an_alert_waits_for_the_broker_and_the_sms_does_not(
    bench: Bench, sent_sms: SentSms, mosquitto: MosquittoServer, tmp_path: Path
) -> None:
    del mosquitto  # skips where it is not installed
    broker = MosquittoServer(state_dir=tmp_path)
    await bench.start(alert_mqtt=True, mqtt_url=broker.url)
    await bench.readings(reading(9))
    await until(lambda: has_any(sent_sms))
    got: list[dict[str, object]] = []
    await asyncio.to_thread(broker.start)
    try:
        async with aiomqtt.Client(broker.host, broker.port) as vehicle:
            await vehicle.subscribe("alerts/acme/truck-1", qos=1)

            async def listen() -> None:
                async for message in vehicle.messages:
                    assert isinstance(message.payload, bytes)
                    got.append(json.loads(message.payload))

            listening = asyncio.create_task(listen())
            await until(lambda: len(got) == 1, within=40)
            await bench.readings(reading(5))
            await until(lambda: len(got) == 2, within=20)
            listening.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await listening
    finally:
        for life in bench.lives:
            assert await life.close() == 0
        bench.lives.clear()
        await asyncio.to_thread(broker.stop)
    assert [alert["occasion"] for alert in got] == ["opened", "resolved"]
    assert got[0]["device"] == "truck-1"
    assert len(await sent_sms()) == 1


async def test_a_number_that_sns_refuses_is_refused(account: AwsAccount) -> None:
    nothing = Message(message_id="msg_1", tenant="acme", address="", text="text")
    async with account.aws.client("sns") as sns:
        with pytest.raises(Refused, match="InvalidParameter"):
            await SmsSender(sns).send(nothing)


async def test_an_sns_that_is_away_is_to_be_tried_again() -> None:
    message = Message(message_id="msg_1", tenant="acme", address=NUMBER, text="text")
    nowhere = AwsAccount(
        endpoint_url="http://127.0.0.1:9", account_id="1" * 12, access_key="1" * 12, secret_key="secret"
    )
    async with nowhere.aws.client("sns") as sns:
        with pytest.raises(Retryable, match="SNS"):
            await SmsSender(sns).send(message)


async def test_a_recipient_is_told_by_sms_and_webhook_and_the_end_by_webhook_alone(
    bench: Bench, sent_sms: SentSms
) -> None:
    manager = "+4915187654321"
    async with Receiver().open() as receiver:
        async with bench.stack.aws.client("dynamodb") as dynamodb:
            contacts = ContactsTable(dynamodb, bench.stack.names)
            ways = {"sms": manager, "webhook": {"url": receiver.url, "secret": SECRET}}
            anna = {"tenant": "acme", "recipient_id": "anna", "name": "Anna", "roles": ["manager"], **ways}
            await contacts.recipients.put(Recipient.model_validate(anna))
        await bench.start(webhook_allow_loopback=True)
        await bench.readings(reading(9))
        await until(lambda: bool(receiver.got))

        async def both_told() -> bool:
            return {sms.phone_number for sms in await sent_sms()} == {NUMBER, manager}

        await until(both_told)
        await bench.readings(reading(5))
        await until(lambda: len(receiver.got) == 2)
        await until(bench.handled)
    assert len(await sent_sms()) == 2
    told = [json.loads(body) for _, body in receiver.got]
    assert [each["occasion"] for each in told] == ["opened", "resolved"]
    assert told[0]["incidents"][0]["device"] == "truck-1"
