"""Forecasts into messages of at most 64 KiB, the size that SNS and SQS bill as one."""

from collections.abc import Callable, Sequence
from typing import Final

from sensorcast_common.forecast import Forecast, ForecastBatch

MAX_BYTES: Final = 64 * 1024


def batch_texts(
    forecasts: Sequence[Forecast], *, created_at: int, new_id: Callable[[], str], max_bytes: int = MAX_BYTES
) -> list[str]:
    """Encode forecasts in as few messages as halving finds.

    Args:
        forecasts: In any number; none gives no message.
        created_at: In milliseconds since 1970 UTC.
        new_id: Makes a batch id.
        max_bytes: Of one message.

    Raises:
        ValueError: A single forecast is larger than `max_bytes`; the message names its series.
    """
    if not forecasts:
        return []
    text = ForecastBatch(batch_id=new_id(), created_at=created_at, forecasts=forecasts).encode()
    if len(text.encode()) <= max_bytes:
        return [text]
    if len(forecasts) == 1:
        raise ValueError(f"forecast of {'/'.join(forecasts[0].series)}: {len(text)} bytes do not fit into {max_bytes}")
    middle = len(forecasts) // 2
    return [
        text
        for half in (forecasts[:middle], forecasts[middle:])
        for text in batch_texts(half, created_at=created_at, new_id=new_id, max_bytes=max_bytes)
    ]
