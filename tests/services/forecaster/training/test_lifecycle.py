"""What asks for training, who takes over, and which model is used, without servers."""

import pytest
from tests.services.forecaster.training.fridges import DAY_MS, END, fridge

from sensorcast_common.clock import from_millis
from sensorcast_common.device import Device, MetricState
from sensorcast_common.errors import Poison
from sensorcast_forecaster.boosting.booster import Growth
from sensorcast_forecaster.boosting.examples import Past
from sensorcast_forecaster.boosting.layout import Layout
from sensorcast_forecaster.boosting.member import Loaded
from sensorcast_forecaster.boosting.validation import Score, fit
from sensorcast_forecaster.kinds import FORECAST, TRAIN, job_kind, tick_kind
from sensorcast_forecaster.training.messages import TrainJob, make_train_jobs, training_time
from sensorcast_forecaster.training.record import ModelRecord, Validation, decide
from sensorcast_forecaster.training.registry import ArtefactMissing
from sensorcast_forecaster.training.shelf import ModelShelf, Promoted


def score(loss: float) -> Score:
    return Score(relative_loss=loss, windows=(loss,) * 5, coverage=0.8, origins=100, series=3)


@pytest.mark.parametrize(
    ("candidate", "in_use", "promoted", "reason"),
    [
        (0.5, None, True, "first"),
        (0.5, 0.6, True, "no worse"),
        (0.5, 0.5, True, "no worse"),
        (0.6, 0.5, False, "worse"),
        (1.0, None, False, "worse than last value"),
        (1.1, 1.3, False, "worse than last value"),
    ],
)
def test_only_what_is_no_worse_takes_over(candidate: float, in_use: float | None, promoted: bool, reason: str) -> None:
    decision = decide(score(candidate), None if in_use is None else score(in_use))
    assert decision == (promoted, reason)


def test_training_messages_are_told_from_those_of_forecasts() -> None:
    job = TrainJob(known_at=5, tenant="acme", metric="temperature", devices=["truck-1"])
    assert job_kind(job.text()) == TRAIN
    assert TrainJob.parse(job.text()) == job
    assert tick_kind('{"train": 1, "scheduled_at": "2026-01-01T00:00:00Z"}') == TRAIN
    assert tick_kind('{"scheduled_at": "2026-01-01T00:00:00Z"}') == FORECAST
    assert tick_kind("train") == FORECAST
    with pytest.raises(Poison, match="kind"):
        job_kind('{"train": 1}')


def test_a_training_tick_says_when_it_was_due() -> None:
    assert training_time('{"train": 1, "scheduled_at": "1970-01-01T00:00:07Z"}', sent_at=9) == 7000
    assert training_time('{"train": 1, "scheduled_at": "<aws.scheduler.scheduled-time>"}', sent_at=9) == 9


@pytest.mark.parametrize(
    ("text", "field"), [('{"train": 2}', "train"), ('{"train": 1, "scheduled_at": "soon"}', "scheduled_at")]
)
def test_an_unknown_training_tick_is_poison(text: str, field: str) -> None:
    with pytest.raises(Poison, match=field):
        training_time(text, sent_at=9)


def test_an_unknown_training_job_is_poison() -> None:
    text = TrainJob(known_at=5, tenant="acme", metric="t", devices=["a"]).text()
    with pytest.raises(Poison, match="schema_version"):
        TrainJob.parse(text.replace('"schema_version":1', '"schema_version":2'))
    with pytest.raises(Poison, match="devices"):
        TrainJob.parse(text.replace('["a"]', "[]"))


def test_one_job_per_tenant_and_metric_with_devices_spread() -> None:
    state = MetricState(unit="Cel", last_ts=from_millis(END), last_value=4)

    def device(tenant: str, name: str, *metrics: str) -> Device:
        return Device(
            tenant=tenant,
            device=name,
            metrics=dict.fromkeys(metrics, state),
            first_seen=from_millis(END),
            last_seen=from_millis(END),
        )

    devices = [device("b", "x", "humidity"), *(device("a", f"t{n}", "temperature", "humidity") for n in range(6))]
    jobs = make_train_jobs(devices, known_at=END, max_series=3)
    assert [(job.tenant, job.metric, job.devices) for job in jobs] == [
        ("a", "humidity", ["t0", "t2", "t4"]),
        ("a", "temperature", ["t0", "t2", "t4"]),
        ("b", "humidity", ["x"]),
    ]


