"""The targets of forecasting on real measurements: losses, bands, predicted breaches, speed and cost of training.

`make bench-forecast DATA=DIR`, or
`python benchmarks/forecast.py --data DIR [--origins N] [--train-days D] [--only freezer]
[--part targets|limits|speed|training]`

DIR holds the measurements that docs/forecasting.md names. The last 30 % of each recording are the test. No number is
fitted on them; docs/forecasting.md says which rule was designed with a look at the freezer's.
"""

import argparse
import csv
import resource
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sensorcast_forecaster.backtest.answer import Forecaster
from sensorcast_forecaster.backtest.breaches import excursions, precision_at
from sensorcast_forecaster.backtest.engine import Builtin
from sensorcast_forecaster.backtest.grid import TEST_SHARE, Recording, Unusable
from sensorcast_forecaster.backtest.plain import Naive, PredictLinear
from sensorcast_forecaster.backtest.reading import read_file
from sensorcast_forecaster.backtest.rolling_test import FLOOR, Result, Tested, rolling_test
from sensorcast_forecaster.backtest.scores import relative
from sensorcast_forecaster.backtest.trained import TrainedInTime, train_in_time
from sensorcast_forecaster.boosting.booster import train
from sensorcast_forecaster.boosting.examples import Past, examples
from sensorcast_forecaster.boosting.layout import Layout
from sensorcast_forecaster.boosting.validation import fit, holdout_seconds
from sensorcast_forecaster.reach import TRAIN_DAYS
from sensorcast_forecaster.window import Limit

END = 1_767_225_600_000
OURS = "sensorcast"


@dataclass(frozen=True, slots=True)
class Sheet:
    """One file and what is asked of it.

    Attributes:
        path: Within the folder.
        columns: Sensors; none means all.
        step_seconds: Width of a cell.
        horizon: Steps ahead.
        target: Of the weighted quantile loss relative to naive: of the mean over the sensors.
        of: Which sensor has that target, the others at most 1; none means their mean.
        metrics: Whether each column is a metric of its own, so that each has a model of its own, as in the service.
    """

    path: str
    columns: tuple[str, ...]
    step_seconds: int
    horizon: int
    target: float
    of: str = ""
    metrics: bool = False


RUUVI = ("temperature", "humidity", "pressure", "voltage", "rssi")
SHEETS = (
    Sheet("freezer/freezer_1min.csv", (), 60, 60, 0.45, of="temperature", metrics=True),
    Sheet("coldstore/values_15min.csv", (), 900, 8, 0.85),
    Sheet("nab/machine_temperature_system_failure.csv", (), 300, 12, 0.93),
    Sheet("nab/ambient_temperature_system_failure.csv", (), 3600, 4, 1.0),
    Sheet("ruuvi/fridge.csv", RUUVI, 900, 4, 1.0, metrics=True),
    Sheet("ruuvi/freezer.csv", RUUVI, 900, 4, 1.0, metrics=True),
    Sheet("ruuvi/fruits.csv", RUUVI, 900, 4, 1.0, metrics=True),
)


def read(data: Path, sheet: Sheet) -> list[Recording]:
    """The sensors of a file."""
    found = read_file(data / sheet.path, columns=sheet.columns, step_seconds=sheet.step_seconds, now=END * 2)
    return found.recordings


def models_for(sheet: Sheet, recordings: Sequence[Recording], trainings: int, days: float) -> TrainedInTime:
    """Trained at the beginning of the test and again as it goes on, on as much as the service learns from."""
    first = recordings[0]
    since = first.time_of(round(len(first.cells) * (1 - TEST_SHARE)))
    return train_in_time(
        recordings, horizon=sheet.horizon, since=since, until=first.end, trainings=trainings, days=days
    )


