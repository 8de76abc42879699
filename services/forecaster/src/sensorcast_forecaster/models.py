"""The members of the built-in engine: each turns the past at some origins into paths of the next steps."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Protocol

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from sensorcast_forecaster.window import Values

Origins = NDArray[np.intp]
"""Indices into the values: a forecast from origin `o` may use `values[: o + 1]` and nothing after it."""


_LEVEL_WEIGHT: Final = 0.7
"""Weight of the level against that of the shape, where moments are compared."""


class Member(Protocol):
    """One way to forecast."""

    def __call__(self, values: Values, origins: Origins, horizon: int) -> Values:
        """Forecast from each origin.

        Args:
            values: A series on a regular grid; NaN in long gaps.
            origins: Ascending.
            horizon: Steps ahead.

        Returns:
            Shape (origins, horizon); a row is NaN where this member has too little to go by.
        """
        ...


def last_value(values: Values, origins: Origins, horizon: int) -> Values:
    """Nothing changes: the floor that every other member has to beat."""
    return np.repeat(values[origins][:, None], horizon, axis=1)


@dataclass(frozen=True, slots=True)
class Analogs:
    """What followed the most similar moments of the past (Lorenz 1969; analog ensemble, Delle Monache et al. 2013).

    Similar means: the shape of the last two horizons, recent steps weighing more, and the level. Thermostats, defrosts
    and door openings repeat themselves, which a linear model cannot use.

    Attributes:
        neighbours: How many moments; few follow the shape closely, many smooth out noise.
    """

    neighbours: int

    def __call__(self, values: Values, origins: Origins, horizon: int) -> Values:
        """Forecast from each origin; see `Member`."""
        lags = lags_for(horizon)
        rows = np.arange(lags[-1], len(values))
        state = embed(values[rows[:, None] - lags], lags)
        known = _complete(state)
        futures = np.full((len(rows), horizon), np.nan)
        complete = len(rows) - horizon
        if complete < 1:
            return np.full((len(origins), horizon), np.nan)
        futures[:complete] = sliding_window_view(values, horizon)[rows[:complete] + 1] - values[rows[:complete], None]
        library = np.flatnonzero(known & _complete(futures))
        paths = np.full((len(origins), horizon), np.nan)
        usable = [at for at, origin in enumerate(origins) if origin >= rows[0] and known[origin - rows[0]]]
        if not usable or not len(library):
            return paths
        asked = state[origins[usable] - rows[0]]
        distance = squared_distances(asked, state[library])
        # The future of an analog must lie before the origin, or it would be known too early.
        distance[rows[library][None, :] + horizon > origins[usable][:, None]] = np.inf
        for row, at in enumerate(usable):
            paths[at] = values[origins[at]] + self._blend(distance[row], futures[library])
        return paths

    def _blend(self, distance: Values, futures: Values) -> Values:
        candidates = int(np.count_nonzero(np.isfinite(distance)))
        if candidates < 2 * self.neighbours:
            return np.full(futures.shape[1], np.nan)
        nearest = np.argpartition(distance, self.neighbours)[: self.neighbours]
        return np.asarray(np.median(futures[nearest], axis=0))


@dataclass(frozen=True, slots=True)
class Ridge:
    """One linear regression per step ahead on lags and moving means, all relative to the latest value.

    Refitted for each block of origins, on what was known at its first.

    Attributes:
        penalty: Per row and standardised feature.
        blocks: How often it is refitted over the origins.
        min_rows: The fewest rows per feature.
    """

    penalty: float = 0.01
    blocks: int = 4
    min_rows: int = 4

    def __call__(self, values: Values, origins: Origins, horizon: int) -> Values:
        """Forecast from each origin; see `Member`."""
        features = _features(values, horizon)
        known = _complete(features)
        changes = np.full((len(values), horizon), np.nan)
        if len(values) > horizon:
            changes[:-horizon] = sliding_window_view(values, horizon)[1:] - values[:-horizon, None]
        usable = known & _complete(changes)
        paths = np.full((len(origins), horizon), np.nan)
        for block in np.array_split(np.arange(len(origins)), min(self.blocks, len(origins))):
            rows = np.flatnonzero(usable[: max(0, int(origins[block[0]]) - horizon + 1)])
            if len(rows) < self.min_rows * features.shape[1]:
                continue
            predict = self._fit(features[rows], changes[rows])
            asked = block[known[origins[block]]]
            paths[asked] = values[origins[asked], None] + predict(features[origins[asked]])
        return paths

    def _fit(self, features: Values, changes: Values) -> Callable[[Values], Values]:
        centre, offset = features.mean(axis=0), changes.mean(axis=0)
        scale = features.std(axis=0)
        scale[scale == 0] = 1.0
        z = (features - centre) / scale
        gram = z.T @ z + self.penalty * len(z) * np.eye(z.shape[1])
        weights = np.linalg.solve(gram, z.T @ (changes - offset))
        return lambda asked: offset + ((asked - centre) / scale) @ weights


MEMBERS: Final[Mapping[str, Member]] = MappingProxyType(
    {"last": last_value, "analogs": Analogs(neighbours=10), "analogs-wide": Analogs(neighbours=40), "ridge": Ridge()}
)
"""By the name that a forecast carries."""


def lags_for(horizon: int) -> Origins:
    """About 15 lags up to two horizons (at least 12 steps), dense at the recent end; the first is 0."""
    spread = np.unique(np.round(np.geomspace(1, max(12, 2 * horizon), 14)).astype(np.intp))
    return np.concatenate([np.zeros(1, dtype=np.intp), spread])


def embed(past: Values, lags: Origins) -> Values:
    """A moment as a point: the shape of the past relative to the present, recent lags weighing more, and the level.

    Args:
        past: Values at each lag, shape (moments, lags), the first column the present.
        lags: From `lags_for`.
    """
    shape = (past[:, 1:] - past[:, :1]) / np.sqrt(1.0 + lags[1:])
    return np.concatenate([shape, _LEVEL_WEIGHT * past[:, :1]], axis=1)


def squared_distances(left: Values, right: Values) -> Values:
    """Of every point of `left` to every point of `right`."""
    distance: Values = (left**2).sum(axis=1)[:, None] + (right**2).sum(axis=1)[None, :] - 2 * (left @ right.T)
    return distance


def _complete(table: Values) -> NDArray[np.bool_]:
    """Which rows hold no NaN."""
    return np.asarray(np.isfinite(table).all(axis=1))


def _features(values: Values, horizon: int) -> Values:
    lags = lags_for(horizon)[1:]
    means = [window for window in (5, 15, 60, 240) if window <= max(16, 4 * horizon) and window <= len(values)]
    features = np.full((len(values), len(lags) + len(means)), np.nan)
    for at, lag in enumerate(lags[lags < len(values)]):
        features[lag:, at] = values[:-lag] - values[lag:]
    for at, window in enumerate(means, start=len(lags)):
        features[window - 1 :, at] = sliding_window_view(values, window).mean(axis=1) - values[window - 1 :]
    return features
