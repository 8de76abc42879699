"""Labels belong to people: set by them, filtered by, and never touched by what a device sends."""

import pytest
from tests.servers.aws import AwsAccount
from tests.servers.tables import table_in
from tests.services.api.fakes import World

from sensorcast_api import examples
from sensorcast_common.clock import from_millis, system_clock
from sensorcast_common.device import MetricState, Sighting
from sensorcast_common.names import Names
from sensorcast_common.tables.api_keys import Role
from sensorcast_common.tables.device_labels import DeviceLabels, LabelConflict
from sensorcast_common.tables.devices import DevicesTable

PATH = "/v1/devices/truck-1/labels"


async def test_a_patch_changes_what_it_names_and_the_etag_guards_it(world: World) -> None:
    async with world.client(role=Role.OPERATOR) as client:
        before = await client.get(PATH)
        named = {"name": examples.DEVICE.name}
        assert (before.json(), before.headers["etag"]) == ({"labels": {"site": "north"}} | named, '"0"')
        patch = {"labels": {"product": "milk", "site": None}}
        changed = await client.patch(PATH, json=patch, headers={"If-Match": '"0"'})
        assert (changed.json(), changed.headers["etag"]) == ({"labels": {"product": "milk"}} | named, '"1"')
        late = await client.patch(PATH, json=patch, headers={"If-Match": '"0"'})
        assert (late.status_code, late.headers["etag"]) == (412, '"1"')
        assert (await client.patch(PATH, json=patch)).headers["etag"] == '"2"'
        assert (await client.get("/v1/devices/truck-1")).json()["labels"] == {"product": "milk"}


async def test_a_device_is_named_and_unnamed_and_its_labels_stay(world: World) -> None:
    async with world.client(role=Role.OPERATOR) as client:
        assert (await client.patch(PATH, json={"name": " Milk "})).json() == {
            "name": "Milk",
            "labels": {"site": "north"},
        }
        assert (await client.get("/v1/fleet")).json()["items"][0]["name"] == "Milk"
        assert (await client.patch(PATH, json={"name": None})).json() == {"name": None, "labels": {"site": "north"}}
        wrong = await client.patch(PATH, json={"name": "a\nb"})
    assert [each["field"] for each in wrong.json()["errors"]] == ["name"]


@pytest.mark.parametrize(
    ("labels", "field"),
    [
        ({"Site": "x"}, "labels.Site.[key]"),
        ({"site": ""}, "labels.site"),
        ({"site": "x" * 65}, "labels.site"),
        ({"site": "a\nb"}, "labels.site"),
        ({f"l{number}": "x" for number in range(16)}, "labels"),
        ("north", "labels"),
    ],
)
async def test_a_wrong_label_is_named(world: World, labels: object, field: str) -> None:
    async with world.client(role=Role.OPERATOR) as client:
        answer = await client.patch(PATH, json={"labels": labels})
    assert answer.status_code == 422
    assert [each["field"] for each in answer.json()["errors"]] == [field]


async def test_devices_fleet_and_series_are_filtered_by_labels(world: World) -> None:
    device = world.devices.items["acme", "truck-2"]
    state = device.metrics["temperature"]
    changed = {"labels": {"site": "south", "product": "milk"}, "metrics": {"temperature": state, "humidity": state}}
    world.devices.items["acme", "truck-2"] = device.model_copy(update=changed)
    async with world.client() as client:
        for path in ("/v1/devices", "/v1/fleet", "/v1/series"):
            for labels, devices in ((["site:south", "product:milk"], {"truck-2"}), (["site:west"], set())):
                items = (await client.get(path, params={"label": labels})).json()["items"]
                assert {each["device"] for each in items} == devices
            assert (await client.get(path, params={"label": ["site:a", "site:b"]})).status_code == 422
            assert (await client.get(path, params={"label": "site"})).status_code == 422


async def test_series_are_paged_across_devices_and_within_one(world: World) -> None:
    state = world.devices.items["acme", "truck-1"].metrics["temperature"]
    for number in range(5):
        world.devices.put("acme", f"van-{number}")
        world.devices.items["acme", f"van-{number}"] = world.devices.items["acme", f"van-{number}"].model_copy(
            update={"metrics": dict.fromkeys(("humidity", "temperature", "voltage")[: number % 3 + 1], state)}
        )
    async with world.client() as client:
        whole = (await client.get("/v1/series")).json()
        assert whole["next_cursor"] is None
        paged, cursor = [], None
        while True:
            page = (await client.get("/v1/series", params={"limit": 2} | ({"cursor": cursor} if cursor else {}))).json()
            paged += page["items"]
            cursor = page["next_cursor"]
            if cursor is None:
                break
        assert (await client.get("/v1/series", params={"cursor": "rubbish"})).status_code == 422
        voltage = (await client.get("/v1/series", params={"metric": "voltage"})).json()["items"]
    assert paged == whole["items"]
    assert len(paged) == 2 + 1 + 2 + 3 + 1 + 2
    assert [each["device"] for each in voltage] == ["van-2"]


async def test_the_archivers_writes_keep_labels_and_labels_keep_its_writes(any_account: AwsAccount) -> None:
    names, now = Names(), system_clock()
    async with table_in(any_account, names.table_devices) as client:
        devices, labels = DevicesTable(client, names), DeviceLabels(client, names)
        assert await labels.change("acme", "truck-1", {"site": "north"}) is None

        def seen(number: int) -> Sighting:
            at = now + number * 600_000
            state = MetricState(unit="Cel", last_ts=from_millis(at), last_value=float(number))
            return Sighting("acme", "truck-1", {"temperature": state}, at, at)

        await devices.record([seen(0)])
        assert await labels.change("acme", "truck-1", {"site": "north", "product": "milk"}, expected=0)
        await devices.record([seen(1)])
        with pytest.raises(LabelConflict):
            await labels.change("acme", "truck-1", {"site": "south"}, expected=0)
        assert await labels.change("acme", "truck-1", {}, name="Milk", expected=1)
        changed = await labels.change("acme", "truck-1", {"product": None}, expected=2)
        await devices.record([seen(2)])
        known = await devices.get("acme", "truck-1")
        assert changed is not None
        assert known is not None
        told = ("Milk", {"site": "north"}, 3)
        assert (known.name, known.labels, known.labels_version) == told
        assert (changed.name, changed.labels, changed.labels_version) == told
        unnamed = await labels.change("acme", "truck-1", {}, name=None, expected=3)
        assert unnamed is not None
        assert unnamed == await devices.get("acme", "truck-1")
        assert known.metrics["temperature"].last_value == 2.0
        found = [await devices.list("acme", labels={"site": site}) for site in ("north", "south")]
        assert [[each.device for each in page] for page, _ in found] == [["truck-1"], []]
