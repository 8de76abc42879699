"""History in the form that Amazon Forecast imports: item, time, value, one file per some series."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from sensorcast_common.clock import from_millis
from sensorcast_forecaster.engines.amazon.build import FREQUENCIES
from sensorcast_forecaster.regularize import RawSeries
from sensorcast_forecaster.step import choose_step

if TYPE_CHECKING:
    from types_aiobotocore_forecast.type_defs import SchemaAttributeTypeDef

SCHEMA: "Final[Sequence[SchemaAttributeTypeDef]]" = (
    {"AttributeName": "item_id", "AttributeType": "string"},
    {"AttributeName": "timestamp", "AttributeType": "timestamp"},
    {"AttributeName": "target_value", "AttributeType": "float"},
)
"""Of a TARGET_TIME_SERIES dataset in the domain CUSTOM, in the order of the columns."""

TIMESTAMP_FORMAT: Final = "yyyy-MM-dd HH:mm:ss"

TRANSFORMATIONS: Final = {"aggregation": "avg", "frontfill": "none", "middlefill": "nan", "backfill": "nan"}
"""Left to itself, Amazon Forecast adds readings of a step up and takes what is missing for 0: right for sales."""

SERIES_PER_FILE: Final = 50


def by_step(raws: Sequence[RawSeries]) -> dict[int, list[RawSeries]]:
    """Series by step, of the steps that a dataset may have; others are left out."""
    groups: dict[int, list[RawSeries]] = {}
    for raw in raws:
        step = choose_step(np.unique(raw.ts))
        if step in FREQUENCIES:
            groups.setdefault(step, []).append(raw)
    return groups


def files(raws: Sequence[RawSeries], *, step_seconds: int) -> Iterator[str]:
    """CSV texts without a header: the device, the beginning of a step, the mean of its readings."""
    for first in range(0, len(raws), SERIES_PER_FILE):
        yield "".join(line for raw in raws[first : first + SERIES_PER_FILE] for line in _lines(raw, step_seconds))


def _lines(raw: RawSeries, step_seconds: int) -> Iterator[str]:
    known = np.isfinite(raw.values)
    steps, index = np.unique(raw.ts[known] // (step_seconds * 1000), return_inverse=True)
    means = np.bincount(index, raw.values[known]) / np.bincount(index)
    for step, mean in zip(steps.tolist(), means.tolist(), strict=True):
        yield f"{raw.series.device},{from_millis(step * step_seconds * 1000):%Y-%m-%d %H:%M:%S},{mean:.6g}\n"
