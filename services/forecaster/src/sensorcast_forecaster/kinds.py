"""What a message is about, told before it is read."""

import json
from typing import Final

from sensorcast_common.errors import Poison

FORECAST: Final = "forecast"
TRAIN: Final = "train"
SCORE: Final = "score"
REVIEW: Final = "review"
BUILD: Final = "build"


def tick_kind(text: str | bytes) -> str:
    """Of a schedule's message: `train` or `score` where it has such a field, else, whatever it is, `forecast`."""
    message = _object(text)
    return next((kind for kind in (TRAIN, SCORE) if kind in message), FORECAST)


def job_kind(text: str | bytes) -> str:
    """The field `kind` of a job.

    Raises:
        Poison: There is none.
    """
    kind = _object(text).get("kind")
    if not isinstance(kind, str):
        raise Poison("kind: missing, or not a text")
    return kind


def _object(text: str | bytes) -> dict[str, object]:
    try:
        message = json.loads(text)
    except ValueError:
        return {}
    return message if isinstance(message, dict) else {}
