"""A picture of forecasts: history, median, band, and what came."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from sensorcast_common.clock import from_millis
from sensorcast_forecaster.backtest.breaches import questions
from sensorcast_forecaster.backtest.rolling_test import Tested
from sensorcast_forecaster.window import Values

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_OURS: Final = "sensorcast"
_ACROSS: Final = 3
_MAX_ROWS: Final = 12
_HISTORY_HORIZONS: Final = 4
_BLUE, _INK, _GREY, _RED = "#1f6fb2", "#222222", "#8a8a8a", "#c0392b"


def save(tested: Sequence[Tested], path: Path, *, ours: str = _OURS) -> int:
    """Draw three forecasts of each sensor; those before a breach first, where there is a limit.

    Args:
        tested: The sensors; at most twelve are drawn.
        path: Where to; the ending says in which form, e.g. `.png`.
        ours: Whose forecasts.

    Returns:
        How many sensors were drawn.

    Raises:
        ImportError: matplotlib is not installed.
        OSError: The file cannot be written.
        ValueError: Its ending is of no form that matplotlib writes.
    """
    from matplotlib.figure import Figure

    shown = [each for each in tested if each.result(ours) is not None][:_MAX_ROWS]
    figure = Figure(figsize=(4.6 * _ACROSS, 2.6 * max(1, len(shown)) + 0.6), layout="constrained")
    axes = figure.subplots(max(1, len(shown)), _ACROSS, squeeze=False)
    for row, each in zip(axes, shown, strict=False):
        for at, panel in zip(_worth_seeing(each), row, strict=False):
            _draw(panel, each, at, ours)
    handles, labels = axes[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=len(labels), frameon=False, fontsize=9)
    figure.savefig(path, dpi=110)
    return len(shown)


def _worth_seeing(tested: Tested) -> list[int]:
    """Positions of three origins, spread over those before a breach, or over all."""
    spread = np.arange(len(tested.origins))
    if tested.limit is not None:
        horizon = tested.results[0].quantiles.shape[2]
        asked = questions(tested.recording.cells, tested.origins, horizon=horizon, limit=tested.limit)
        before = asked.asked[asked.came]
        spread = before if len(before) >= _ACROSS else spread
    middle = np.linspace(0, len(spread) - 1, 2 * _ACROSS + 1)[1::2]
    return sorted({int(spread[round(at)]) for at in middle})


def _draw(panel: "Axes", tested: Tested, at: int, ours: str) -> None:
    recording = tested.recording
    result = tested.result(ours)
    assert result is not None  # noqa: S101 - only such sensors are drawn
    low, median, high = result.quantiles[at]
    horizon, origin = len(median), int(tested.origins[at])
    first = max(0, origin - _HISTORY_HORIZONS * horizon)
    panel.plot(_hours(first - origin, origin - first + 1, tested), recording.cells[first : origin + 1], color=_INK,
               lw=1, label="history")  # fmt: skip
    ahead = _hours(0, horizon + 1, tested)
    came = recording.cells[origin : origin + horizon + 1]
    last = came[0]
    panel.fill_between(ahead, [last, *low], [last, *high], color=_BLUE, alpha=0.2, lw=0, label="80 % band")
    panel.plot(ahead, [last, *median], color=_BLUE, lw=1.4, label="median")
    panel.plot(ahead, came, color=_INK, lw=1, ls=":", label="what came")
    if tested.limit is not None:
        panel.axhline(tested.limit.threshold, color=_RED, lw=0.8, label="limit")
    panel.axvline(0, color=_GREY, lw=0.6)
    moment = from_millis(recording.time_of(origin))
    panel.set_title(f"{recording.name}, {moment:%d %b %Y %H:%M} UTC", fontsize=9, loc="left")
    panel.set_xlabel("hours", fontsize=8)
    panel.set_ylabel("" if recording.raw.unit == "/" else recording.raw.unit, fontsize=8)
    panel.tick_params(labelsize=8)
    panel.spines[["top", "right"]].set_visible(False)


def _hours(start: int, count: int, tested: Tested) -> Values:
    hours: Values = np.arange(start, start + count) * tested.recording.step_seconds / 3600
    return hours
