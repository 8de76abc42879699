"""Fan-out: who gets what, and what happens to the slow."""

import pytest
from tests.services.api.fakes import NOW

from sensorcast_api.stream.hub import Closed, Dropped, Gap, Heartbeat, Hub, Kind, LiveEvent, Subscriber, Watch
from sensorcast_api.stream.subscriptions import Subscriptions, filters_for
from sensorcast_common.reading import SeriesKey


def subscriber(
    tenant: str = "acme", *devices: str, limit: int = 3, kinds: frozenset[Kind] = frozenset(Kind)
) -> Subscriber:
    return Subscriber(tenant=tenant, devices=frozenset(devices) or None, kinds=kinds, limit=limit)


def event(device: str = "d1", *, tenant: str = "acme", at: int = NOW, kind: Kind = Kind.READINGS) -> LiveEvent:
    return LiveEvent(kind, tenant, device, at, f"{device}@{at}".encode())


async def test_an_event_goes_to_its_tenant_its_device_and_its_kind_only() -> None:
    hub = Hub()
    everything, one, foreign = subscriber(), subscriber("acme", "d1"), subscriber("other")
    incidents = subscriber(kinds=frozenset({Kind.INCIDENT}))
    for each in (everything, one, foreign, incidents):
        hub.add(each)
    assert hub.publish(event("d1"))[0] == 2
    assert hub.publish(event("d2"))[0] == 1
    assert hub.publish(event("d2", kind=Kind.INCIDENT))[0] == 2
    assert hub.publish(event("d1", tenant="other"))[0] == 1
    assert not hub.wanted(Kind.READINGS, "nobody", "d1")


async def test_a_slow_client_keeps_the_newest_and_hears_what_it_lost() -> None:
    slow = subscriber(limit=3)
    for number in range(5):
        slow.offer(event(at=NOW + number))
    assert await slow.next(heartbeat_seconds=1) == Dropped(2, NOW)
    got = [await slow.next(heartbeat_seconds=1) for _ in range(3)]
    assert [each.at for each in got if isinstance(each, LiveEvent)] == [NOW + 2, NOW + 3, NOW + 4]
    assert await slow.next(heartbeat_seconds=0.01) == Heartbeat()


async def test_one_slow_client_costs_the_others_nothing() -> None:
    hub = Hub()
    slow, quick = subscriber(limit=1), subscriber(limit=10)
    hub.add(slow)
    hub.add(quick)
    for number in range(5):
        hub.publish(event(at=NOW + number))
    got = [await quick.next(heartbeat_seconds=1) for _ in range(5)]
    assert all(isinstance(each, LiveEvent) for each in got)


async def test_gaps_join_and_the_end_comes_last() -> None:
    hub = Hub()
    watcher = subscriber()
    hub.add(watcher)
    hub.gap(NOW)
    hub.gap(NOW - 5)
    hub.publish(event())
    hub.close()
    kinds = [type(await watcher.next(heartbeat_seconds=1)) for _ in range(3)]
    assert kinds == [Gap, LiveEvent, Closed]
    assert hub.closed


def test_a_fleet_filter_stands_for_its_devices() -> None:
    assert filters_for([Watch("a", "d1"), Watch("a", "d2"), Watch("b", "d1")]) == {
        "dt/a/d1/readings",
        "alerts/a/d1",
        "dt/a/d2/readings",
        "alerts/a/d2",
        "dt/b/d1/readings",
        "alerts/b/d1",
    }
    assert filters_for([Watch("a", "d1"), Watch("a", None)]) == {"dt/a/+/readings", "alerts/a/+"}
    assert filters_for([]) == set()


async def test_waiting_for_the_broker_ends_with_its_answer_or_in_time() -> None:
    subscriptions = Subscriptions()
    watches = {Watch("a", "d1")}
    assert not await subscriptions.wait_for(watches, seconds=0.01)
    await subscriptions.confirm(["dt/a/+/readings", "alerts/a/d1"])
    assert await subscriptions.wait_for(watches, seconds=5)
    subscriptions.forget()
    assert not subscriptions.covers(watches)


def test_series_of_another_tenant_are_never_looked_up() -> None:
    watcher = Subscriber(
        tenant="acme",
        devices=None,
        kinds=frozenset(Kind),
        series=[SeriesKey("acme", "d1", "t"), SeriesKey("other", "d1", "t")],
        limit=1,
    )
    assert watcher.series == {SeriesKey("acme", "d1", "t")}


def test_a_queue_must_hold_something() -> None:
    with pytest.raises(ValueError, match="limit"):
        subscriber(limit=0)
