"""The whole service against the deployed stack and a real broker."""

import asyncio
import json
import time
from collections.abc import AsyncIterator

import aiomqtt
import httpx
import pytest
from tests.servers.aws import DeployedStack
from tests.servers.broker import MosquittoServer
from tests.servers.waiting import until
from tests.services.api.live import watching
from tests.services.api.test_quarantine import set_aside
from typer.testing import CliRunner

from sensorcast_api import examples
from sensorcast_api.app import build
from sensorcast_api.commands import app as command
from sensorcast_api.commands import duration_ms
from sensorcast_api.settings import ApiSettings
from sensorcast_common.clock import from_millis, rfc3339, system_clock
from sensorcast_common.device import MetricState, Sighting
from sensorcast_common.lifecycle import Lifecycle
from sensorcast_common.reading import Reading
from sensorcast_common.tables.api_keys import ApiKeysTable, Role, key_hash
from sensorcast_common.tables.devices import DevicesTable
from sensorcast_common.tables.forecasts import ForecastsTable
from sensorcast_common.tables.hot_chunk import pack
from sensorcast_common.tables.hot_store import HotStore
from sensorcast_common.tables.incidents import IncidentsTable

DAY = 86_400_000


@pytest.fixture
async def filled(stack: DeployedStack) -> DeployedStack:
    """Two tenants with readings, forecasts and incidents; everything twice, once for each."""
    now = system_clock()
    async with stack.aws.client("dynamodb") as client:
        for tenant in ("acme", "other"):
            devices = [f"{tenant}-{number}" for number in range(5)]
            metrics = {"temperature": MetricState(unit="Cel", last_ts=from_millis(now), last_value=4.0)}
            await DevicesTable(client, stack.names).record(
                Sighting(tenant, each, metrics, now, now) for each in devices
            )
            readings = [
                Reading(tenant, devices[0], "temperature", now - 1000 * at, float(at), "Cel", now)
                for at in range(1, 51)
            ]
            await HotStore(client, stack.names).append(pack(readings))
            changed = {"tenant": tenant, "device": devices[0], "known_at": from_millis(now)}
            await ForecastsTable(client, stack.names).put([examples.FORECAST.model_copy(update=changed)])
            for number in range(5):
                changed = {"tenant": tenant, "device": devices[number]}
                changed["incident_id"] = f"019a0c2e-5f2b-7c3d-9e4f-00000000000{number}"
                await IncidentsTable(client, stack.names).open(examples.INCIDENT.model_copy(update=changed))
    return stack


async def make_key(stack: DeployedStack, tenant: str = "acme", role: Role = Role.OPERATOR) -> str:
    now = system_clock()
    async with stack.aws.client("dynamodb") as client:
        return (
            await ApiKeysTable(client, stack.names).create(tenant=tenant, role=role, expires_at=now + DAY, now=now)
        )[0]


@pytest.fixture
async def api(filled: DeployedStack, mosquitto: MosquittoServer) -> AsyncIterator[str]:
    """The service's address."""
    life = Lifecycle(drain_seconds=10)
    server = await build(ApiSettings(port=0, mqtt_url=mosquitto.url), life, aws=filled.aws)
    assert await life.health.unready() == {}
    yield f"http://127.0.0.1:{server.port}"
    assert await life.close() == 0


