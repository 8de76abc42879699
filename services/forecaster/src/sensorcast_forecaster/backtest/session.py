"""All sensors of a file, one after the other, with a progress bar."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from sensorcast_common.csv.fault import CsvFault
from sensorcast_forecaster.backtest.answer import Forecaster
from sensorcast_forecaster.backtest.classical import classical
from sensorcast_forecaster.backtest.engine import Builtin
from sensorcast_forecaster.backtest.grid import Recording, Unusable
from sensorcast_forecaster.backtest.options import steps_ahead
from sensorcast_forecaster.backtest.plain import Naive, PredictLinear, SeasonalNaive
from sensorcast_forecaster.backtest.rolling_test import FLOOR, Tested, rolling_test
from sensorcast_forecaster.window import Limit

_CLASSICAL: Final = ("Holt", "AutoETS", "AutoTheta")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a person wants to know.

    Attributes:
        horizon_seconds: How far ahead.
        origins: Forecasts per sensor.
        limit: Whose breaches are to be foreseen.
        warn_at: Probability from which a breach counts as predicted.
        test_share: The newest part of a recording, which is the test.
        only: Names of the forecasters beside naive; none means all.
    """

    horizon_seconds: int
    origins: int
    limit: Limit | None = None
    warn_at: float = 0.5
    test_share: float = 0.3
    only: Sequence[str] = ()


def test_all(recordings: Sequence[Recording], asked: Asked, *, console: Console) -> tuple[list[Tested], list[str]]:
    """Test every sensor.

    Args:
        recordings: The sensors.
        asked: What is wanted.
        console: Where the progress bar is drawn, if it is a terminal.

    Returns:
        The sensors that could be tested, and why the others could not.

    Raises:
        CsvFault: `only` names an unknown forecaster.
    """
    forecasters = chosen(asked.only)
    tested, untested = [], []
    with Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(),
        console=console, transient=True,
    ) as bar:  # fmt: skip
        task = bar.add_task("forecasts", total=len(recordings) * asked.origins * len(forecasters))
        for done, recording in enumerate(recordings, start=1):
            bar.update(task, description=recording.name)
            horizon = steps_ahead(asked.horizon_seconds, step_seconds=recording.step_seconds)
            try:
                origins = recording.origins(count=asked.origins, horizon=horizon, test_share=asked.test_share)
                one = rolling_test(
                    recording,
                    forecasters,
                    horizon=horizon,
                    origins=origins,
                    limit=asked.limit,
                    warn_at=asked.warn_at,
                    progress=lambda: bar.advance(task),
                )
            except Unusable as error:
                untested.append(str(error))
            else:
                tested.append(one)
            bar.update(task, completed=done * asked.origins * len(forecasters))
    return tested, untested


def chosen(only: Sequence[str]) -> list[Forecaster]:
    """The forecasters, the floor among them.

    Raises:
        CsvFault: One of `only` is unknown.
    """
    own: list[Forecaster] = [Builtin(), Naive(), SeasonalNaive(), PredictLinear()]
    names = {each.name: each.name for each in own} | {name: name for name in _CLASSICAL}
    by_lower = {name.lower(): name for name in names}
    for name in only:
        if name.lower() not in by_lower:
            raise CsvFault(f"--only: no forecaster {name!r}; there are {', '.join(names)}")
    wanted = {by_lower[name.lower()] for name in only} | {FLOOR} if only else set(names)
    others = classical() if wanted & set(_CLASSICAL) else []
    return [each for each in (*own, *others) if each.name in wanted]
