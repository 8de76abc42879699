"""Durations as people type them: `90s`, `15m`, `24h`, `7d`."""

import re
from typing import Final

_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_DURATION: Final = re.compile(r"(\d{1,9})([smhd]?)", re.ASCII)


def parse_duration(text: str) -> int:
    """Seconds for `text`; a number alone is seconds.

    Raises:
        ValueError: It is not a duration.
    """
    found = _DURATION.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"{text!r} is not a duration such as 90s, 15m, 24h or 7d")
    return int(found.group(1)) * _UNITS[found.group(2) or "s"]
