"""A whole recording of one sensor on a regular grid, and what the engine would have known at each moment of it."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from sensorcast_forecaster.models import Origins
from sensorcast_forecaster.reach import HISTORY_HOURS, LAKE_HISTORY_HOURS
from sensorcast_forecaster.regularize import RawSeries, Treatment, cell_means, in_order, window_of
from sensorcast_forecaster.step import choose_step
from sensorcast_forecaster.window import Limit, Refused, SeriesWindow, Values

DENSE_STEP_SECONDS: Final = 150

TEST_SHARE: Final = 0.3
"""The newest part of a recording, on which forecasters are compared and no number of theirs is fitted."""

_TREATMENT: Final = Treatment(max_age_seconds=10**9)


class Unusable(Exception):  # noqa: N818 - what a person reads
    """A recording that cannot be tested; the message names the sensor and says why."""


@dataclass(frozen=True, slots=True, eq=False)
class Recording:
    """One sensor over the whole file.

    Attributes:
        name: What people call it.
        raw: Its readings.
        step_seconds: Width of a cell.
        end: Right edge of the last cell, in milliseconds since 1970 UTC.
        cells: Mean of each cell as it came, oldest first; NaN where nothing came. Nothing is mended here: mending a
            spike or a gap takes what came after it, which a forecast must not know.
    """

    name: str
    raw: RawSeries
    step_seconds: int
    end: int
    cells: Values

    def time_of(self, cell: int) -> int:
        """Right edge of a cell, in milliseconds since 1970 UTC."""
        return self.end - (len(self.cells) - 1 - cell) * self.step_seconds * 1000

    def origins(self, *, count: int, horizon: int, test_share: float = TEST_SHARE) -> Origins:
        """Moments of the test part to forecast from, evenly spread, each with a known present.

        Raises:
            Unusable: There is none.
        """
        first, last = round(len(self.cells) * (1 - test_share)), len(self.cells) - 1 - horizon
        if last < first:
            cells = len(self.cells) - first
            raise Unusable(f"{self.name}: the last {test_share:.0%} hold {cells} steps, the horizon has {horizon}")
        known = first + np.flatnonzero(np.isfinite(self.cells[first : last + 1]))
        if not len(known):
            raise Unusable(f"{self.name}: nothing came in the last {test_share:.0%}")
        chosen: Origins = known[np.unique(np.linspace(0, len(known) - 1, count).round().astype(np.intp))]
        return chosen

    def known_at(self, origin: int, *, limits: tuple[Limit, ...] = ()) -> SeriesWindow | Refused:
        """What the service would have given to its engine at the end of cell `origin`."""
        hours = HISTORY_HOURS if self.step_seconds <= DENSE_STEP_SECONDS else LAKE_HISTORY_HOURS
        most = min(HISTORY_HOURS * 60, hours * 3600 // self.step_seconds)
        past = self.cells[max(0, origin + 1 - most) : origin + 1]
        past = past[int(np.flatnonzero(np.isfinite(past))[0]) :]
        end = self.time_of(origin)
        return window_of(
            past,
            raw=self.raw,
            step_seconds=self.step_seconds,
            end=end,
            first=end - len(past) * self.step_seconds * 1000,
            last_value=float(past[-1]),
            limits=limits,
            treatment=_TREATMENT,
        )

    def came_after(self, origins: Origins, horizon: int) -> Values:
        """What came, shape (origins, horizon); NaN where nothing did."""
        came: Values = self.cells[origins[:, None] + np.arange(1, horizon + 1)]
        return came


def record(name: str, raw: RawSeries, *, step_seconds: int | None) -> Recording:
    """Put readings on a grid.

    Args:
        name: Of the sensor.
        raw: Its readings.
        step_seconds: Width of a cell; chosen from the readings where it is `None`.

    Raises:
        Unusable: There are too few readings, or they come too rarely for any step.
    """
    ordered, kept = in_order(raw, known_at=int(raw.ts.max(initial=0)))
    if len(ordered) < 2:
        raise Unusable(f"{name}: {len(ordered)} readings, at least 2 are needed")
    step = step_seconds or choose_step(ordered)
    if step is None:
        usual = float(np.median(np.diff(ordered))) / 60_000
        raise Unusable(f"{name}: one reading every {usual:.0f} min; say the distance of two points with --step")
    return Recording(name, raw, step, int(ordered[-1]), cell_means(ordered, kept, step_seconds=step))
