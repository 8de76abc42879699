"""Token buckets, one per credential: a burst is fine, a flood is not. No I/O."""

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at: float


class Rates:
    """Counts requests of each credential.

    Args:
        per_second: Requests that may go on for ever.
        burst: Requests at one time.
        capacity: Credentials that are remembered; the least recent are forgotten, and begin with a full bucket.
        monotonic: Seconds on a clock that never goes back.
    """

    def __init__(
        self,
        *,
        per_second: float,
        burst: int,
        capacity: int = 100_000,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        if min(per_second, burst, capacity) <= 0:
            raise ValueError("per_second, burst, capacity: must be positive")
        self._rate = per_second
        self._burst = float(burst)
        self._capacity = capacity
        self._monotonic = monotonic
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def take(self, key_id: str) -> float:
        """Count one request.

        Returns:
            0 where it may go on, else the seconds until one may.
        """
        now = self._monotonic()
        bucket = self._buckets.get(key_id)
        if bucket is None:
            bucket = self._buckets[key_id] = _Bucket(self._burst, now)
            while len(self._buckets) > self._capacity:
                self._buckets.popitem(last=False)
        else:
            self._buckets.move_to_end(key_id)
        bucket.tokens = min(self._burst, bucket.tokens + (now - bucket.at) * self._rate)
        bucket.at = now
        if bucket.tokens < 1:
            return (1 - bucket.tokens) / self._rate
        bucket.tokens -= 1
        return 0.0
