"""What a person types, checked: the limit, the step and the horizon."""

import math
import re
from typing import Final

from sensorcast_common.csv.fault import CsvFault
from sensorcast_forecaster.window import Limit

_UNITS: Final = {"s": 1, "m": 60, "min": 60, "h": 3600, "d": 86_400}
_DURATION: Final = re.compile(r"(\d{1,6})(s|min|m|h|d)", re.ASCII)
_DAY_SECONDS: Final = 86_400


def parse_limit(text: str) -> Limit:
    """`above:8` or `below:-25`.

    Raises:
        CsvFault: It is something else.
    """
    side, colon, number = text.partition(":")
    try:
        threshold = float(number)
    except ValueError:
        threshold = math.nan
    if not colon or not math.isfinite(threshold):
        raise CsvFault(f"--limit: {text!r} is not a limit such as above:8 or below:-25")
    if side == "above":
        return Limit("limit", "above", threshold)
    if side == "below":
        return Limit("limit", "below", threshold)
    raise CsvFault(f"--limit: {side!r} is neither above nor below")


def parse_seconds(option: str, text: str) -> int:
    """Seconds of `90s`, `15m`, `15min`, `2h` or `1d`.

    Raises:
        CsvFault: It is something else, or not positive; the message names the option.
    """
    found = _DURATION.fullmatch(text.strip())
    if found is None or not int(found.group(1)):
        raise CsvFault(f"{option}: {text!r} is not a duration such as 90s, 15m or 2h")
    return int(found.group(1)) * _UNITS[found.group(2)]


def parse_step(text: str) -> int:
    """A step in seconds.

    Raises:
        CsvFault: It is no duration, or a day is no whole number of it.
    """
    seconds = parse_seconds("--step", text)
    if _DAY_SECONDS % seconds:
        raise CsvFault(f"--step: a day is no whole number of {text}")
    return seconds


def steps_ahead(horizon_seconds: int, *, step_seconds: int) -> int:
    """The horizon in whole steps, rounded up.

    Raises:
        CsvFault: It has more than 1000.
    """
    steps = math.ceil(horizon_seconds / step_seconds)
    if steps > 1000:
        raise CsvFault(f"--horizon: {steps} steps of {step_seconds} s are more than 1000")
    return steps
