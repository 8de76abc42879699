"""The API service: wires the stores, the live view and the web server, and runs them."""

import gc
import sys

from sensorcast_api.asgi import make_app
from sensorcast_api.credentials import AnyCredential
from sensorcast_api.dashboards import QuickSight
from sensorcast_api.history.athena import Athena
from sensorcast_api.history.past import Past
from sensorcast_api.keyring import KeyRing
from sensorcast_api.metrics import ApiMetrics
from sensorcast_api.oidc.issuer import IssuerKeys
from sensorcast_api.oidc.tokens import Tokens
from sensorcast_api.ports import Stores
from sensorcast_api.quarantine.keep import subscribe
from sensorcast_api.quarantine.resend import MqttResend
from sensorcast_api.rates import Rates
from sensorcast_api.server import HttpServer
from sensorcast_api.services import Limits, Services
from sensorcast_api.settings import ApiSettings
from sensorcast_api.status.models import ModelsInUse
from sensorcast_api.status.queues import StackQueues
from sensorcast_api.stream.broker import connector
from sensorcast_api.stream.forecast_feed import ForecastFeed
from sensorcast_api.stream.hub import Hub
from sensorcast_api.stream.mqtt_feed import Connect, MqttFeed
from sensorcast_api.stream.subscriptions import Subscriptions
from sensorcast_common.aws import Aws
from sensorcast_common.clock import system_clock
from sensorcast_common.lifecycle import Lifecycle, serve
from sensorcast_common.names import Names
from sensorcast_common.queue import sqs_broker, start_broker
from sensorcast_common.tables.api_keys import ApiKeysTable, key_hash
from sensorcast_common.tables.contacts import ContactsTable
from sensorcast_common.tables.device_labels import DeviceLabels
from sensorcast_common.tables.devices import DevicesTable
from sensorcast_common.tables.forecasts import ForecastsTable
from sensorcast_common.tables.hot_store import HotStore
from sensorcast_common.tables.idempotency import IdempotencyTable
from sensorcast_common.tables.incident_journal import IncidentJournal
from sensorcast_common.tables.incidents import IncidentsTable
from sensorcast_common.tables.products import ProductsTable
from sensorcast_common.tables.quarantine import QuarantineTable
from sensorcast_common.tables.rules import RulesTable
from sensorcast_common.tables.skill import SkillTable
from sensorcast_common.tables.watermarks import WatermarksTable


async def build(
    settings: ApiSettings, life: Lifecycle, *, aws: Aws | None = None, connect: Connect | None = None
) -> HttpServer:
    """Wire the service onto `life`.

    Args:
        settings: The settings.
        life: What has been started and must be stopped.
        aws: Makes the clients; by default from the environment.
        connect: Makes the MQTT connection; by default as the settings say.

    Returns:
        The web server, whose `port` is the one it listens on.
    """
    names = Names(settings.stack)
    aws = aws or Aws()
    client = await life.enter(aws.client("dynamodb"))
    sqs = await life.enter(aws.client("sqs"))
    cloudwatch = await life.enter(aws.client("cloudwatch"))
    metrics = ApiMetrics(life.registry)
    stores = Stores(
        devices=DevicesTable(client, names),
        labels=DeviceLabels(client, names),
        readings=HotStore(client, names),
        forecasts=ForecastsTable(client, names),
        skill=SkillTable(client, names),
        incidents=IncidentsTable(client, names),
        journal=IncidentJournal(client, names),
        rules=RulesTable(client, names),
        contacts=ContactsTable(client, names),
        products=ProductsTable(client, names),
        api_keys=ApiKeysTable(client, names),
        quarantine=QuarantineTable(client, names),
        idempotency=IdempotencyTable(client, names),
        queues=StackQueues(sqs, cloudwatch, names, clock=system_clock),
        models=ModelsInUse(client, names),
    )
    services = Services(
        stores=stores,
        resend=MqttResend(connect or connector(settings, purpose="resend")),
        credentials=_credentials(settings, stores, metrics),
        rates=Rates(per_second=settings.requests_per_second, burst=settings.request_burst),
        hub=Hub(),
        subscriptions=Subscriptions(),
        metrics=metrics,
        clock=system_clock,
        limits=_limits(settings),
        past=await _past(settings, life, aws, names, stores, metrics),
        dashboards=await _dashboards(settings, life, aws),
    )

    async def tables_answer() -> None:
        await stores.api_keys.find(key_hash("readiness"))

    life.health.ready("dynamodb", tables_answer)
    _feeds(services, life, connect or connector(settings))
    broker = sqs_broker(service="api", aws=aws, life=life, drain_seconds=settings.drain_seconds / 2)
    subscribe(broker, names, stores.quarantine, clock=system_clock)
    await start_broker(broker, life)
    server = HttpServer(make_app(services, cors_origins=settings.cors_origins), host=settings.host, port=settings.port)
    life.background("http", server.serve)

    async def stop() -> None:
        server.stop_accepting()
        services.hub.close()
        await server.stopped()

    life.on_stop("http: stop intake, end streams, drain", stop)
    return server


