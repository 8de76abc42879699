"""Who is told of incidents is changed only by who has seen what is there; secrets go in and never come out."""

import json

import pytest
from tests.services.api.fakes import NOW, World

from sensorcast_common.clock import from_millis
from sensorcast_common.notice import Channel, Notice, Occasion
from sensorcast_common.tables.api_keys import Role

SECRET = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz"
CHAT = "https://hooks.example.com/services/T00/B00/XXXX"
ANNA: dict[str, object] = {
    "name": "Anna",
    "roles": ["manager"],
    "sms": "+4915112345678",
    "slack": CHAT,
    "webhook": {"url": "https://erp.example.com/alerts", "secret": SECRET},
}
BODIES: dict[str, dict[str, object]] = {
    "/v1/recipients/anna": ANNA,
    "/v1/escalations/north": {"steps": [{"roles": ["driver"]}, {"after_minutes": 10, "roles": ["manager"]}]},
    "/v1/silences/defrost": {
        "device": "fridge-3",
        "start": "2026-01-31T08:00:00Z",
        "end": "2026-01-31T09:00:00Z",
        "reason": "defrosting",
    },
}


@pytest.mark.parametrize("path", BODIES)
async def test_each_is_created_read_replaced_and_removed(world: World, path: str) -> None:
    body = BODIES[path]
    async with world.client(role=Role.OPERATOR) as client, world.client(role=Role.VIEWER) as viewer:
        created = await client.put(path, json=body)
        assert (created.status_code, created.headers["etag"]) == (201, '"1"')
        read = await client.get(path)
        assert read.json() == created.json()
        assert (await client.put(path, json=body)).status_code == 428
        assert (await client.put(path, json=body, headers={"If-Match": '"7"'})).status_code == 412
        replaced = await client.put(path, json=body, headers={"If-Match": read.headers["etag"]})
        assert (replaced.status_code, replaced.json()["version"]) == (200, 2)
        listed = (await client.get(path.rpartition("/")[0])).json()["items"]
        assert [each["version"] for each in listed] == [2]
        assert (await viewer.put(path, json=body)).status_code == 403
        assert (await client.delete(path)).status_code == 204
        assert (await client.delete(path)).status_code == 404
        assert (await client.get(path)).status_code == 404
    async with world.client(role=Role.OPERATOR, tenant="other") as other:
        assert (await other.get(path)).status_code == 404


async def test_secrets_do_not_come_out_and_stay_where_they_are_not_sent_again(world: World) -> None:
    path = "/v1/recipients/anna"
    async with world.client(role=Role.OPERATOR) as client:
        answers = [await client.put(path, json=ANNA), await client.get(path), await client.get("/v1/recipients")]
        assert not any(secret in each.text for each in answers for secret in (SECRET, "T00"))
        shown = answers[1].json()
        kept = {name: shown[name] for name in ANNA}
        body = {**kept, "name": "Anna B.", "webhook": {"url": shown["webhook"]["url"]}}
        assert (await client.put(path, json=body, headers={"If-Match": '"1"'})).status_code == 200
        moved = {**body, "webhook": {"url": "https://elsewhere.example.com/"}}
        refused = await client.put(path, json=moved, headers={"If-Match": '"2"'})
    stored = world.contacts.recipients.items["acme", "anna"]
    assert stored.webhook is not None
    assert (stored.name, stored.slack, stored.webhook.secret) == ("Anna B.", CHAT, SECRET)
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["field"] == "webhook.secret"


async def test_what_is_wrong_is_named(world: World) -> None:
    wrong = {
        "/v1/recipients/anna": ({"name": "Anna", "roles": ["manager"]}, "at least one way"),
        "/v1/escalations/north": ({"steps": [{"after_minutes": 5}]}, "must be 0"),
        "/v1/silences/all": (BODIES["/v1/silences/defrost"] | {"device": "*"}, "say what is silenced"),
    }
    async with world.client(role=Role.OPERATOR) as client:
        for path, (body, words) in wrong.items():
            answer = await client.put(path, json=body)
            assert answer.status_code == 422, path
            assert words in answer.text, path


async def test_a_silence_names_who_made_it_and_recipients_are_not_for_viewers(world: World) -> None:
    async with world.client(role=Role.OPERATOR) as client, world.client(role=Role.VIEWER) as viewer:
        made = await client.put("/v1/silences/defrost", json=BODIES["/v1/silences/defrost"])
        assert len(made.json()["created_by"]) == 16
        assert (await viewer.get("/v1/silences/defrost")).status_code == 200
        assert (await viewer.get("/v1/recipients")).status_code == 403


async def test_what_was_kept_back_is_shown_with_its_reason_and_without_addresses(world: World) -> None:
    incident_id = "019a0c2e-5f2b-7c3d-9e4f-0123456789ab"
    world.incidents.put("acme", incident_id)
    number = "+4915112345678"
    sent = Notice(
        occasion=Occasion.OPENED,
        channel=Channel.SMS,
        recipient=number,
        text="CRITICAL",
        created_at=from_millis(NOW),
        sent_at=from_millis(NOW + 1),
    )
    capped = sent.model_copy(
        update={
            "step": 1,
            "occasion": Occasion.ESCALATED,
            "recipient_id": "anna",
            "sent_at": None,
            "withheld": "cap_number: 100 SMS on 2026-05-28",
            "created_at": from_millis(NOW + 2),
        }
    )
    world.incidents.outboxes[incident_id] = {each.key: each for each in (capped, sent)}
    async with world.client() as client:
        found = await client.get(f"/v1/incidents/{incident_id}/notices")
        assert (await client.get(f"/v1/incidents/{incident_id[:-1]}0/notices")).status_code == 404
    assert number not in json.dumps(found.json())
    told = [(each["recipient"], each["text"], each["withheld"]) for each in found.json()["items"]]
    assert told == [("...678", "CRITICAL", None), ("anna", None, "cap_number: 100 SMS on 2026-05-28")]
