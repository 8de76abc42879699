"""After an outage many ticks wait: what is too late for its purpose is skipped and counted, and the rest is done."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from prometheus_client import CollectorRegistry

from sensorcast_common.clock import rfc3339, to_millis
from sensorcast_common.device import Device, MetricState
from sensorcast_forecaster.jobs import ForecastJob
from sensorcast_forecaster.metrics import ForecasterMetrics
from sensorcast_forecaster.scoring.measure import ScoringMetrics
from sensorcast_forecaster.scoring.score import ScoreTickHandler
from sensorcast_forecaster.service import ActiveDevices, TickHandler
from sensorcast_forecaster.settings import ForecasterSettings
from sensorcast_forecaster.training.measure import TrainingMetrics
from sensorcast_forecaster.training.ticks import TrainTickHandler

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
HOUR_MS = 3_600_000
DAY_SECONDS = 86_400.0


class OneFridge(ActiveDevices):
    """A device that has reported until now."""

    async def active(self, since_ms: int) -> AsyncIterator[Device]:
        state = MetricState(unit="Cel", last_ts=NOON, last_value=4)
        yield Device(tenant="acme", device="fridge", metrics={"temperature": state}, first_seen=NOON, last_seen=NOON)


@dataclass
class Sent:
    """A queue."""

    texts: list[str] = field(default_factory=list)

    async def __call__(self, texts: Sequence[str]) -> None:
        self.texts += texts


def tick(due: datetime, *, kind: str = "") -> str:
    version = f'"{kind}": 1, ' if kind else ""
    return f'{{{version}"scheduled_at": "{rfc3339(due)}"}}'


async def test_of_the_ticks_of_an_outage_the_newest_is_forecast_and_the_others_are_counted_as_late() -> None:
    registry, sent = CollectorRegistry(), Sent()
    handler = TickHandler(
        settings=ForecasterSettings(),
        devices=OneFridge(),
        send_jobs=sent,
        metrics=ForecasterMetrics(registry),
        clock=lambda: to_millis(NOON) + 2000,
    )
    for at in range(12, -1, -1):
        await handler.handle(tick(NOON - timedelta(minutes=5 * at)), sent_at=to_millis(NOON))
    (job,) = map(ForecastJob.parse, sent.texts)
    assert job.known_at == to_millis(NOON)
    outcomes = {
        outcome: registry.get_sample_value("sensorcast_forecaster_ticks_total", {"outcome": outcome})
        for outcome in ("late", "sharded")
    }
    assert outcomes == {"late": 12, "sharded": 1}


async def test_a_training_tick_is_skipped_when_the_next_is_nearer_than_its_own() -> None:
    registry, sent = CollectorRegistry(), Sent()
    handler = TrainTickHandler(
        devices=OneFridge(),
        send_jobs=sent,
        max_series=10,
        metrics=TrainingMetrics(registry),
        clock=lambda: to_millis(NOON),
    )
    await handler.handle(tick(NOON - timedelta(hours=12, minutes=1), kind="train"), sent_at=to_millis(NOON))
    assert sent.texts == []
    assert registry.get_sample_value("sensorcast_forecaster_trainings_total", {"outcome": "late"}) == 1
    await handler.handle(tick(NOON - timedelta(hours=11), kind="train"), sent_at=to_millis(NOON))
    assert len(sent.texts) == 1


async def test_a_scoring_tick_is_done_however_late_while_its_readings_are_kept() -> None:
    registry, jobs, reviews = CollectorRegistry(), Sent(), Sent()
    handler = ScoreTickHandler(
        devices=OneFridge(),
        send_jobs=jobs,
        send_later=reviews,
        horizon_ms=HOUR_MS,
        grace_ms=0,
        keep_seconds=7 * DAY_SECONDS,
        metrics=ScoringMetrics(registry),
        clock=lambda: to_millis(NOON),
    )
    await handler.handle(tick(NOON - timedelta(days=6), kind="score"), sent_at=to_millis(NOON))
    assert (len(jobs.texts), len(reviews.texts)) == (1, 1)
    await handler.handle(tick(NOON - timedelta(days=7), kind="score"), sent_at=to_millis(NOON))
    assert (len(jobs.texts), len(reviews.texts)) == (1, 1)
    assert registry.get_sample_value("sensorcast_forecaster_score_jobs_total", {"outcome": "late"}) == 1
