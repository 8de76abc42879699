"""Where a range is cut: before the seam the lake alone answers, from there on lake and hot store together."""

from typing import Final

from sensorcast_api.history.question import Bucket

UNKNOWN_MS: Final = 7 * 24 * 60 * 60_000
"""How far back the hot store is asked where no archiver says how far the lake is: all it keeps by default."""


def seam(watermark: int | None, *, now: int, bucket: Bucket | None = None) -> int:
    """The time (ms) from which on the hot store is asked too.

    Args:
        watermark: Time of receipt before which everything is in the lake; `None` where nobody knows.
        now: The present.
        bucket: Where readings are summed up, the seam is the beginning of such a bucket, since percentiles of two
            halves cannot be joined.
    """
    at = min(watermark if watermark is not None else now - UNKNOWN_MS, now)
    return bucket.floor(at) if bucket is not None else at
