"""When the forecasts of a trained model are reason to train anew, or to stop using it."""

from collections.abc import AsyncIterator, Sequence

import pytest
from prometheus_client import CollectorRegistry
from tests.services.forecaster.training.fridges import DAY_MS, END

from sensorcast_common.clock import from_millis
from sensorcast_common.device import Device, MetricState
from sensorcast_common.skill import Tally
from sensorcast_common.tables.skill import HOUR_MS, HourSkill
from sensorcast_forecaster.service import ActiveDevices
from sensorcast_forecaster.training.measure import TrainingMetrics
from sensorcast_forecaster.training.messages import TrainJob
from sensorcast_forecaster.training.review import review
from sensorcast_forecaster.training.watch import InUse, ReviewHandler, ReviewJob, ScoredHours, TrainedModels

NOW = END // HOUR_MS * HOUR_MS + 3 * HOUR_MS


def tally(loss: float, *, coverage: float = 0.8, forecasts: int = 500) -> Tally:
    """With this loss relative to last value."""
    return Tally(
        forecasts=forecasts, points=1000, covered=round(1000 * coverage), loss=loss, naive_loss=1.0, absolute=9
    )


@pytest.mark.parametrize(
    ("recent", "before", "train", "usable", "reason"),
    [
        (tally(0.5), tally(0.5), False, True, "fine"),
        (tally(0.5), Tally(), False, True, "fine"),
        (tally(0.62), tally(0.5), False, True, "fine"),
        (tally(0.63), tally(0.5), True, True, "worse than before"),
        (tally(0.63), tally(0.5, forecasts=50), False, True, "fine"),
        (tally(0.5, coverage=0.65), tally(0.5), True, True, "coverage has drifted"),
        (tally(0.5, coverage=0.95), tally(0.5), True, True, "coverage has drifted"),
        (tally(0.5, coverage=0.55), tally(0.5), True, False, "covers too little"),
        (tally(1.0), tally(1.0), True, False, "worse than last value"),
        (tally(2.0, forecasts=199), tally(0.5), False, True, "too few forecasts"),
        (Tally(forecasts=500, points=9), tally(0.5), False, True, "too few forecasts"),
    ],
)
def test_a_verdict_has_its_reason(recent: Tally, before: Tally, train: bool, usable: bool, reason: str) -> None:
    assert review(recent, before) == (train, usable, reason)


class Kept(TrainedModels, ScoredHours, ActiveDevices):
    """One model in use, its hours, two tenants' devices, and what was asked of them."""

    def __init__(self, *, newest_id: str, recent: Tally, before: Tally) -> None:
        self.model = InUse("temperature", "20260101T022000Z", newest_id)
        self.hours = [
            HourSkill("acme", hour, "temperature", 0, {f"builtin/1@{model}": each, "builtin/1": tally(9.0)})
            for hour, model, each in (
                (NOW - 3 * HOUR_MS, self.model.model_id, recent),
                (NOW - 3 * HOUR_MS - DAY_MS, "20251231T022000Z", before),
            )
        ]
        self.distrusted: list[str] = []
        self.sent: list[TrainJob] = []

    async def watched(self, tenant: str) -> Sequence[InUse]:
        return [self.model] if tenant == "acme" else []

    async def distrust(self, tenant: str, metric: str, model_id: str, *, reason: str) -> None:
        self.distrusted.append(f"{tenant} {metric} {model_id}: {reason}")

    async def between(self, tenant: str, *, start: int, end: int) -> Sequence[HourSkill]:
        return [each for each in self.hours if start <= each.hour < end]

    async def active(self, since_ms: int) -> AsyncIterator[Device]:
        state, seen = MetricState(unit="Cel", last_ts=from_millis(NOW), last_value=4), from_millis(NOW)
        metrics = {"temperature": state, "humidity": state}
        for tenant in ("acme", "other"):
            yield Device(tenant=tenant, device="d", metrics=metrics, first_seen=seen, last_seen=seen)

    async def send(self, texts: Sequence[str]) -> None:
        self.sent += [TrainJob.parse(text) for text in texts]

    async def review(self) -> None:
        handler = ReviewHandler(
            models=self,
            skill=self,
            devices=self,
            send_jobs=self.send,
            max_series=10,
            metrics=TrainingMetrics(CollectorRegistry()),
            clock=lambda: NOW,
        )
        await handler.handle(ReviewJob(hour=NOW - 3 * HOUR_MS, tenant="acme").text())


async def test_a_model_that_drifted_is_trained_anew_from_its_tenants_devices() -> None:
    kept = Kept(newest_id="20260101T022000Z", recent=tally(0.8), before=tally(0.5))
    await kept.review()
    assert [(job.tenant, job.metric, job.devices, job.known_at) for job in kept.sent] == [
        ("acme", "temperature", ["d"], NOW)
    ]
    assert kept.distrusted == []


async def test_a_model_that_misleads_is_out_of_use_even_if_it_was_trained_lately() -> None:
    lately = f"{from_millis(NOW - HOUR_MS):%Y%m%dT%H%M%SZ}"
    kept = Kept(newest_id=lately, recent=tally(1.2), before=tally(0.5))
    await kept.review()
    assert kept.distrusted == ["acme temperature 20260101T022000Z: worse than last value"]
    assert kept.sent == [], "a training half a day later would learn from nearly the same past"


async def test_a_model_that_does_well_is_left_alone() -> None:
    kept = Kept(newest_id="20260101T022000Z", recent=tally(0.5), before=tally(0.5))
    await kept.review()
    assert (kept.sent, kept.distrusted) == ([], [])
