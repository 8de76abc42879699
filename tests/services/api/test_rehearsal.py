"""A rule is tried on the readings that are there, and nothing comes of it."""

from tests.services.api.fakes import NOW, World

from sensorcast_common.clock import from_millis, rfc3339
from sensorcast_common.tables.api_keys import Role

MINUTE = 60_000


async def test_a_dry_run_finds_the_incidents_and_keeps_nothing(world: World) -> None:
    for minute in range(60):
        value = 9.0 if 10 <= minute < 20 else 5.0
        world.readings.put("acme", "truck-1", NOW - (60 - minute) * MINUTE, value)
        world.readings.put("other", "truck-9", NOW - (60 - minute) * MINUTE, 9.0)
    body = {
        "rule": {
            "name": "Too warm",
            "device": "truck-*",
            "condition": {"above": 8, "hold_seconds": 120},
            "sms": ["+4915112345678"],
        },
        "start": rfc3339(from_millis(NOW - 60 * MINUTE)),
        "end": rfc3339(from_millis(NOW)),
    }
    async with world.client(role=Role.OPERATOR) as client:
        answer = await client.post("/v1/rules/test", json=body)
        assert answer.status_code == 200, answer.text
        assert {name: answer.json()[name] for name in ("readings", "alerts", "sms")} == {
            "readings": 60,
            "alerts": 1,
            "sms": 1,
        }
        (incident,) = answer.json()["incidents"]
        assert incident["opened_at"] == rfc3339(from_millis(NOW - 50 * MINUTE))
        assert incident["resolved_at"] == rfc3339(from_millis(NOW - 40 * MINUTE))
        assert (await client.get("/v1/rules")).json()["items"] == []
        assert (await client.get("/v1/incidents")).json()["items"] == []
        backward = await client.post("/v1/rules/test", json=body | {"end": body["start"]})
        assert (backward.status_code, backward.json()["errors"][0]["field"]) == (422, "end")
