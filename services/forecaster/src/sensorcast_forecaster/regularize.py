"""From readings as they came to a regular grid: what can be mended is, what cannot is refused with a reason."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sensorcast_common.reading import SeriesKey
from sensorcast_forecaster.step import STEPS_SECONDS, choose_step
from sensorcast_forecaster.window import Limit, Refused, SeriesWindow, Values

_USUAL: Final = 0.95
"""Quantile of the changes per step that counts as usual."""

_SPIKE: Final = 8.0
"""Times the usual change by which a lone cell must stick out of both neighbours to be a spike: a door that is open for
a minute does not, an error code of -127 does."""


@dataclass(frozen=True, slots=True, eq=False)
class RawSeries:
    """Readings of one series as the hot store has them.

    Attributes:
        series: Which series.
        unit: SenML unit of the values.
        ts: Times in milliseconds since 1970 UTC, in any order, possibly repeated.
        values: As many values.
    """

    series: SeriesKey
    unit: str
    ts: NDArray[np.int64]
    values: Values


@dataclass(frozen=True, slots=True)
class Treatment:
    """When readings are mended, and when they are refused.

    Attributes:
        max_age_seconds: A series whose latest reading is older than this (or three steps) is stale.
        max_gap_seconds: The longest gap (or three steps) that is bridged by a straight line.
        min_steps: The fewest filled cells that a forecast may rest on.
        stuck_seconds: How long a series that used to change may repeat one value.
    """

    max_age_seconds: int = 900
    max_gap_seconds: int = 600
    min_steps: int = 20
    stuck_seconds: int = 3600


def regularize(
    raw: RawSeries, *, known_at: int, max_steps: int, limits: tuple[Limit, ...] = (), treatment: Treatment | None = None
) -> SeriesWindow | Refused:
    """Put a series on a grid that ends at its latest reading.

    A cell is the mean of its readings: minute means keep the compressor's cycle and lose the sensor's noise. Readings
    after `known_at`, e.g. of a device whose clock is ahead, are left out.

    Args:
        raw: The readings.
        known_at: Nothing after this is used, in milliseconds since 1970 UTC.
        max_steps: Cells at most; older readings are left out.
        limits: Handed on to the window.
        treatment: The bounds of what is mended.

    Returns:
        The window, or why there is none.
    """
    treat = treatment or Treatment()
    ts, values = in_order(raw, known_at=known_at)
    if not len(ts):
        return Refused(raw.series, "no_readings", "no readings in the window")
    step = choose_step(ts)
    if step is None:
        if len(ts) < 2:
            return Refused(raw.series, "short", "a single reading")
        return Refused(raw.series, "sparse", f"reports less than once per {STEPS_SECONDS[-1] // 60} min")
    end = int(ts[-1])
    age = (known_at - end) / 1000
    if age > max(treat.max_age_seconds, 3 * step):
        return Refused(raw.series, "stale", f"latest reading is {age / 60:.0f} min old")
    kept = ts > end - max_steps * step * 1000
    return window_of(
        cell_means(ts[kept], values[kept], step_seconds=step),
        raw=raw,
        step_seconds=step,
        end=end,
        first=int(ts[kept][0]),
        last_value=float(values[-1]),
        limits=limits,
        treatment=treat,
    )


def window_of(
    cells: Values,
    *,
    raw: RawSeries,
    step_seconds: int,
    end: int,
    first: int,
    last_value: float,
    limits: tuple[Limit, ...] = (),
    treatment: Treatment | None = None,
) -> SeriesWindow | Refused:
    """Mend cells, or refuse them.

    Args:
        cells: Means per cell, NaN where nothing came; the last one is known.
        raw: Whose they are.
        step_seconds: Width of a cell.
        end: Right edge of the last cell, in milliseconds since 1970 UTC.
        first: Time of the first reading.
        last_value: The latest reading.
        limits: Handed on to the window.
        treatment: The bounds of what is mended.
    """
    treat = treatment or Treatment()
    filled = int(np.count_nonzero(np.isfinite(cells)))
    if filled < treat.min_steps:
        return Refused(
            raw.series, "short", f"{filled} steps of {step_seconds} s, at least {treat.min_steps} are needed"
        )
    flat = _stuck_steps(cells)
    if flat * step_seconds > treat.stuck_seconds:
        detail = f"repeats {cells[-1]:g} for {flat * step_seconds // 60} min, unlike before"
        return Refused(raw.series, "stuck", detail)
    return SeriesWindow(
        series=raw.series,
        unit=raw.unit,
        step_seconds=step_seconds,
        end=end,
        values=bridge(despike(cells), max_cells=max(3, treat.max_gap_seconds // step_seconds)),
        first=first,
        last_value=last_value,
        limits=limits,
    )


def despike(cells: Values) -> Values:
    """Blank lone cells that stick out of both neighbours on the same side, such as a sensor's error code.

    The last cell is never blanked: nothing says yet that it is alone.
    """
    if len(cells) < 8:
        return cells
    change = np.diff(cells)
    known = np.abs(change[np.isfinite(change)])
    if not len(known):
        return cells
    bound = _SPIKE * float(np.quantile(known, _USUAL))
    up, down = change[:-1], change[1:]
    with np.errstate(invalid="ignore"):
        # Its way back must undo its way out: the neighbours agree among themselves.
        alone = (np.minimum(np.abs(up), np.abs(down)) > bound) & (np.abs(up + down) < 0.2 * np.abs(up - down))
    mended = cells.copy()
    mended[1:-1][alone] = np.nan
    return mended


def bridge(cells: Values, *, max_cells: int) -> Values:
    """Draw a straight line through gaps of at most `max_cells` cells; longer ones stay NaN."""
    known = np.flatnonzero(np.isfinite(cells))
    filled = np.interp(np.arange(len(cells)), known, cells[known])
    for at in np.flatnonzero(np.diff(known) - 1 > max_cells):
        filled[known[at] + 1 : known[at + 1]] = np.nan
    return filled


def in_order(raw: RawSeries, *, known_at: int) -> tuple[NDArray[np.int64], Values]:
    """Times and values up to `known_at`, ascending and unique; of those with the same time the last stands."""
    usable = (raw.ts <= known_at) & np.isfinite(raw.values)
    ts, values = raw.ts[usable], raw.values[usable]
    order = np.argsort(ts, kind="stable")
    ts, values = ts[order], values[order]
    if len(ts) < 2:
        return ts, values
    last = np.append(ts[1:] != ts[:-1], True)
    return ts[last], values[last]


def cell_means(ts: NDArray[np.int64], values: Values, *, step_seconds: int) -> Values:
    """Means per cell; cell edges are counted back from the latest reading, which closes the last cell.

    Args:
        ts: Ascending, in milliseconds; at least one.
        values: As many.
        step_seconds: Width of a cell.

    Returns:
        Oldest first; NaN where nothing came, never at either end.
    """
    back = (ts[-1] - ts) // (step_seconds * 1000)
    count = int(back[0]) + 1
    sums = np.bincount(back, values, count)
    counts = np.bincount(back, minlength=count)
    with np.errstate(invalid="ignore"):
        means: Values = (sums / counts)[::-1]
    return means


def _stuck_steps(cells: Values) -> int:
    """Length of the run of equal cells at the end, or 0 where the series has known such a run before."""
    known = cells[np.isfinite(cells)]
    # Means of equal values differ in the last bit when the cells hold different numbers of them.
    edges = np.flatnonzero(np.abs(np.diff(known)) > 1e-9 * float(np.abs(known).max(initial=1.0)))
    if not len(edges):
        return 0  # Constant throughout: nothing says that it should move.
    runs = np.diff(np.concatenate([[-1], edges, [len(known) - 1]]))
    return int(runs[-1]) if runs[-1] > 2 * runs[:-1].max() else 0
