"""Split-conformal calibration on whole paths: quantiles per step from how past forecasts erred."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sensorcast_forecaster.models import Origins
from sensorcast_forecaster.window import Values


@dataclass(frozen=True, slots=True, eq=False)
class PathEnsemble:
    """Equally possible futures, or unequally by weight.

    Attributes:
        paths: Shape (paths, horizon).
        weights: Shape (paths,), positive; they need not sum to 1.
        origins: Moments of the past whose errors the paths carry, as indices into the window's values; `None` where
            they carry others.
        corrected: Whether quantiles allow for the paths being few. They need not where these are all changes of the
            past: overlapping ones are not independent, so that no such correction is right, and it made bands too wide.
    """

    paths: Values
    weights: Values
    origins: Origins | None = None
    corrected: bool = True

    def quantiles(self, levels: Sequence[float]) -> Values:
        """Quantiles of each step, with the finite-sample correction of split-conformal prediction.

        A level q of n paths is read at the q (n + 1) / n quantile of the upper half, and mirrored below the median
        (Lei et al. 2018, "Distribution-free predictive inference for regression"), so that few residuals give a wider
        band, not one that is too narrow.

        Args:
            levels: Ascending, within (0, 1).

        Returns:
            Shape (levels, horizon), ascending along the levels.
        """
        order = np.argsort(self.paths, axis=0)
        ordered = np.take_along_axis(self.paths, order, axis=0)
        share = self.weights[order] / self.weights.sum()
        # Each path stands in the middle of its weight.
        position = np.cumsum(share, axis=0) - share / 2
        effective = float(self.weights.sum() ** 2 / (self.weights**2).sum())
        wider = (effective + 1) / effective
        if not self.corrected and len(self.paths) > 1:
            # From the least path to the greatest, as a sample's own quantiles are read.
            position, wider = (position - position[0]) / (position[-1] - position[0]), 1.0
        asked = [0.5 + (level - 0.5) * wider for level in levels]
        return np.stack(
            [np.interp(asked, position[:, step], ordered[:, step]) for step in range(self.paths.shape[1])], axis=1
        )


def calibrated(path: Values, residuals: Values, origins: Origins | None = None) -> PathEnsemble:
    """The path with each past error added: as the errors were, so the futures may be.

    Args:
        path: Shape (horizon,).
        residuals: Shape (origins, horizon).
        origins: Where they were taken.

    Raises:
        ValueError: There are no residuals, or they have another horizon.
    """
    if residuals.ndim != 2 or not len(residuals) or residuals.shape[1] != len(path):
        raise ValueError(f"residuals: shape {residuals.shape} does not fit a horizon of {len(path)}")
    return PathEnsemble(paths=path + residuals, weights=np.ones(len(residuals)), origins=origins)


def mixed(parts: Sequence[tuple[float, PathEnsemble]]) -> PathEnsemble:
    """One ensemble of several, each with its share of the probability; those with none are left out.

    Raises:
        ValueError: No part has a positive share.
    """
    present = [(share, part) for share, part in parts if share > 0]
    if not present:
        raise ValueError("parts: none has a positive share")
    return PathEnsemble(
        paths=np.concatenate([part.paths for _, part in present]),
        weights=np.concatenate([share * part.weights / part.weights.sum() for share, part in present]),
        corrected=any(part.corrected for _, part in present),
    )
