"""A tick becomes shards, in time or not at all."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensorcast_common.clock import to_millis
from sensorcast_common.device import Device, MetricState
from sensorcast_common.errors import Poison
from sensorcast_forecaster.jobs import ForecastJob, JobDevice
from sensorcast_forecaster.schedule import is_late, make_jobs, scheduled_time

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
NOON_MS = to_millis(NOON)


def device(name: str, metrics: int, *, tenant: str = "acme", age_minutes: float = 0) -> Device:
    state = MetricState(unit="Cel", last_ts=NOON - timedelta(minutes=age_minutes), last_value=4)
    return Device(
        tenant=tenant,
        device=name,
        metrics={f"m{number}": state for number in range(metrics)},
        first_seen=NOON,
        last_seen=NOON,
    )


def test_tick_carries_its_scheduled_time() -> None:
    assert scheduled_time('{"scheduled_at": "2026-01-01T12:00:00Z"}', sent_at=5) == NOON_MS
    assert scheduled_time(b'{"scheduled_at": "2026-01-01T13:00:00+01:00", "x": 1}', sent_at=5) == NOON_MS


@pytest.mark.parametrize("text", ["{}", '{"scheduled_at": "<aws.scheduler.scheduled-time>"}'])
def test_tick_without_a_time_is_as_old_as_its_message(text: str) -> None:
    assert scheduled_time(text, sent_at=NOON_MS) == NOON_MS


@pytest.mark.parametrize(
    "text", ["", "[]", "tick", b"\xff", '{"scheduled_at": "noon"}', '{"scheduled_at": "2026-01-01T12:00:00"}']
)
def test_other_messages_are_poison(text: str | bytes) -> None:
    with pytest.raises(Poison):
        scheduled_time(text, sent_at=5)


def test_late_means_older_than_allowed() -> None:
    assert not is_late(NOON_MS, now=NOON_MS + 300_000, max_age_seconds=300)
    assert is_late(NOON_MS, now=NOON_MS + 300_001, max_age_seconds=300)


@given(st.lists(st.integers(0, 9), max_size=30), st.integers(1, 12))
def test_shards_hold_every_series_once_and_whole_devices(sizes: list[int], per_job: int) -> None:
    devices = [device(f"d{number:02d}", size) for number, size in enumerate(sizes)]
    jobs = make_jobs(devices, known_at=NOON_MS, active_since=NOON_MS, series_per_job=per_job)

    placed = [entry.device for job in jobs for entry in job.devices]
    assert placed == [each.device for each in devices if each.metrics]
    for job in jobs:
        size = sum(len(entry.metrics) for entry in job.devices)
        assert size <= per_job or len(job.devices) == 1
    assert jobs == make_jobs(devices[::-1], known_at=NOON_MS, active_since=NOON_MS, series_per_job=per_job)


def test_silent_metrics_are_left_out() -> None:
    devices = [device("a", 1, age_minutes=31), device("b", 1, age_minutes=29)]
    since = NOON_MS - 30 * 60_000
    (job,) = make_jobs(devices, known_at=NOON_MS, active_since=since, series_per_job=50)
    assert [entry.device for entry in job.devices] == ["b"]
    with pytest.raises(ValueError, match="series_per_job"):
        make_jobs(devices, known_at=NOON_MS, active_since=since, series_per_job=0)


def test_job_survives_its_message_and_names_what_is_wrong() -> None:
    job = ForecastJob(known_at=NOON_MS, devices=[JobDevice(tenant="acme", device="a", metrics=["m"])])
    assert ForecastJob.parse(job.text()) == job
    with pytest.raises(Poison, match="schema_version"):
        ForecastJob.parse(job.text().replace('"schema_version":1', '"schema_version":2'))
    with pytest.raises(Poison, match=r"devices\.0\.metrics"):
        ForecastJob.parse('{"known_at": 1, "devices": [{"tenant": "a", "device": "b", "metrics": []}]}')
