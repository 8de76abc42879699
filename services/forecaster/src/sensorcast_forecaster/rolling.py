"""Rolling origins: what each member would have said in the past, what came instead, and which blend did best."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Final

import numpy as np

from sensorcast_forecaster.models import MEMBERS, Member, Origins
from sensorcast_forecaster.window import Values

LAST: Final = "last"

_MARGIN: Final = 0.98
"""A blend must reach this share of the error of last value; less is luck."""


@dataclass(frozen=True, slots=True, eq=False)
class Validated:
    """The chosen blend, its forecast from the latest value, and how it has erred.

    Attributes:
        members: Names of the blended members; only `last` where nothing did better.
        able: Names of the members that had enough to go by.
        path: Median of the next steps, shape (horizon,).
        origins: Where the residuals were taken, shape (origins,), ascending.
        residuals: What came minus what was said, shape (origins, horizon), oldest origin first.
        relative_error: Mean absolute error relative to last value's, over the origins.
    """

    members: tuple[str, ...]
    able: tuple[str, ...]
    path: Values
    origins: Origins
    residuals: Values
    relative_error: float


def origins_for(values: Values, *, horizon: int, count: int) -> Origins:
    """Origins with a known present and a complete future, spread evenly over the later half of the window."""
    last = len(values) - 1 - horizon
    if last < 0:
        return np.empty(0, dtype=np.intp)
    spread = np.unique(np.linspace(last // 2, last, count).round().astype(np.intp))
    futures = values[spread[:, None] + np.arange(horizon + 1)]
    known: Origins = spread[np.isfinite(futures).all(axis=1)]
    return known


def validate(values: Values, *, horizon: int, origins: Origins, members: Mapping[str, Member] = MEMBERS) -> Validated:
    """Choose the mean of those members that erred least over the origins.

    A member takes part where it could forecast from every origin in the later half and from the latest value.

    Args:
        values: A series on a regular grid whose last value is known.
        horizon: Steps ahead.
        origins: From `origins_for`; not empty.
        members: Must hold `last`.

    Raises:
        ValueError: `origins` is empty, or `members` lacks `last`.
    """
    if not len(origins):
        raise ValueError("origins: at least one is needed")
    if LAST not in members:
        raise ValueError(f"members: {LAST!r} is missing")
    asked = np.append(origins, len(values) - 1)
    said = {name: member(values, asked, horizon) for name, member in members.items()}
    able = {name: paths for name, paths in said.items() if np.isfinite(paths[len(origins) // 2 :]).all()}
    shared = np.logical_and.reduce([np.isfinite(paths).all(axis=1) for paths in able.values()])[:-1]
    came = values[origins[shared, None] + np.arange(1, horizon + 1)]

    def error(blend: tuple[str, ...]) -> float:
        return float(np.abs(came - _mean(able, blend)[:-1][shared]).mean())

    floor = error((LAST,))
    blends = [blend for size in range(1, len(able) + 1) for blend in combinations(able, size)]
    best = min(blends, key=error)
    if best != (LAST,) and not error(best) < _MARGIN * floor:
        best = (LAST,)
    paths = _mean(able, best)
    return Validated(
        members=best,
        able=tuple(able),
        path=paths[-1],
        origins=origins[shared],
        residuals=came - paths[:-1][shared],
        relative_error=error(best) / floor if floor > 0 else 1.0,
    )


def _mean(said: Mapping[str, Values], blend: tuple[str, ...]) -> Values:
    mean: Values = np.mean([said[name] for name in blend], axis=0)
    return mean