async def test_every_resource_is_served_from_its_table_and_to_its_tenant(api: str, filled: DeployedStack) -> None:
    headers = {"X-API-Key": await make_key(filled)}
    async with httpx.AsyncClient(base_url=api, headers=headers) as client:
        names: list[str] = []
        cursor: str | None = None
        while True:
            page = (
                await client.get("/v1/devices", params={"limit": "2"} | ({"cursor": cursor} if cursor else {}))
            ).json()
            names += [each["device"] for each in page["items"]]
            cursor = page["next_cursor"]
            if cursor is None:
                break
        assert names == [f"acme-{number}" for number in range(5)]
        params = {"metric": "temperature", "limit": "30"}
        first = (await client.get("/v1/devices/acme-0/readings", params=params)).json()
        second = (
            await client.get("/v1/devices/acme-0/readings", params=params | {"cursor": first["next_cursor"]})
        ).json()
        assert [each["value"] for each in first["readings"] + second["readings"]] == [
            float(at) for at in range(50, 0, -1)
        ]
        forecast = await client.get("/v1/devices/acme-0/forecasts", params={"metric": "temperature"})
        assert forecast.json()["q50"] == examples.FORECAST.q50
        for state in ("", "?state=open"):
            opened = (await client.get(f"/v1/incidents{state}")).json()["items"]
            assert sorted(each["device"] for each in opened) == names
        page = (await client.get("/v1/incidents?state=open&limit=3")).json()
        rest = (await client.get("/v1/incidents", params={"state": "open", "cursor": page["next_cursor"]})).json()
        assert sorted(each["device"] for each in page["items"] + rest["items"]) == names
        assert (await client.get(f"/v1/incidents/{page['items'][0]['incident_id']}")).json() == page["items"][0]
        for path in (
            "/v1/devices/other-0",
            "/v1/devices/other-0/readings?metric=temperature",
            "/v1/events?device=other-0",
        ):
            assert (await client.get(path)).status_code == 404


async def test_rules_are_kept_with_their_versions(api: str, filled: DeployedStack) -> None:
    body = {"name": "Too warm", "condition": {"above": 8}}
    headers = {"X-API-Key": await make_key(filled)}
    async with httpx.AsyncClient(base_url=api, headers=headers) as client:
        assert (await client.put("/v1/rules/warm", json=body)).status_code == 201
        assert (await client.put("/v1/rules/warm", json=body)).status_code == 428
        assert (await client.put("/v1/rules/warm", json=body, headers={"If-Match": '"1"'})).status_code == 200
        assert (await client.put("/v1/rules/warm", json=body, headers={"If-Match": '"1"'})).status_code == 412
        assert [each["version"] for each in (await client.get("/v1/rules")).json()["items"]] == [2]
        assert (await client.delete("/v1/rules/warm")).status_code == 204


async def test_the_stream_carries_reading_forecast_and_open_incidents(
    api: str, filled: DeployedStack, mosquitto: MosquittoServer
) -> None:
    key = await make_key(filled, role=Role.VIEWER)
    async with (
        aiomqtt.Client(mosquitto.host, mosquitto.port) as device,
        watching(api, key, [("device", "acme-0")]) as stream,
    ):
        assert (await stream.first("watching")).data["live"] is True
        began = time.monotonic()
        payload = json.dumps({"ts": rfc3339(from_millis(system_clock())), "temperature": 6.5})
        await device.publish("dt/acme/acme-0/readings", payload, qos=1)
        await stream.first("readings")
        assert time.monotonic() - began < 2
        opened = (await stream.first("incidents")).data["open"]
        assert isinstance(opened, list)
        assert len(opened) == 1
        assert (await stream.first("forecast")).data["device"] == "acme-0"


async def test_what_ingest_set_aside_is_shown_and_sent_again(
    api: str, filled: DeployedStack, mosquitto: MosquittoServer
) -> None:
    headers = {"X-API-Key": await make_key(filled)}
    kept = set_aside(b'{"salinity": 3.5}', topic="dt/acme/acme-0/readings", at=system_clock())
    async with filled.aws.client("sqs") as sqs:
        url = (await sqs.get_queue_url(QueueName=filled.names.queue_quarantine))["QueueUrl"]
        await sqs.send_message(QueueUrl=url, MessageBody=kept.model_dump_json())
    async with (
        aiomqtt.Client(mosquitto.host, mosquitto.port) as ingest,
        httpx.AsyncClient(base_url=api, headers=headers) as client,
    ):
        await ingest.subscribe("dt/acme/acme-0/readings", qos=1)

        async def shown() -> bool:
            items = (await client.get("/v1/quarantine")).json()["items"]
            return [each["message_id"] for each in items] == [kept.message_id]

        await until(shown, within=20)
        assert (await client.post(f"/v1/quarantine/{kept.message_id}/retry")).status_code == 202
        async with asyncio.timeout(20):
            assert (await anext(ingest.messages)).payload == kept.payload
        assert (await client.get("/v1/quarantine")).json()["items"] == []
        status = (await client.get("/v1/status")).json()
    assert {each["queue"] for each in status["queues"]} == {
        queue.removeprefix(f"{filled.names.stack}-") for queue in filled.names.queues
    }
    # The emulator has no ages; what is empty has nothing that is old.
    ages = {each["oldest_seconds"] for each in status["queues"] if not (each["waiting"] or each["in_work"])}
    assert ages == {0}
    assert status["readings"]["devices"] == 5


