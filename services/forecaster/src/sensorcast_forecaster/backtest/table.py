"""What was found, as a table for people and as JSON for programs."""

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
from rich.box import SIMPLE
from rich.table import Table

from sensorcast_common.clock import from_millis, rfc3339
from sensorcast_forecaster.backtest.breaches import BreachScore
from sensorcast_forecaster.backtest.rolling_test import FLOOR, Result, Tested
from sensorcast_forecaster.backtest.scores import relative

_OURS: Final = "sensorcast"

Json = dict[str, "Json"] | list["Json"] | str | float | int | bool | None


def table_of(tested: Tested) -> Table:
    """One sensor, a row per forecaster; losses relative to the naive forecast's."""
    recording, origins = tested.recording, tested.origins
    table = _empty(_title(tested))
    if tested.limit is not None:
        for heading in ("precision", "recall", "lead", "Brier"):
            table.add_column(heading, justify="right")
    for result in tested.results:
        cells = [*_losses(result, tested), f"{result.score.coverage:.1%}", f"{result.milliseconds:.1f}"]
        if result.breaches is not None:
            cells += _foresight(result.breaches, recording.step_seconds)
        table.add_row(result.name, *cells, style="bold" if result.name == _OURS else None)
    for name in tested.unable:
        table.add_row(name, *["-"] * (len(table.columns) - 1))
    refused = "".join(f"; {count} refused as {reason}" for reason, count in tested.refused.items())
    table.caption = (
        f"{len(origins)} origins, {rfc3339(from_millis(recording.time_of(int(origins[0]))))} "
        f"to {rfc3339(from_millis(recording.time_of(int(origins[-1]))))}{refused}"
    )
    return table


def mean_table(tested: Sequence[Tested]) -> Table:
    """The means over several sensors, of those forecasters that could forecast all of them."""
    table = _empty(f"mean of {len(tested)} columns")
    for name in [result.name for result in tested[0].results]:
        rows = [each for one in tested if (each := one.result(name)) is not None]
        if len(rows) < len(tested):
            continue
        floors = [_floor(one) for one in tested]
        ratios = [
            np.mean([relative(loss(row), loss(floor)) for row, floor in zip(rows, floors, strict=True)])
            for loss in (_wql, _mae, _mase)
        ]
        cells = [_number(float(ratio)) for ratio in ratios]
        cells += [f"{np.mean([row.score.coverage for row in rows]):.1%}"]
        cells += [f"{np.mean([row.milliseconds for row in rows]):.1f}"]
        table.add_row(name, *cells, style="bold" if name == _OURS else None)
    return table


def as_json(tested: Tested) -> Json:
    """Everything that the table says, with full digits; `null` where there is no number."""
    recording, limit = tested.recording, tested.limit
    return {
        "column": recording.name,
        "step_seconds": recording.step_seconds,
        "origins": [rfc3339(from_millis(recording.time_of(int(origin)))) for origin in tested.origins],
        "refused": dict(tested.refused),
        "limit": None if limit is None else {"side": limit.side, "threshold": limit.threshold},
        "excursions": None if limit is None else tested.excursions,
        "unable": list(tested.unable),
        "forecasters": {result.name: _result_json(result, tested) for result in tested.results},
    }


def as_lines(tested: Sequence[Tested]) -> str:
    """The engine's forecasts, one as JSON a line, in the form in which the service stores and the API shows them."""
    told = [forecast for one in tested for result in one.results for forecast in result.told]
    return "".join(f"{forecast.model_dump_json()}\n" for forecast in told)


def _result_json(result: Result, tested: Tested) -> Json:
    floor, own = _floor(tested).score, result.score
    told: dict[str, Json] = {
        "wql": own.wql,
        "wql_relative": _finite(relative(own.wql, floor.wql)),
        "mae": own.mae,
        "mae_relative": _finite(relative(own.mae, floor.mae)),
        "mase": _finite(own.mase),
        "mase_relative": _finite(relative(own.mase, floor.mase)),
        "coverage": own.coverage,
        "milliseconds": result.milliseconds,
    }
    if (breaches := result.breaches) is not None:
        told["breaches"] = {
            "questions": breaches.questions,
            "hits": breaches.hits,
            "misses": breaches.misses,
            "false_alarms": breaches.false_alarms,
            "precision": _finite(breaches.precision),
            "recall": _finite(breaches.recall),
            "lead_seconds": _finite(breaches.lead_steps * tested.recording.step_seconds),
            "brier": _finite(breaches.brier),
        }
    return told


def _empty(title: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", header_style="", box=SIMPLE)
    table.pad_edge, table.collapse_padding, table.caption_justify = False, True, "left"
    table.add_column("relative to naive", no_wrap=True)
    for heading in ("wQL", "MAE", "MASE", "80 %", "ms"):
        table.add_column(heading, justify="right", no_wrap=True)
    return table


def _title(tested: Tested) -> str:
    recording = tested.recording
    horizon = tested.results[0].quantiles.shape[2]
    title = f"{recording.name}: {horizon} steps of {_duration(recording.step_seconds)}"
    if tested.limit is None:
        return title
    limit = f"{tested.limit.side} {tested.limit.threshold:g}"
    unit = "" if recording.raw.unit == "/" else f" {recording.raw.unit}"
    return f"{title}, {limit}{unit}: {tested.excursions} excursions"


def _losses(result: Result, tested: Tested) -> list[str]:
    floor = _floor(tested)
    return [_number(relative(loss(result), loss(floor))) for loss in (_wql, _mae, _mase)]


def _foresight(breaches: BreachScore, step_seconds: int) -> list[str]:
    lead = breaches.lead_steps * step_seconds
    return [
        _percent(breaches.precision),
        _percent(breaches.recall),
        "-" if math.isnan(lead) else _duration(round(lead)),
        _number(breaches.brier),
    ]


def _floor(tested: Tested) -> Result:
    return next(each for each in tested.results if each.name == FLOOR)


def _wql(result: Result) -> float:
    return result.score.wql


def _mae(result: Result) -> float:
    return result.score.mae


def _mase(result: Result) -> float:
    return result.score.mase


def _number(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.3f}" if abs(value) < 1000 else f"{value:.3g}"


def _percent(share: float) -> str:
    return "-" if math.isnan(share) else f"{share:.0%}"


def _duration(seconds: int) -> str:
    return f"{seconds // 60} min" if seconds % 60 == 0 else f"{seconds} s"


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
