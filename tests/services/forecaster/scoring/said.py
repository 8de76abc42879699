"""Forecasts of a fridge with a limit of 8, and what came."""

import math
from collections.abc import Sequence
from datetime import timedelta

import numpy as np

from sensorcast_common.clock import from_millis
from sensorcast_common.forecast import Forecast, LimitRisk
from sensorcast_forecaster.scoring.observed import Observed

MINUTE = 60_000
HOUR = 60 * MINUTE
NOON = 1_767_268_800_000  # 2026-01-01T12:00:00Z


def said(
    known_at: int,
    *,
    probability: float | None = None,
    last_value: float = 4.0,
    q10: Sequence[float] = (3.0,) * 4,
    q50: Sequence[float] = (4.0,) * 4,
    q90: Sequence[float] = (5.0,) * 4,
    step_minutes: int = 15,
    model: str = "builtin/1:last",
    device: str = "fridge",
) -> Forecast:
    """A forecast of an hour in quarters, with a probability of going above 8."""
    risks = [] if probability is None else [_risk(probability)]
    return Forecast(
        tenant="acme",
        device=device,
        metric="temperature",
        unit="Cel",
        known_at=from_millis(known_at),
        last_value=last_value,
        step_seconds=step_minutes * 60,
        start=from_millis(known_at) + timedelta(minutes=step_minutes),
        q10=list(q10),
        q50=list(q50),
        q90=list(q90),
        risks=risks,
        model=model,
        trained_from=from_millis(known_at - HOUR),
        trained_to=from_millis(known_at),
    )


def came(start: int, quarters: Sequence[float]) -> Observed:
    """One value per quarter of an hour from `start`, each reported twice within its quarter; NaN for nothing."""
    ts, values = [], []
    for at, value in enumerate(quarters):
        if not math.isnan(value):
            end = start + (at + 1) * 15 * MINUTE
            ts += [end - 5 * MINUTE, end]
            values += [value - 0.5, value + 0.5]
    return Observed.of(np.array(ts, dtype=np.int64), np.array(values))


def _risk(probability: float) -> LimitRisk:
    return LimitRisk(rule_id="warm", side="above", threshold=8, probability=probability)
