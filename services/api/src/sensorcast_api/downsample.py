"""Fewer points that look the same: those that a chart of this width would show. No I/O.

`minmax` keeps the least and the greatest value of each interval, so that no peak is lost; `lttb` keeps what bends the
line most (Steinarsson, Downsampling Time Series for Visual Representation, 2013) and may drop a peak beside a greater
one. Both keep real readings and the ends, and both are tsdownsample's.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import Final

import numpy as np
from tsdownsample import LTTBDownsampler, MinMaxDownsampler

FEWEST: Final = 6


class Method(StrEnum):
    """How points are chosen."""

    MINMAX = "minmax"
    LTTB = "lttb"


def chosen(ts: Sequence[int], value: Sequence[float], *, points: int, method: Method) -> list[int]:
    """Positions of the readings to keep, ascending.

    Args:
        ts: Times, ascending and unique.
        value: As many finite values.
        points: At most so many positions, at least `FEWEST`.
        method: How they are chosen.

    Raises:
        ValueError: `points` is too small.
    """
    if points < FEWEST:
        raise ValueError(f"points: {points} must be at least {FEWEST}")
    if len(ts) <= points:
        return list(range(len(ts)))
    x, y = np.asarray(ts, dtype=np.int64), np.asarray(value, dtype=np.float64)
    if method is Method.LTTB:
        lttb = LTTBDownsampler()  # type: ignore[no-untyped-call] # its constructor has no types
        kept = lttb.downsample(x, y, n_out=points)
    else:
        # The ends are added, and the number must be even.
        minmax = MinMaxDownsampler()  # type: ignore[no-untyped-call] # as above
        kept = minmax.downsample(x, y, n_out=(points - 2) // 2 * 2)
    return [int(at) for at in np.union1d(kept, [0, len(ts) - 1])]
