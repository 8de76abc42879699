"""Draws a dry run: the measurements, and the incidents as bars over them."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

from sensorcast_common.clock import from_millis
from sensorcast_common.reading import Reading
from sensorcast_rules.outcome import Rehearsal

_MOST_POINTS: Final = 20_000
_MOST_SERIES: Final = 8


def draw(path: Path, readings: Sequence[Reading], rehearsal: Rehearsal) -> None:
    """Write a PNG, with one panel for each of the first eight series that have an incident, or of all.

    Raises:
        ImportError: matplotlib is not installed; it comes with the extra `plot`.
    """
    from matplotlib.figure import Figure

    with_incident = list(dict.fromkeys(incident.series for incident in rehearsal.incidents))
    shown = (with_incident or list(dict.fromkeys(reading.series for reading in readings)))[:_MOST_SERIES]
    figure = Figure(figsize=(12, 2.6 * max(1, len(shown))), layout="constrained")
    for at, series in enumerate(shown):
        panel = figure.add_subplot(max(1, len(shown)), 1, at + 1)
        points = [reading for reading in readings if reading.series == series]
        points = points[:: max(1, len(points) // _MOST_POINTS)]
        panel.xaxis_date()
        panel.plot([_days(from_millis(each.ts)) for each in points], [each.value for each in points], linewidth=0.8)
        end = from_millis(points[-1].ts)
        for incident in (each for each in rehearsal.incidents if each.series == series):
            colour = "tab:red" if incident.observed_at is not None else "tab:orange"
            ends = incident.resolved_at or end
            panel.axvspan(_days(incident.opened_at), _days(ends), color=colour, alpha=0.25)
            if incident.kind in {"limit", "product"} and incident.side in {"above", "below"}:
                panel.axhline(incident.threshold, color="grey", linewidth=0.6, linestyle="--")
        panel.set_title(f"{series.device} {series.metric}", fontsize=9)
    figure.savefig(path, format="png", dpi=110)


def _days(moment: datetime) -> float:
    """Days since 1970, by which matplotlib's date axes count."""
    return moment.timestamp() / 86_400
