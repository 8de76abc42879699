"""From a sensor's MQTT message to hot store, lake, forecast, incident, SMS and API."""

from collections import defaultdict

import httpx
import pytest
from tests.e2e.everything import Everything
from tests.servers.waiting import until

from sensorcast_common.clock import system_clock
from sensorcast_common.incident import Basis, Incident
from sensorcast_common.reading import SeriesKey
from sensorcast_common.tables.forecasts import ForecastsTable
from sensorcast_common.tables.incidents import IncidentsTable
from sensorcast_local import emulator
from sensorcast_local.fleet.fleet import Fleet
from sensorcast_local.fleet.messages import packed
from sensorcast_local.fleet.truck import STEP
from sensorcast_local.publisher import Publisher
from sensorcast_local.up.demo import send_tick

HISTORY = 8 * 3600
FAILING = "truck-02"  # the last one of a small fleet


async def test_known_readings_arrive_once_and_end_in_one_sms(everything: Everything, publisher: Publisher) -> None:
    now = system_clock() // 1000
    live_from = now - now % STEP
    start = live_from - HISTORY
    fleet = Fleet(seed=7, devices=2, live_from=live_from, at=start - start % 60)
    fleet.warm_up()
    rounds = list(fleet.run(until=live_from, every=60))
    sent: defaultdict[tuple[str, str], list[tuple[int, float]]] = defaultdict(list)
    for samples in rounds:
        for sample in samples:
            for metric, value in sample.values.items():
                sent[sample.device, metric].append((sample.ts, value))
    for first in range(0, len(rounds), 60):
        for message in packed("demo", rounds[first : first + 60]):
            await publisher.send(message.topic, message.payload, readings=message.readings)
    await publisher.drain()

    expected = sum(len(values) for (device, _), values in sent.items() if device == FAILING)

    async def all_in_the_lake() -> bool:
        return (await everything.lake(FAILING))[0] >= expected

    await until(all_in_the_lake, within=60, every=0.5)
    for (device, metric), values in sent.items():
        assert await everything.lake_values(device, metric) == values, f"lake: {device} {metric}"
        assert await everything.hot_values(device, metric, end=now * 1000) == values, f"hot store: {device} {metric}"

    stack = everything.stack
    await send_tick(stack.aws, stack.names, now=system_clock())
    incidents: list[Incident] = []
    async with stack.aws.client("dynamodb") as dynamodb:
        forecasts, table = ForecastsTable(dynamodb, stack.names), IncidentsTable(dynamodb, stack.names)

        async def announced() -> bool:
            incidents[:], _ = await table.list("demo")
            return bool(incidents and incidents[0].notified_at)

        await until(announced, within=60, every=0.2)
        forecast = await forecasts.latest(SeriesKey("demo", FAILING, "temperature"))
    assert forecast is not None
    assert max(risk.probability for risk in forecast.risks if risk.side == "above") > 0.7
    (incident,) = incidents
    assert (incident.device, incident.basis, incident.side) == (FAILING, Basis.PREDICTED, "above")
    (sms,) = await emulator.sent_sms(stack.account.endpoint_url)
    assert FAILING in sms.message

    async with httpx.AsyncClient(base_url=everything.running.api_url) as http:
        assert (await http.get("/v1/devices")).status_code == 401
        answer = await http.get("/v1/devices", headers={"Authorization": f"Bearer {everything.api_key}"})
    assert answer.status_code == 200
    assert FAILING in answer.text


@pytest.mark.timeout(300)
async def test_killed_ingest_and_archiver_lose_nothing_and_double_nothing(
    everything: Everything, publisher: Publisher
) -> None:
    device, messages, per_message = "crashes", 600, 20
    base = system_clock() - 3_600_000
    killed: list[int] = []
    for number in range(messages):
        if number in (110, 310):
            killed.append(everything.kill_child("sensorcast-ingest"))
        if number in (210, 410):
            killed.append(everything.kill_child("sensorcast-archiver"))
        readings = [
            f'{{"ts":{base + (number * per_message + at) * 10},"temperature":{number % 7}.{at:02d}}}'
            for at in range(per_message)
        ]
        payload = f"[{','.join(readings)}]".encode()
        await publisher.send(f"dt/demo/{device}/readings", payload, readings=per_message)
        if number % 20 == 19:
            # Fast enough for much to be under way, slow enough for the programs to be back before the next kill.
            await publisher.drain()
            await until(
                lambda: None not in (everything.child("sensorcast-ingest"), everything.child("sensorcast-archiver")),
                within=60,
            )
    await publisher.drain()
    assert len(killed) == 4
    expected = messages * per_message

    async def complete() -> bool:
        return (await everything.lake(device))[1] >= expected

    await until(complete, within=150, every=1)
    assert await everything.lake(device) == (expected, expected)
    hot = await everything.hot_values(device, "temperature", end=system_clock())
    assert len(hot) == expected
