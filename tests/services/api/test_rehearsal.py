"""A rule is tried on the past, lake and hot store together, and nothing comes of it."""

from dataclasses import replace
from typing import cast

import pytest
from tests.services.api.fakes import NOW
from tests.services.api.test_history import HOUR, HistoryWorld

from sensorcast_api import examples
from sensorcast_api.asgi import make_app
from sensorcast_api.services import Limits
from sensorcast_common.clock import from_millis, rfc3339
from sensorcast_common.device import MetricState
from sensorcast_common.tables.api_keys import Role

MINUTE = 60_000
Json = dict[str, object]


@pytest.fixture
def world() -> HistoryWorld:
    return HistoryWorld()


def body(condition: Json, *, start: int = NOW - 3 * HOUR, end: int = NOW, **rule: object) -> Json:
    named = {"name": "Too warm", "device": "truck-*", "sms": ["+4915112345678"], "condition": condition, **rule}
    return {"rule": named, "start": rfc3339(from_millis(start)), "end": rfc3339(from_millis(end))}


def fill(world: HistoryWorld, warm: range, *, device: str = "truck-1") -> None:
    """Three hours of minutes, the first two in the lake and the last in the hot store."""
    for minute in range(180):
        ts, value = NOW - (180 - minute) * MINUTE, 9.0 if minute in warm else 5.0
        if minute < 120:
            world.lake.answer.append([device, "temperature", str(ts), "Cel", str(value)])
        else:
            world.readings.put("acme", device, ts, value)


async def post(world: HistoryWorld, sent: Json, status: int = 200) -> Json:
    async with world.client(role=Role.OPERATOR) as client:
        answer = await client.post("/v1/rules/test", json=sent)
        assert answer.status_code == status, answer.text
        found: Json = answer.json()
        return found


def listed(answer: Json, name: str) -> list[Json]:
    return cast("list[Json]", answer[name])


def counts(answer: Json) -> tuple[object, ...]:
    return tuple(answer[name] for name in ("readings", "alerts", "sms", "came_true", "false_alarms", "missed"))


async def test_it_finds_a_breach_that_lies_across_lake_and_hot_store_and_keeps_nothing(world: HistoryWorld) -> None:
    fill(world, range(110, 130))
    world.readings.put("other", "truck-9", NOW - MINUTE, 9.0)
    answer = await post(world, body({"above": 8, "hold_seconds": 120}) | {"points": 60})
    assert counts(answer) == (180, 1, 1, 0, 0, 0)
    (incident,) = listed(answer, "incidents")
    assert incident["opened_at"] == rfc3339(from_millis(NOW - 70 * MINUTE))
    assert incident["resolved_at"] == rfc3339(from_millis(NOW - 50 * MINUTE))
    assert answer["outcomes"] == ["observed"]
    (series,) = listed(answer, "series")
    drawn = [each["value"] for each in listed(series, "readings")]
    assert (series["device"], len(drawn) <= 60, 9.0 in drawn) == ("truck-1", True, True)
    assert world.rules.items == {}
    assert world.incidents.items == {}


async def test_forecasts_of_that_time_warn_by_their_risk_or_else_by_their_quantiles(world: HistoryWorld) -> None:
    fill(world, range(110, 130))
    for minute in (60, 65, 90, 95):
        rising = 6.5 if minute >= 90 else 0.0
        made = {
            "tenant": "acme",
            "device": "truck-1",
            "known_at": from_millis(NOW - (180 - minute) * MINUTE),
            "start": from_millis(NOW - (175 - minute) * MINUTE),
            "last_value": 5.0,
            "q10": [4.0, 4.0, 4.0 + rising, 4.0 + rising],
            "q50": [5.0, 5.0, 5.0 + rising, 5.0 + rising],
            "q90": [6.0, 6.0, 6.0 + rising, 6.0 + rising],
            "risks": [],
        }
        world.forecasts.items.append(examples.FORECAST.model_copy(update=made))
    answer = await post(world, body({"above": 8, "forecast": {"min_probability": 0.8}}))
    assert counts(answer) == (180, 1, 1, 1, 0, 0)
    assert (answer["forecasts"], answer["estimated_forecasts"], answer["outcomes"]) == (4, 4, ["came_true"])
    assert answer["lead_minutes"] == {"least": 20, "median": 20, "greatest": 20}
    # The same limit under any other rule's name: what the forecaster said of it counts, not the quantiles.
    known = [each.model_copy(update={"risks": [examples.FORECAST.risks[0]]}) for each in world.forecasts.items]
    world.forecasts.items = known
    answer = await post(world, body({"above": 8, "forecast": {"min_probability": 0.8}}))
    assert (answer["estimated_forecasts"], answer["outcomes"]) == (0, ["missed"])


