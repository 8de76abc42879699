"""What all questions about the past name, and what is said where the lake does not answer."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Annotated, Final

from fastapi import Depends, Query
from pydantic import AfterValidator

from sensorcast_api import examples
from sensorcast_api.auth import Viewer
from sensorcast_api.history.athena import LakeBusy, LakeFailed, ScansTooMuch
from sensorcast_api.history.past import Past, TooManyRecent
from sensorcast_api.history.question import Question
from sensorcast_api.parameters import NAME_PATTERN, Name, Time
from sensorcast_api.problems import Place, ProblemError, invalid
from sensorcast_api.services import Wired
from sensorcast_common import logs
from sensorcast_common.clock import from_millis, to_millis

log = logs.logger(__name__)

MOST_DEVICES: Final = 100
MOST_METRICS: Final = 20

_DEFAULT_RANGE: Final = timedelta(days=1)


def _distinct(names: list[str]) -> list[str]:
    return list(dict.fromkeys(names))


Names = Annotated[list[Name], AfterValidator(_distinct)]
Devices = Annotated[
    Names,
    Query(
        alias="device",
        min_length=1,
        max_length=MOST_DEVICES,
        description=f"A device's name; up to {MOST_DEVICES} times.",
        examples=[["truck-7"]],
        json_schema_extra={"items": {"type": "string", "pattern": NAME_PATTERN}},
    ),
]
Metrics = Annotated[
    Names,
    Query(
        alias="metric",
        min_length=1,
        max_length=MOST_METRICS,
        description=f"A metric's name; up to {MOST_METRICS} times.",
        examples=[["temperature"]],
        json_schema_extra={"items": {"type": "string", "pattern": NAME_PATTERN}},
    ),
]
Start = Annotated[Time | None, Query(description="First time wanted; a day before `end` by default.")]
End = Annotated[Time | None, Query(description="First time no longer wanted; now by default.")]


async def _question(
    caller: Viewer, wired: Wired, devices: Devices, metrics: Metrics, start: Start = None, end: End = None
) -> Question:
    stop = end or from_millis(wired.clock())
    begin = start or stop - _DEFAULT_RANGE
    if begin >= stop:
        raise invalid("query", "end", f"must be after start ({begin.isoformat()})")
    return Question(
        tenant=caller.tenant,
        devices=tuple(sorted(devices)),
        metrics=tuple(sorted(metrics)),
        start=to_millis(begin),
        end=to_millis(stop),
    )


async def _past(caller: Viewer, wired: Wired) -> Past:
    del caller  # whoever may not ask is not told how the service runs
    if wired.past is None:
        raise ProblemError(503, "This service runs without a lake.")
    return wired.past


Asked = Annotated[Question, Depends(_question)]
ThePast = Annotated[Past, Depends(_past)]

EXAMPLE_KEY: Final = {"device": "truck-7", "metric": "temperature", "unit": "Cel"}
EXAMPLE_RANGE: Final = {"start": examples.DEVICE.first_seen, "end": examples.DEVICE.last_seen}


@contextmanager
def explained(place: Place) -> Iterator[None]:
    """Turn what the lake cannot do into a problem that says what to do; `place` is where `start` was sent."""
    try:
        yield
    except ScansTooMuch as error:
        raise invalid(place, "start", "the range scans more than one query may: take a shorter one") from error
    except TooManyRecent as error:
        raise invalid(place, "start", f"{error}: take a shorter range or fewer devices") from error
    except LakeBusy as error:
        raise ProblemError(503, f"The lake is busy: {error}.", headers={"Retry-After": "5"}) from error
    except LakeFailed as error:
        log.warning("the lake could not be asked", reason=str(error))
        raise ProblemError(502, "The lake could not be asked; the reason is in the service's log.") from error
