"""The rows a boosted model learns from: moments of many series and what came after them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sensorcast_forecaster.boosting.features import Features, moments
from sensorcast_forecaster.boosting.layout import Layout
from sensorcast_forecaster.window import Values

_STEPS_PER_MOMENT: Final = 4


@dataclass(frozen=True, slots=True, eq=False)
class Past:
    """One series to learn from.

    Attributes:
        values: On the layout's step, oldest first; NaN where unknown.
        end: Right edge of the last cell, in milliseconds since 1970 UTC.
    """

    values: Values
    end: int


class Examples(NamedTuple):
    """Rows to learn from.

    Attributes:
        rows: Shape (rows, columns).
        targets: Shape (rows,), the change after that many steps, in units of the scale.
    """

    rows: Features
    targets: NDArray[np.float32]


def examples(pasts: Sequence[Past], *, layout: Layout, until: int, max_rows: int, seed: int = 0) -> Examples:
    """Draw rows from the past of many series, spread evenly over each and over the steps ahead.

    Args:
        pasts: The series.
        layout: What to look at.
        until: Nothing after this time is used, neither as a feature nor as a target (milliseconds since 1970 UTC).
        max_rows: Rows at most; memory is about 4 bytes times `layout.feature_count` of each.
        seed: Draws the steps ahead.

    Returns:
        The rows; possibly none.

    Raises:
        ValueError: `max_rows` is not positive.
    """
    if max_rows < 1:
        raise ValueError(f"max_rows: {max_rows} must be at least 1")
    generator = np.random.default_rng(seed)
    each = max(1, max_rows // max(1, len(pasts)))
    drawn = [_of_one(past, layout, until, each, generator) for past in pasts]
    if not drawn:
        return Examples(np.empty((0, layout.feature_count), dtype=np.float32), np.empty(0, dtype=np.float32))
    return Examples(np.concatenate([rows for rows, _ in drawn]), np.concatenate([targets for _, targets in drawn]))


def _of_one(past: Past, layout: Layout, until: int, most: int, generator: np.random.Generator) -> Examples:
    surplus = max(0, past.end - until)
    cut = len(past.values) - -(-surplus // (layout.step_seconds * 1000))
    knots = layout.knots
    candidates = np.arange(max(2, layout.day // 8), max(0, cut - layout.horizon))
    # Neighbouring moments tell much the same; more steps ahead of each are worth more once moments run out.
    per_origin = min(len(knots), max(_STEPS_PER_MOMENT, most // max(1, len(candidates))))
    count = min(len(candidates), -(-most // per_origin))
    origins = candidates[np.linspace(0, len(candidates) - 1, count).astype(np.intp)] if count else candidates
    end = past.end - (len(past.values) - cut) * layout.step_seconds * 1000
    values = past.values[: max(0, cut)]
    seen = moments(values[None, :], origins, end=np.array([end]), layout=layout)
    ahead = np.stack([generator.permutation(knots)[:per_origin] for _ in origins]) if count else np.empty((0, 1), int)
    scale = seen.scale[0][:, None]
    targets = (values[origins[:, None] + ahead] - values[origins, None]) / scale
    usable = np.isfinite(targets)
    rows = np.empty((int(usable.sum()), layout.feature_count), dtype=np.float32)
    rows[:, :-1] = np.repeat(seen.features[0], ahead.shape[1], axis=0)[usable.ravel()]
    rows[:, -1] = ahead[usable]
    return Examples(rows, targets[usable].astype(np.float32))