class Shelved(Promoted):
    """One promoted model, whose artefact may be anything."""

    def __init__(self, record: ModelRecord, artefact: bytes | None) -> None:
        self.record = record
        self.body = artefact
        self.looked = 0

    async def all_in_use(self, tenant: str) -> list[ModelRecord]:
        self.looked += 1
        return [self.record] if tenant == self.record.tenant else []

    async def artefact(self, record: ModelRecord) -> bytes:
        if self.body is None:
            raise ArtefactMissing("artefact: is not there")
        return self.body


@pytest.fixture(scope="module")
def artefact() -> bytes:
    layout = Layout(step_seconds=300, horizon=12)
    growth = Growth(trees=5, leaves=7, min_leaf_rows=40)
    pasts = [Past(fridge(seed=1), END)]
    return fit(pasts, layout=layout, until=END, holdout_seconds=86_400, growth=growth).booster.dumps()


def record(model_id: str = "m1") -> ModelRecord:
    return ModelRecord(
        model_id=model_id,
        tenant="acme",
        metric="temperature",
        step_seconds=300,
        horizon=12,
        trained_from=from_millis(END - 6 * DAY_MS),
        trained_to=from_millis(END - DAY_MS),
        validated_to=from_millis(END),
        rows=1000,
        code_version="1",
        validation=Validation.of(score(0.5)),
        artefact="a",
        sha256="",
        promoted=True,
        reason="first",
    )


def found(shelf: ModelShelf, *, now: int = END, horizon: int = 12, tenant: str = "acme") -> Loaded | str | None:
    return shelf.find(tenant, "temperature", step_seconds=300, horizon=horizon, now=now)


async def test_a_promoted_model_is_loaded_once_and_a_newer_one_replaces_it(artefact: bytes) -> None:
    now = [END]
    source = Shelved(record(), artefact)
    shelf = ModelShelf(source, max_age_days=7, refresh_seconds=300, clock=lambda: now[0])
    assert found(shelf) is None
    for _ in range(3):
        await shelf.refresh(["acme", "other"])
    first = found(shelf)
    assert isinstance(first, Loaded)
    assert (first.model_id, source.looked, found(shelf, tenant="other")) == ("m1", 2, None)
    source.record = record("m2")
    await shelf.refresh(["acme"])
    assert found(shelf) is first
    now[0] += 300_000
    await shelf.refresh(["acme"])
    second = found(shelf)
    assert isinstance(second, Loaded)
    assert second.model_id == "m2"


async def test_a_stale_model_or_one_for_another_horizon_says_why(artefact: bytes) -> None:
    shelf = ModelShelf(Shelved(record(), artefact), max_age_days=7, refresh_seconds=300, clock=lambda: END)
    await shelf.refresh(["acme"])
    assert found(shelf, now=END + 9 * DAY_MS) == "boosted model is stale: validated 9 days ago"
    assert found(shelf, horizon=6) == "boosted model has a horizon of 12 steps"


async def test_a_loaded_model_that_is_taken_out_of_use_says_why(artefact: bytes) -> None:
    source = Shelved(record(), artefact)
    shelf = ModelShelf(source, max_age_days=7, refresh_seconds=0, clock=lambda: END)
    await shelf.refresh(["acme"])
    assert isinstance(found(shelf), Loaded)
    source.record = record().model_copy(update={"unhealthy": "covers too little"})
    await shelf.refresh(["acme"])
    assert found(shelf) == "boosted model is out of use: covers too little"


@pytest.mark.parametrize("body", [None, b"rubbish"])
async def test_a_broken_artefact_says_so_and_leaves_the_older_model(artefact: bytes, body: bytes | None) -> None:
    source = Shelved(record(), body)
    shelf = ModelShelf(source, max_age_days=7, refresh_seconds=0, clock=lambda: END)
    await shelf.refresh(["acme"])
    assert str(found(shelf)).startswith("boosted model cannot be loaded")
    source.body = artefact
    await shelf.refresh(["acme"])
    assert isinstance(found(shelf), Loaded)
    source.record, source.body = record("m2"), body
    await shelf.refresh(["acme"])
    kept = found(shelf)
    assert isinstance(kept, Loaded)
    assert kept.model_id == "m1"