def targets(data: Path, origins: int, trainings: int, days: float, only: str) -> None:
    """The table of losses and bands, of the files whose path holds `only`."""
    print("| recording | horizon | without trained models | with | target | 80 % band without | with |")
    print("|---|---|---|---|---|---|---|")
    for sheet in (each for each in SHEETS if only in each.path):
        recordings = read(data, sheet)
        groups = [[each] for each in recordings] if sheet.metrics else [recordings]
        rows = []
        for group in groups:
            models = models_for(sheet, group, trainings, days)
            forecasters: list[Forecaster] = [Builtin(), Builtin(models=models, name="trained"), Naive()]
            found = [tested(each, forecasters, sheet, origins, None) for each in group]
            rows += [one for one in found if one is not None]
        for one in rows:
            is_target = len(rows) == 1 or one.recording.name == sheet.of
            told(sheet, one.recording.name, [one], f"{sheet.target:.2f}" if is_target else "1.00")
        if len(rows) > 1 and not sheet.of and sheet.target < 1:
            told(sheet, f"mean of {len(rows)}", rows, f"{sheet.target:.2f}")


def tested(
    recording: Recording, forecasters: Sequence[Forecaster], sheet: Sheet, origins: int, limit: Limit | None
) -> Tested | None:
    """One sensor; `None`, with a line that says why, where it cannot be tested."""
    try:
        moments = recording.origins(count=origins, horizon=sheet.horizon)
        return rolling_test(recording, forecasters, horizon=sheet.horizon, origins=moments, limit=limit)
    except Unusable as error:
        print(f"{sheet.path}: {error}", file=sys.stderr)
        return None


def told(sheet: Sheet, name: str, rows: Sequence[Tested], target: str) -> None:
    """One line of the table."""
    loss, band = {}, {}
    for forecaster in (OURS, "trained"):
        loss[forecaster] = np.mean([relative(of(row, forecaster).score.wql, of(row, FLOOR).score.wql) for row in rows])
        band[forecaster] = np.mean([of(row, forecaster).score.coverage for row in rows])
    minutes = sheet.horizon * sheet.step_seconds // 60
    folder = Path(sheet.path).with_suffix("").as_posix()
    print(
        f"| {folder} {name} | {minutes} min | {loss[OURS]:.3f} | {loss['trained']:.3f} | {target} | "
        f"{band[OURS]:.1%} | {band['trained']:.1%} |",
        flush=True,
    )


def of(row: Tested, name: str) -> Result:
    """The result of a forecaster that could forecast everything."""
    found = row.result(name)
    if found is None:
        raise SystemExit(f"{row.recording.name}: {name} could not forecast from every origin")
    return found


def limits(data: Path, origins: int, trainings: int, days: float) -> None:
    """Predicted breaches of the cold store's own limits, and of the freezer's defrosts."""
    cold, freezer = SHEETS[1], SHEETS[0]
    print(
        "| sensor and limit | excursions | forecaster | precision | recall | precision at predict_linear's recall | "
        "median lead | Brier |"
    )
    print("|---|---|---|---|---|---|---|---|")
    recordings = {each.name: each for each in read(data, cold)}
    models = models_for(cold, list(recordings.values()), trainings, days)
    for name, limit in usual_limits(data / "coldstore/alarms.csv"):
        breaches(recordings[name], limit, cold, origins, models)
    recording = next(each for each in read(data, freezer) if each.name == freezer.of)
    models = models_for(freezer, [recording], trainings, days)
    breaches(recording, Limit("limit", "above", -17.0), freezer, origins, models)


def usual_limits(path: Path) -> list[tuple[str, Limit]]:
    """The most frequent limit of each sensor and side, among the alarms."""
    seen: dict[tuple[str, str], Counter[float]] = defaultdict(Counter)
    with path.open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            kind = row["alarm_type"].strip()
            if kind in {"exceed", "deficit"} and row["sensor_alarm"] != "0":
                seen[row["sensor_alarm"], kind][float(row["limit"])] += 1
    usual = []
    for (name, kind), counts in sorted(seen.items()):
        threshold = counts.most_common(1)[0][0]
        usual.append((name, Limit("limit", "above" if kind == "exceed" else "below", threshold)))
    return usual


