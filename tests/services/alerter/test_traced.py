"""A message to a person goes on in the trace of what it tells of, whoever sends it and however late."""

from prometheus_client import CollectorRegistry
from tests.servers.spans import Recorded, attribute, linked, parent_id, span_id, trace_id
from tests.services.alerter.observations import NUMBER, forecast, limit_rule, reading
from tests.services.alerter.room import Room
from tests.services.alerter.test_who_is_told import DRIVER, escalation, recipient, room_with

from sensorcast_alerter.consume import Intake
from sensorcast_alerter.metrics import AlerterMetrics
from sensorcast_common.batch import ReadingBatch
from sensorcast_common.errors import Retryable
from sensorcast_common.identity import new_id
from sensorcast_common.rule import ForecastCondition

READINGS = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
LATER = "00-11111111111111111111111111111111-2222222222222222-01"


async def test_another_alerter_goes_on_in_the_trace_after_a_crash() -> None:
    recorded = Recorded()
    one = Room(limit_rule(), tracing=recorded.tracing)
    await one.sweep()
    one.telephone.raises = Retryable("SNS is away")
    hot = reading("00:01", 9)
    one.origins.note(READINGS, readings=[hot])
    await one.take(hot)
    one.origins.forget()
    (failed,) = recorded.spans("send sms")
    assert attribute(failed, "sensorcast.accepted") is False

    other = Room(tables=one.tables, tracing=recorded.tracing)
    await other.sweep("00:02")
    assert len(other.telephone.got) == 1
    _, sent = recorded.spans("send sms")
    (opened,) = recorded.spans("incident opened")
    assert parent_id(opened) == READINGS[36:52]
    assert parent_id(sent) == parent_id(failed) == span_id(opened)
    assert attribute(sent, "sensorcast.accepted") is True
    assert attribute(opened, "sensorcast.device") == "truck-1"
    told = " ".join(span.to_json() for span in recorded.spans())
    assert NUMBER[1:] not in told


async def test_the_end_goes_on_from_the_reading_that_brought_it_and_links_to_the_beginning() -> None:
    recorded = Recorded()
    room = Room(limit_rule(), tracing=recorded.tracing)
    await room.sweep()
    for value, when, trace in ((9.0, "00:01", READINGS), (5.0, "00:02", LATER)):
        one = reading(when, value)
        room.origins.note(trace, readings=[one])
        await room.take(one)
    (resolved,) = recorded.spans("incident resolved", trace=LATER[3:35])
    assert parent_id(resolved) == LATER[36:52]
    assert linked(resolved) == [READINGS[3:35]]


async def test_a_forecast_is_the_origin_of_what_it_predicts() -> None:
    recorded = Recorded()
    room = Room(limit_rule(forecast=ForecastCondition(min_probability=0.7)), tracing=recorded.tracing)
    await room.sweep()
    likely = forecast("00:05", 0.9)
    room.origins.note(READINGS, forecasts=[likely])
    await room.take(likely)
    (opened,) = recorded.spans("incident opened", trace=READINGS[3:35])
    assert attribute(opened, "sensorcast.basis") == "predicted"
    assert len(recorded.spans("send sms")) == 1


async def test_a_repetition_goes_on_in_the_trace_of_the_incident_and_a_group_links_to_the_others() -> None:
    recorded = Recorded()
    again = escalation(steps=[{"roles": ["driver"]}, {"after_minutes": 10, "roles": ["driver"]}], group_by="site")
    room = await room_with(
        recipient("driver", sms=DRIVER), again, labels={"site": "north"}, tracing=recorded.tracing, group_wait=0.05
    )
    first, second = reading("00:01", 9), reading("00:01", 9, device="truck-2")
    room.origins.note(READINGS, readings=[first])
    room.origins.note(LATER, readings=[second])
    await room.take(first, second)
    room.origins.forget()
    (sent,) = recorded.spans("send sms")
    assert {trace_id(sent), *linked(sent)} == {READINGS[3:35], LATER[3:35]}
    await room.sweep("00:12")
    _, *repeated = recorded.spans("send sms")
    assert {each for span in repeated for each in (trace_id(span), *linked(span))} == {READINGS[3:35], LATER[3:35]}


async def test_only_recorded_messages_are_remembered_and_only_while_they_are_handled() -> None:
    recorded = Recorded()
    room = Room(limit_rule(), tracing=recorded.tracing)
    await room.sweep()
    room.now = reading("00:01", 9).ts
    intake = Intake(watchroom=room.watchroom, metrics=AlerterMetrics(CollectorRegistry()), origins=room.origins)
    texts = [
        ReadingBatch(new_id(), room.now, [reading("00:01", 9, device=device)]).encode()
        for device in ("truck-1", "truck-2", "truck-3")
    ]
    assert await intake.take(texts, traces=[READINGS, LATER[:-1] + "0", None]) == {}
    assert len(recorded.spans("incident opened")) == 1
    assert recorded.spans("incident opened", trace=LATER[3:35]) == []
    assert all(room.origins.of(incident) is None for incident in room.incidents)
    assert len(room.incidents) == 3


async def test_off_an_incident_is_stored_without_a_trace() -> None:
    room = Room(limit_rule())
    await room.sweep()
    await room.take(reading("00:01", 9))
    (stored,) = room.tables.items.values()
    assert {notice.trace for notice in stored.outbox.values()} == {None}
