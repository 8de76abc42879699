"""The contract of Chronos endpoints as SageMaker JumpStart deploys them: what is asked, and what an answer must hold.

Source: the endpoint API in the deployment walkthroughs of amazon-science/chronos-forecasting, for Chronos-2 and
Chronos-Bolt.
"""

from collections.abc import Sequence
from typing import Annotated, Final

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sensorcast_common.invalid import first_problem
from sensorcast_forecaster.window import Values

LEVELS: Final = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
"""Chronos-Bolt knows none beyond 0.1 and 0.9."""

MOST_SERIES: Final = 1000
MOST_STEPS: Final = 1000
FEWEST_VALUES: Final = 5

_ENOUGH: Final = 64
"""Values after the latest gap that will do without those before it."""

Finite = Annotated[float, Field(allow_inf_nan=False)]


class _Series(BaseModel):
    target: list[Finite]
    item_id: str


class _Parameters(BaseModel):
    prediction_length: int
    quantile_levels: list[float]


class _Request(BaseModel):
    inputs: list[_Series]
    parameters: _Parameters


class _Prediction(BaseModel):
    """Quantiles stand under their level as text, beside `mean` and, where it was sent, `item_id`."""

    model_config = ConfigDict(extra="allow")

    __pydantic_extra__: dict[str, list[Finite] | str] = Field(init=False)

    item_id: str


class _Response(BaseModel):
    model_config = ConfigDict(extra="ignore")

    predictions: list[_Prediction]


class NotTheContract(Exception):  # noqa: N818 - says what is the matter
    """An answer is not what the contract promises; the message names the field."""


def request(targets: Sequence[Values], *, steps: int) -> str:
    """The body of a request.

    Args:
        targets: Values without gaps, oldest first; at most `MOST_SERIES`, each of at least `FEWEST_VALUES`.
        steps: Steps ahead, at most `MOST_STEPS`.
    """
    return _Request(
        inputs=[_Series(target=target.tolist(), item_id=str(at)) for at, target in enumerate(targets)],
        parameters=_Parameters(prediction_length=steps, quantile_levels=list(LEVELS)),
    ).model_dump_json()


def answers(body: bytes, *, series: int, steps: int) -> list[Values]:
    """The quantiles of each series, in the order they were sent, each of shape (levels, steps).

    Raises:
        NotTheContract: Something is missing, of another length, or no number.
    """
    try:
        response = _Response.model_validate_json(body)
    except ValidationError as error:
        raise NotTheContract(first_problem(error)) from error
    by_id = {each.item_id: each for each in response.predictions}
    found = []
    for at in range(series):
        prediction = by_id.get(str(at))
        if prediction is None:
            raise NotTheContract(f"predictions: item_id {at} is missing")
        found.append(np.array([_quantile(prediction, level, steps) for level in LEVELS]))
    return found


def _quantile(prediction: _Prediction, level: float, steps: int) -> list[float]:
    values = prediction.__pydantic_extra__.get(str(level))
    if not isinstance(values, list) or len(values) != steps:
        length = len(values) if isinstance(values, list) else "no"
        raise NotTheContract(f"predictions.{prediction.item_id}.{level}: {length} values, {steps} are expected")
    return values


def context(values: Values, *, most: int) -> Values:
    """The past as an endpoint takes it: numbers alone.

    What came after the latest gap, if that is enough; else everything, with straight lines through the gaps.

    Args:
        values: A window's; NaN in gaps, never at either end.
        most: Values at most; the newest are kept.
    """
    recent = values[-most:]
    gaps = np.flatnonzero(~np.isfinite(recent))
    if not len(gaps):
        return recent
    if len(recent) - 1 - gaps[-1] >= _ENOUGH:
        return recent[gaps[-1] + 1 :]
    known = np.flatnonzero(np.isfinite(recent))
    return np.interp(np.arange(known[0], len(recent)), known, recent[known])
