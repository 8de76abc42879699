"""Forecasts travel in messages of at most 64 KiB."""

import itertools
import random
from datetime import UTC, datetime

import pytest

from sensorcast_common.envelope import Envelope
from sensorcast_common.forecast import Forecast, ForecastBatch
from sensorcast_forecaster.batches import batch_texts

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def forecast(number: int) -> Forecast:
    noise = random.Random(number)
    values = [round(noise.gauss(4, 1), 3) for _ in range(60)]
    return Forecast(
        tenant="acme",
        device=f"truck-{number}",
        metric="temperature",
        unit="Cel",
        known_at=NOON,
        last_value=4,
        step_seconds=60,
        start=NOON,
        q10=values,
        q50=values,
        q90=values,
        model="builtin/1:last",
        trained_from=NOON,
        trained_to=NOON,
    )


def test_many_forecasts_are_split_and_all_arrive() -> None:
    forecasts = [forecast(number) for number in range(300)]
    ids = itertools.count()
    texts = batch_texts(forecasts, created_at=5, new_id=lambda: f"b{next(ids)}")

    assert len(texts) > 1
    assert all(len(text.encode()) <= 64 * 1024 for text in texts)
    batches = [ForecastBatch.decode(Envelope.parse(text)) for text in texts]
    assert [each for batch in batches for each in batch.forecasts] == forecasts
    assert len({batch.batch_id for batch in batches}) == len(texts)


def test_nothing_gives_no_message() -> None:
    assert batch_texts([], created_at=5, new_id=lambda: "b") == []


def test_forecast_that_does_not_fit_is_named() -> None:
    with pytest.raises(ValueError, match="acme/truck-7/temperature"):
        batch_texts([forecast(7)], created_at=5, new_id=lambda: "b", max_bytes=100)
