"""One reading, followed from MQTT to SMS through a collector: every service in this process, with its own exporter."""

import json
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

import pytest
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from tests.servers.aws import DeployedStack
from tests.servers.broker import MosquittoServer
from tests.servers.collector import Collector, Seen, collecting
from tests.servers.lake import open_table
from tests.servers.waiting import until

import sensorcast_alerter.app
import sensorcast_archiver.app
import sensorcast_forecaster.app
import sensorcast_ingest.app
from sensorcast_alerter.settings import AlerterSettings
from sensorcast_archiver.lake.thread import LakeThread
from sensorcast_archiver.lake.write import LakeWriter
from sensorcast_archiver.settings import ArchiverSettings
from sensorcast_common.clock import from_millis, rfc3339, system_clock
from sensorcast_common.forecast import Forecast, LimitRisk
from sensorcast_common.lifecycle import Lifecycle
from sensorcast_common.mqtt import MqttSettings, mqtt_client
from sensorcast_common.rule import ForecastCondition, LimitCondition, Rule
from sensorcast_common.settings import ServiceSettings
from sensorcast_common.tables.rules import RulesTable
from sensorcast_common.tracing.export import exporting
from sensorcast_forecaster.engine import Engine
from sensorcast_forecaster.settings import ForecasterSettings
from sensorcast_forecaster.window import Refused, SeriesWindow
from sensorcast_ingest.settings import IngestSettings
from sensorcast_local import emulator

NUMBER = "+4915112345678"
DEVICE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
TRACE, SPAN = DEVICE[3:35], DEVICE[36:52]
RULE = Rule(
    tenant="acme",
    rule_id="chilled",
    name="Chilled goods",
    device="truck-*",
    condition=LimitCondition(above=8, forecast=ForecastCondition(min_probability=0.7)),
    sms=[NUMBER],
)
SentSms = Callable[[], Awaitable[list[emulator.SentSms]]]


class Certain(Engine):
    """Expects every series to leave its limit."""

    async def forecast(
        self, windows: Sequence[SeriesWindow], *, horizon_seconds: int, known_at: int
    ) -> list[Forecast | Refused]:
        del horizon_seconds
        known = from_millis(known_at)
        risk = LimitRisk(
            rule_id="chilled", side="above", threshold=8, probability=0.95, expected_at=known + timedelta(minutes=20)
        )
        return [
            Forecast(
                tenant=window.series.tenant,
                device=window.series.device,
                metric=window.series.metric,
                unit="Cel",
                known_at=known,
                last_value=7.0,
                step_seconds=300,
                start=known + timedelta(minutes=5),
                q10=[7.0] * 12,
                q50=[8.0] * 12,
                q90=[9.0] * 12,
                risks=[risk],
                model="test/1",
                trained_from=known - timedelta(days=1),
                trained_to=known,
            )
            for window in windows
        ]


@dataclass
class Services:
    """All services but the API, traced."""

    stack: DeployedStack
    broker: MosquittoServer
    collector: Collector

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        async with AsyncExitStack() as entered:

            async def life(service: str, settings: ServiceSettings) -> Lifecycle:
                life = Lifecycle(drain_seconds=settings.drain_seconds)
                life.tracing = await life.enter(
                    exporting(
                        service=service, endpoint=self.collector.url, ratio=1.0, headers={}, registry=life.registry
                    )
                )
                entered.push_async_callback(life.close)
                return life

            aws = self.stack.aws
            alerter = AlerterSettings(alert_mqtt=False, sweep_seconds=1)
            await sensorcast_alerter.app.build(alerter, await life("alerter", alerter), aws=aws)
            archiver = ArchiverSettings(hot_flush_seconds=0.1, lake_commit_seconds=0.3, drain_seconds=10)
            archiving = await life("archiver", archiver)
            lake = await archiving.enter(LakeThread(lambda: LakeWriter(open_table(self.stack, "readings"))))
            await sensorcast_archiver.app.build(archiver, archiving, aws=aws, lake=lake)
            forecaster = ForecasterSettings(drain_seconds=10)
            await sensorcast_forecaster.app.build(
                forecaster, await life("forecaster", forecaster), aws=aws, engine=Certain()
            )
            ingest = IngestSettings(
                mqtt_url=self.broker.url, mqtt_client_id=f"ingest-{secrets.token_hex(4)}", linger_ms=20
            )
            ingesting = await life("ingest", ingest)
            await sensorcast_ingest.app.build(ingest, ingesting, aws=aws)
            await until(lambda: bool(ingesting.registry.get_sample_value("sensorcast_ingest_mqtt_connections_total")))
            yield

    async def publish(self, device: str, payload: str, *, traceparent: str | None) -> None:
        """Send as a device does that takes part in a trace."""
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]  # paho has no type there
        properties.ContentType = "application/json"
        if traceparent is not None:
            properties.UserProperty = [("colour", "blue"), ("traceparent", traceparent)]
        settings = MqttSettings(mqtt_url=self.broker.url, mqtt_client_id=f"device-{secrets.token_hex(4)}")
        async with mqtt_client(settings) as client:
            await client.publish(f"dt/acme/{device}/readings", payload, qos=1, properties=properties)

    async def tick(self) -> None:
        """Ask for forecasts, as the schedule does."""
        async with self.stack.aws.client("sqs") as sqs:
            url = (await sqs.get_queue_url(QueueName=self.stack.names.queue_forecast_ticks))["QueueUrl"]
            now = rfc3339(from_millis(system_clock()))
            await sqs.send_message(QueueUrl=url, MessageBody=f'{{"scheduled_at": "{now}"}}')