def breaches(recording: Recording, limit: Limit, sheet: Sheet, origins: int, models: TrainedInTime) -> None:
    """Lines of one limit, if at least ten excursions lie in the test part."""
    came = excursions(recording.cells[round(len(recording.cells) * (1 - TEST_SHARE)) :], limit)
    if came < 10:
        return
    row = tested(recording, [Builtin(models=models), Naive(), PredictLinear()], sheet, origins, limit)
    if row is None or row.asked is None:
        return
    linear = of(row, PredictLinear().name).breaches
    for result in row.results:
        found = result.breaches
        assert found is not None
        assert linear is not None
        assert result.probabilities is not None
        equal = precision_at(row.asked, result.probabilities, recall=linear.recall)
        lead = found.lead_steps * sheet.step_seconds / 60
        foreseen = f"{lead:.0f} min" if np.isfinite(lead) else "-"
        print(
            f"| {recording.name} {limit.side} {limit.threshold:g} | {came} | {result.name} | "
            f"{share(found.precision)} | {share(found.recall)} | {share(equal)} | {foreseen} | {found.brier:.3f} |",
            flush=True,
        )


def share(value: float) -> str:
    """In whole percent; a dash where there is nothing to take a share of."""
    return "-" if np.isnan(value) else f"{value:.0%}"


def fleet(series: int, cells: int, step_seconds: int) -> list[Past]:
    """Series like those of cold rooms: a compressor's cycle, defrosts and noise."""
    generator = np.random.default_rng(1)
    at = np.arange(cells) * step_seconds / 60
    made = []
    for _ in range(series):
        period, defrost = generator.uniform(20, 60), generator.uniform(300, 720)
        values = 4 + 2 * np.abs((at / period) % 1 - 0.5) + 5 * np.exp(-((at % defrost) / 15))
        made.append(Past(values + generator.normal(0, 0.1, cells), END))
    return made


def speed() -> None:
    """Series per second on one core: features and inference, 12 steps ahead, from 24 hours of minutes."""
    day = Layout(step_seconds=60, horizon=12)
    pasts = fleet(1000, 2 * 1440, 60)
    growth_rows = examples(pasts[:100], layout=day, until=END, max_rows=100_000)
    booster = train(growth_rows, layout=day, trained_to=END)
    values = np.stack([past.values[-1441:] for past in pasts])
    ends = np.full(len(values), END)
    booster.quantiles(values[:50], np.array([1440]), end=ends[:50])
    taken = []
    for _ in range(5):
        started = time.process_time()
        booster.quantiles(values, np.array([1440]), end=ends)
        taken.append(time.process_time() - started)
    print(f"features and inference: {len(values) / np.median(taken):.0f} series per CPU second (target 2000)")


def training(threads: int) -> None:
    """Seconds and memory to train and validate on 1,000 series of 14 days, by minutes."""
    pasts = fleet(1000, 14 * 1440, 60)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started, cpu = time.perf_counter(), time.process_time()
    trained = fit(
        pasts,
        layout=Layout(step_seconds=60, horizon=60),
        until=END,
        holdout_seconds=holdout_seconds(14 * 86_400),
        threads=threads,
    )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(
        f"training 1000 series of 14 days, {trained.rows} rows: {time.perf_counter() - started:.0f} s "
        f"({time.process_time() - cpu:.0f} CPU s) with {threads} threads, peak {peak / 1024:.0f} MB "
        f"({before / 1024:.0f} MB before); target 600 s, 2048 MB"
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--data", type=Path, required=True, help="folder with the measurements")
    parser.add_argument("--origins", type=int, default=200, help="forecasts per sensor")
    parser.add_argument("--trainings", type=int, default=4, help="times that models are trained during the test")
    parser.add_argument("--train-days", type=float, default=TRAIN_DAYS, help="past that models learn from at most")
    parser.add_argument("--only", default="", help="of the targets: files whose path holds this")
    parser.add_argument("--threads", type=int, default=2, help="of training")
    parser.add_argument("--part", choices=["targets", "limits", "speed", "training"], help="only this")
    given = parser.parse_args()
    if not given.data.is_dir():
        sys.exit(f"--data: {given.data} is no folder")
    parts: dict[str, Callable[[], None]] = {
        "targets": lambda: targets(given.data, given.origins, given.trainings, given.train_days, given.only),
        "limits": lambda: limits(given.data, given.origins, given.trainings, given.train_days),
        "speed": speed,
        "training": lambda: training(given.threads),
    }
    for part, run in parts.items():
        if given.part in (None, part):
            run()
