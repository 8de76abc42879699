"""Wires the alerter and runs it."""

import sys
from zoneinfo import ZoneInfo

from faststream_sqs import BatchFailures, SQSBatchMessage, SQSBroker
from faststream_sqs.annotations import SQSBatchMessage as BatchMessage
from sensorcast_alerter.announce import Announcer
from sensorcast_alerter.consume import Intake
from sensorcast_alerter.deliver import Caps, Courier
from sensorcast_alerter.device_labels import DeviceLabels
from sensorcast_alerter.dispatch import Dispatch
from sensorcast_alerter.metrics import AlerterMetrics
from sensorcast_alerter.notices import Announcements
from sensorcast_alerter.notify.address_book import AddressBook
from sensorcast_alerter.notify.channels import open_channels
from sensorcast_alerter.notify.inhibit import InhibitStage
from sensorcast_alerter.notify.message import Writer
from sensorcast_alerter.notify.pipeline import build_pipeline
from sensorcast_alerter.notify.tariff import Tariff, price_table
from sensorcast_alerter.past import HotPast
from sensorcast_alerter.settings import AlerterSettings
from sensorcast_alerter.sweep import Sweep
from sensorcast_alerter.traced import Origins, TracedIncidents
from sensorcast_common.aws import Aws
from sensorcast_common.clock import Clock, system_clock
from sensorcast_common.health import Heartbeat
from sensorcast_common.identity import new_id
from sensorcast_common.lifecycle import Lifecycle, serve
from sensorcast_common.names import Names
from sensorcast_common.queue import sqs_broker, start_broker
from sensorcast_common.tables.contacts import ContactsTable
from sensorcast_common.tables.deliveries import DeliveriesTable
from sensorcast_common.tables.devices import DevicesTable
from sensorcast_common.tables.hot_store import HotStore
from sensorcast_common.tables.incident_outbox import IncidentOutbox
from sensorcast_common.tables.incidents import IncidentsTable
from sensorcast_common.tables.late_marks import LateMarksTable
from sensorcast_common.tables.rules import RulesTable
from sensorcast_common.tracing import TRACEPARENT
from sensorcast_rules.decision import Patience
from sensorcast_rules.record import Recorder
from sensorcast_rules.series_state import SeriesStates
from sensorcast_rules.watchroom import Watchroom

MESSAGES_AT_ONCE = 10
STALE_SWEEPS = 300.0
"""Seconds without a sweep after which a restart is worth trying; an outage of DynamoDB is usually shorter."""


async def build(
    settings: AlerterSettings, life: Lifecycle, *, aws: Aws | None = None, clock: Clock = system_clock
) -> None:
    """Wire everything onto `life`: tables, senders, the watchroom, the sweep, and last the queue.

    Raises:
        faststream_sqs.QueueNotFoundError: The queue `watch` does not exist.
    """
    aws = aws or Aws()
    names = Names(settings.stack)
    metrics = AlerterMetrics(life.registry)
    dynamodb = await life.enter(aws.client("dynamodb"))
    owner = new_id()
    rules, origins = RulesTable(dynamodb, names), Origins()
    table = IncidentsTable(dynamodb, names)
    incidents = TracedIncidents(table, origins=origins, tracing=life.tracing) if life.tracing.on else table

    async def tables() -> None:
        await dynamodb.describe_table(TableName=names.table_incidents)

    life.health.ready("dynamodb", tables)
    outbox = IncidentOutbox(dynamodb, names, owner=owner)
    book, inhibit = AddressBook(), InhibitStage()
    senders = await open_channels(settings, life, aws=aws, book=book, clock=clock)
    pipeline = build_pipeline(
        book, channels=senders.keys(), inhibit=inhibit, countries=settings.sms_countries, count=metrics.hold
    )
    timezone = ZoneInfo(settings.timezone)
    prices = None if settings.sms_price_file is None else price_table(settings.sms_price_file)
    tariff = Tariff({} if prices is None else prices.dollars_per_part)
    metrics.expect_sms(prices, monthly_dollars=settings.sms_monthly_dollars)
    courier = Courier(
        outbox=outbox,
        deliveries=DeliveriesTable(dynamodb, names, owner=owner),
        writer=Writer(timezone=timezone, public_url=settings.public_url),
        clock=clock,
        metrics=metrics,
        caps=Caps(
            per_number=settings.sms_per_number_per_day,
            per_tenant=settings.sms_per_tenant_per_day,
            timezone=timezone,
        ),
        tariff=tariff,
        tracing=life.tracing,
    )
    announcer = Announcer(
        outbox=outbox,
        courier=courier,
        senders=senders,
        clock=clock,
        metrics=metrics,
        group_wait=settings.group_wait_seconds,
    )
    dispatch = Dispatch(
        book=book,
        inhibit=inhibit,
        pipeline=pipeline,
        contacts=ContactsTable(dynamodb, names),
        labels=DeviceLabels(DevicesTable(dynamodb, names)),
        outbox=outbox,
        announcer=announcer,
        clock=clock,
    )
    recorder = Recorder(
        incidents=incidents,
        announcements=Announcements(pipeline, mqtt=settings.alert_mqtt),
        hand_over=announcer.hand_over,
        clock=clock,
        counts=metrics,
    )
    watchroom = Watchroom(
        states=SeriesStates(capacity=settings.max_series),
        recorder=recorder,
        incidents=incidents,
        patience=Patience(
            late_after=round(settings.late_after_seconds * 1000),
            forecast_period=round(settings.forecast_period_seconds * 1000),
        ),
        clock=clock,
        counts=metrics,
        past=HotPast(HotStore(dynamodb, names)),
        marks=LateMarksTable(dynamodb, names),
    )
    life.background("announce", announcer.run)
    life.on_stop("announcements", lambda: announcer.drain(within=settings.drain_seconds / 2))
    sweep = Sweep(
        rules=rules,
        incidents=incidents,
        watchroom=watchroom,
        dispatch=dispatch,
        metrics=metrics,
        devices=DevicesTable(dynamodb, names),
        clock=clock,
    )
    life.on_stop("revise what came late", watchroom.finish)
    await sweep.once()
    heartbeat = life.health.alive("sweep", Heartbeat(max_age=STALE_SWEEPS + settings.sweep_seconds))
    life.background("sweep", lambda: sweep.forever(every=settings.sweep_seconds, heartbeat=heartbeat))
    broker = sqs_broker(service="alerter", aws=aws, life=life, drain_seconds=settings.drain_seconds / 2)
    subscribe(broker, names, Intake(watchroom=watchroom, metrics=metrics, origins=origins if life.tracing.on else None))
    await start_broker(broker, life)


def subscribe(broker: SQSBroker, names: Names, intake: Intake) -> None:
    """Let `intake` take what comes on the queue `watch`, one batch at a time and at once."""

    @broker.subscriber(
        names.queue_watch,
        batch=True,
        max_batch=MESSAGES_AT_ONCE,
        batch_wait=0.0,
        decoder=_bodies,
    )
    async def watch(messages: list[str], message: BatchMessage) -> None:
        traces = [headers.get(TRACEPARENT) for headers in message.batch_headers]
        rejects = await intake.take(messages, traces=traces)
        if rejects:
            raise BatchFailures(rejects)


async def _bodies(message: SQSBatchMessage) -> list[str]:
    """The texts as they are; an envelope is opened by `Intake`, and only once."""
    return [received.body for received in message.raw_message]


def main() -> None:
    """Run the service."""
    sys.exit(serve("alerter", AlerterSettings, build))