@pytest.fixture
async def services(stack: DeployedStack, mosquitto: MosquittoServer) -> AsyncIterator[Services]:
    async with stack.aws.client("dynamodb") as dynamodb:
        await RulesTable(dynamodb, stack.names).put(RULE)
    async with collecting() as collector:
        yield Services(stack, mosquitto, collector)


def chain(collector: Collector, span: Seen) -> list[str]:
    """Names from a span up to its root."""
    by_id = {each.span_id: each for each in collector.spans}
    names = [span.name]
    while span.parent_id in by_id:
        span = by_id[span.parent_id]
        names.append(span.name)
    return names


@pytest.mark.timeout(180)
async def test_one_trace_leads_from_a_devices_reading_to_the_sms(services: Services, sent_sms: SentSms) -> None:
    now = system_clock()
    calm = json.dumps([{"ts": now - age * 60_000, "temperature": 7.0} for age in range(240, 0, -1)])

    async def told(times: int) -> bool:
        return len(await sent_sms()) == times

    async with services.running():
        await services.publish("truck-2", calm, traceparent=None)
        await services.publish("truck-2", '{"temperature": 7.1}', traceparent=DEVICE)
        await services.publish("truck-1", '{"temperature": 9.5}', traceparent=DEVICE)
        await until(lambda: told(1), within=60)
        # An exporter sends what it still holds when its service stops.
        stored = f"process {services.stack.names.queue_archive}"
        await until(lambda: stored in services.collector.of(TRACE), within=60)
        await services.tick()
        await until(lambda: told(2), within=60)
    collector, names = services.collector, services.stack.names
    sent = [span for span in collector.spans if span.name == "send sms"]
    (observed,) = [span for span in sent if span.trace_id == TRACE]
    assert chain(collector, observed) == [
        "send sms",
        "incident opened",
        f"process {names.queue_watch}",
        f"create {names.topic_readings}",
        "process dt/{tenant}/{device}/readings",
    ]
    arrived = [span for span in collector.spans if span.trace_id == TRACE and span.parent_id == SPAN]
    assert {span.attributes["messaging.destination.name"] for span in arrived} == {
        "dt/acme/truck-1/readings",
        "dt/acme/truck-2/readings",
    }
    archived = [span for span in collector.spans if span.name == stored and span.trace_id == TRACE]
    assert all(set(span.events) == {"stored in hot", "stored in lake"} for span in archived)
    assert chain(collector, archived[0])[1:] == [
        f"create {names.topic_readings}",
        "process dt/{tenant}/{device}/readings",
    ]
    requests = [span for span in collector.spans if span.name == f"send {names.topic_readings}"]
    assert TRACE in {span.trace_id for span in requests}

    (predicted,) = [span for span in sent if span.trace_id != TRACE]
    assert chain(collector, predicted) == [
        "send sms",
        "incident opened",
        f"process {names.queue_watch}",
        f"send {names.topic_forecasts}",
        f"process {names.queue_forecast_jobs}",
        f"send {names.queue_forecast_jobs}",
        f"process {names.queue_forecast_ticks}",
    ]
    (job,) = [span for span in collector.spans if span.name == f"process {names.queue_forecast_jobs}"]
    assert TRACE in {trace for trace, _ in job.links}, "the forecast links to the trace of its readings"

    told_of = str(collector.spans)
    assert NUMBER not in told_of
    assert NUMBER[1:] not in told_of
    assert {span.service for span in collector.spans} == {
        "sensorcast-ingest",
        "sensorcast-archiver",
        "sensorcast-forecaster",
        "sensorcast-alerter",
    }
