"""Forecasts of series that have just begun: Theta where it proves itself, beside last value with the same kind of band.

`python -m benchmarks.young_series --data DIR [--windows 60]`

DIR holds the measurements that docs/forecasting.md names. Windows are drawn from the first 70 % of each sensor, whole
ones only, and what came after them is compared over the horizon of the sensor's file.
"""

import argparse
import sys
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from benchmarks.forecast import SHEETS, read

from sensorcast_forecaster.backtest.grid import TEST_SHARE
from sensorcast_forecaster.boosting.blend import quantile_loss
from sensorcast_forecaster.coldstart import THETA, banded_last_value, start_cold
from sensorcast_forecaster.window import Values

LEVELS = (0.1, 0.5, 0.9)
STEPS = (20, 30, 45, 60, 90, 130)


@dataclass(frozen=True, slots=True)
class Compared:
    """The windows of one sensor.

    Attributes:
        banded: Loss relative to last value within its band.
        bare: Loss relative to last value alone.
        coverage: Share of what came inside the 80 % band.
        theta: Share of the windows that Theta forecast.
    """

    banded: float
    bare: float
    coverage: float
    theta: float


def compared(cells: Values, *, steps: int, horizon: int, windows: int, random: np.random.Generator) -> Compared | None:
    """Forecast windows of so many steps; `None` where too few are whole."""
    losses, covered, used = [], [], []
    for first in random.integers(0, max(1, len(cells) - steps - horizon), windows):
        past, came = cells[first : first + steps], cells[first + steps : first + steps + horizon]
        if len(came) < horizon or not (np.isfinite(past).all() and np.isfinite(came).all()):
            continue
        young = start_cold(past, horizon=horizon)
        said = young.ensemble.quantiles(LEVELS)
        floor = banded_last_value(past, horizon).quantiles(LEVELS)
        bare = np.full((len(LEVELS), horizon), past[-1])
        losses.append([quantile_loss(each[None], came[None]) for each in (said, floor, bare)])
        covered.append(float(((came >= said[0]) & (came <= said[2])).mean()))
        used.append(young.member == THETA)
    if len(losses) < windows // 4:
        return None
    own, banded, alone = np.sum(losses, axis=0)
    if not banded or not alone:
        return None
    return Compared(own / banded, own / alone, float(np.mean(covered)), float(np.mean(used)))


def main(data: Path, windows: int) -> None:
    """The table, by length of the past; means over the sensors, of losses geometric ones."""
    random = np.random.default_rng(0)
    found: dict[int, list[Compared]] = defaultdict(list)
    for sheet in SHEETS:
        for recording in read(data, sheet):
            cells = recording.cells[: round(len(recording.cells) * (1 - TEST_SHARE))]
            for steps in STEPS:
                one = compared(cells, steps=steps, horizon=sheet.horizon, windows=windows, random=random)
                if one is not None:
                    found[steps].append(one)
    print(
        "| steps of past | sensors | by Theta | to last value with its band | worst | to last value alone | 80 % band |"
    )
    print("|---|---|---|---|---|---|---|")
    for steps, sensors in found.items():
        banded, bare = (np.exp(np.mean(np.log([getattr(one, name) for one in sensors]))) for name in ("banded", "bare"))
        print(
            f"| {steps} | {len(sensors)} | {np.mean([one.theta for one in sensors]):.0%} | {banded:.3f} | "
            f"{max(one.banded for one in sensors):.2f} | {bare:.3f} | "
            f"{np.mean([one.coverage for one in sensors]):.0%} |"
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--data", type=Path, required=True, help="folder with the measurements")
    parser.add_argument("--windows", type=int, default=60, help="per sensor and length")
    given = parser.parse_args()
    if not given.data.is_dir():
        sys.exit(f"--data: {given.data} is no folder")
    main(given.data, given.windows)