async def test_every_kind_of_rule_can_be_tried(world: HistoryWorld) -> None:
    await world.fill("acme")
    fill(world, range(110, 150))
    kinds: list[tuple[Json, int]] = [
        ({"kind": "rate", "rising": 0.5}, 1),
        ({"kind": "stuck", "after_minutes": 30}, 2),
        ({"kind": "product", "product": examples.PRODUCT.product_id}, 1),
    ]
    for condition, alerts in kinds:
        answer = await post(world, body(condition))
        assert answer["alerts"] == alerts, condition
    world.readings.points.clear()
    answer = await post(world, body({"kind": "silence", "after_minutes": 30}))
    assert answer["alerts"] == 1


async def test_labels_choose_the_devices(world: HistoryWorld) -> None:
    fill(world, range(110, 130))
    here = world.devices.items["acme", "truck-1"].labels["site"]
    assert (await post(world, body({"above": 8}, labels={"site": here})))["alerts"] == 1
    nowhere = await post(world, body({"above": 8}, labels={"site": "elsewhere"}))
    assert (nowhere["devices"], nowhere["alerts"]) == (0, 0)


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        (body({"above": 8}, start=NOW, end=NOW - 1), "end"),
        (body({"above": 8}, start=NOW - 400 * 24 * HOUR), "end"),
        (body({"above": 8}), "start"),
        (body({"above": 8, "below": 9}), "rule.condition"),
        (body({"kind": "product", "product": "unknown"}), "rule.condition.product"),
        (body({"above": 8}) | {"points": 1}, "points"),
    ],
)
async def test_what_cannot_be_tried_names_its_field(world: HistoryWorld, sent: Json, field: str) -> None:
    fill(world, range(110, 130))
    world.services = replace(world.services, limits=Limits(rehearsal_readings=100))
    world.app = make_app(world.services)
    answer = await post(world, sent, 422)
    assert [error["field"] for error in listed(answer, "errors")] == [field]


async def test_one_that_takes_too_long_is_ended_and_says_so(world: HistoryWorld) -> None:
    world.lake.endless = True
    world.services = replace(world.services, limits=Limits(rehearsal_seconds=0.05))
    world.app = make_app(world.services)
    answer = await post(world, body({"above": 8}), 422)
    assert "takes longer than 0.05 s" in str(answer["errors"])
    assert world.lake.stopped == 1
    # The next one is let in.
    world.lake.endless = False
    assert (await post(world, body({"above": 8})))["readings"] == 0


async def test_more_devices_than_one_may_try_are_refused(world: HistoryWorld) -> None:
    for number in range(1001):
        world.devices.put("acme", f"van-{number:04}")
    answer = await post(world, body({"above": 8}, device="van-*"), 422)
    assert [error["field"] for error in listed(answer, "errors")] == ["rule.device"]
    unmeasured = MetricState(unit="%RH", last_ts=from_millis(NOW), last_value=50)
    for key, device in list(world.devices.items.items()):
        world.devices.items[key] = device.model_copy(update={"metrics": {"humidity": unmeasured}})
    assert (await post(world, body({"above": 8}, device="van-*")))["devices"] == 0