async def test_keys_are_hashed_listed_and_revoked(stack: DeployedStack) -> None:
    now = system_clock()
    async with stack.aws.client("dynamodb") as client:
        keys = ApiKeysTable(client, stack.names)
        key, made = await keys.create(tenant="acme", role=Role.VIEWER, expires_at=now + DAY, now=now, name="page")
        other, _ = await keys.create(tenant="other", role=Role.ADMIN, expires_at=now + DAY, now=now)
        stored = (await client.scan(TableName=stack.names.table_api_keys))["Items"]
        assert key not in str(stored)
        assert await keys.find(key_hash(key)) == made
        assert [each.key_id for each in await keys.list("acme")] == [made.key_id]
        assert len(await keys.list()) == 2
        assert await keys.revoke(made.key_id[:4], now=now) is None
        revoked = await keys.revoke(made.key_id, now=now)
        assert revoked is not None
        assert not revoked.is_valid(now)
        assert await keys.revoke(made.key_id, now=now + 5) == revoked
        still = await keys.find(key_hash(other))
        assert still is not None
        assert still.is_valid(now)
        with pytest.raises(ValueError, match="tenant"):
            await keys.create(tenant="a#b", role=Role.VIEWER, expires_at=now + DAY, now=now)
        with pytest.raises(ValueError, match="expires_at"):
            await keys.create(tenant="a", role=Role.VIEWER, expires_at=now, now=now)


async def test_the_command_makes_lists_and_revokes(stack: DeployedStack) -> None:
    runner = CliRunner(env=stack.env)

    async def run(*arguments: str) -> tuple[int, str, str]:
        result = await asyncio.to_thread(runner.invoke, command, arguments)
        return result.exit_code, result.stdout, result.stderr

    code, out, err = await run(
        "create", "--tenant", "acme", "--role", "viewer", "--expires", "90d", "--name", "dispatch"
    )
    assert code == 0, err
    async with stack.aws.client("dynamodb") as client:
        found = await ApiKeysTable(client, stack.names).find(key_hash(out.strip()))
    assert found is not None
    assert (found.tenant, found.role, found.name) == ("acme", Role.VIEWER, "dispatch")
    code, listed, _ = await run("ls", "--tenant", "acme")
    assert found.key_id in listed
    assert out.strip() not in listed
    assert (await run("revoke", found.key_id))[0] == 0
    assert "revoked" in (await run("ls"))[1]
    assert (await run("revoke", "0" * 16))[0] == 1
    assert (await run("create", "--tenant", "a#b"))[0] == 2
    assert (await run("create", "--tenant", "acme", "--expires", "soon"))[0] == 2


def test_durations_are_hours_days_or_weeks() -> None:
    assert [duration_ms(text) for text in ("12h", "90d", "4w")] == [12 * 3_600_000, 90 * DAY, 28 * DAY]
    for wrong in ("", "90", "0d", "-1d", "9999w", "1y"):
        with pytest.raises(ValueError, match="duration"):
            duration_ms(wrong)


async def test_a_taken_port_is_named(api: str, filled: DeployedStack, mosquitto: MosquittoServer) -> None:
    port = int(api.rpartition(":")[2])
    life = Lifecycle(drain_seconds=10)
    with pytest.raises(OSError, match=f"port {port}"):
        await build(ApiSettings(port=port, mqtt_url=mosquitto.url), life, aws=filled.aws)
    assert await life.close() == 0