def _feeds(services: Services, life: Lifecycle, connect: Connect) -> None:
    mqtt = MqttFeed(
        connect,
        hub=services.hub,
        subscriptions=services.subscriptions,
        clock=services.clock,
        metrics=services.metrics,
    )
    forecasts = ForecastFeed(
        services.stores.forecasts, hub=services.hub, clock=services.clock, metrics=services.metrics
    )
    life.background("mqtt", mqtt.run)
    life.background("forecasts", forecasts.run)


async def _dashboards(settings: ApiSettings, life: Lifecycle, aws: Aws) -> QuickSight | None:
    if not settings.quicksight_dashboards:
        return None
    async with aws.client("sts") as sts:
        identity = await sts.get_caller_identity()
    client = await life.enter(aws.client("quicksight"))
    return QuickSight(
        client=client,
        account=identity["Account"],
        region=client.meta.region_name,
        partition=identity["Arn"].split(":")[1],
        dashboards=settings.quicksight_dashboards,
        domains=settings.quicksight_domains,
        session_minutes=settings.quicksight_session_minutes,
    )


async def _past(
    settings: ApiSettings, life: Lifecycle, aws: Aws, names: Names, stores: Stores, metrics: ApiMetrics
) -> Past:
    athena = Athena(
        await life.enter(aws.client("athena")),
        await life.enter(aws.client("s3")),
        names,
        metrics=metrics,
        at_once=settings.history_queries,
        seconds=settings.history_seconds,
    )
    return Past(
        lake=athena,
        hot=stores.readings,
        watermarks=WatermarksTable(await life.enter(aws.client("dynamodb")), names),
        clock=system_clock,
        reuse_minutes=settings.history_reuse_minutes,
    )


def _credentials(settings: ApiSettings, stores: Stores, metrics: ApiMetrics) -> AnyCredential:
    keys = KeyRing(stores.api_keys, clock=system_clock, metrics=metrics, ttl_seconds=settings.key_ttl_seconds)
    rules = settings.claim_rules()
    tokens = None
    if rules is not None:
        issuer = IssuerKeys(rules.issuer, jwks_url=settings.oidc_jwks_url)
        tokens = Tokens(issuer, rules, algorithms=settings.oidc_algorithms, clock=system_clock, metrics=metrics)
    return AnyCredential(keys, tokens, clock=system_clock)


def _limits(settings: ApiSettings) -> Limits:
    return Limits(
        range_seconds=settings.max_range_days * 86_400,
        streams=settings.max_streams,
        streams_per_key=settings.max_streams_per_key,
        queue=settings.stream_queue,
        heartbeat_seconds=settings.heartbeat_seconds,
        answer_seconds=settings.answer_seconds,
        rehearsal_readings=settings.rehearsal_readings,
        rehearsal_seconds=settings.rehearsal_seconds,
    )


def settle() -> None:
    """Spare the garbage collector what has been built by now: it stays for as long as the process."""
    gc.collect()
    gc.freeze()


async def _build(settings: ApiSettings, life: Lifecycle) -> None:
    await build(settings, life)
    settle()


def main() -> None:
    """Run the service."""
    sys.exit(serve("api", ApiSettings, _build))
