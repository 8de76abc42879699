"""The message that hands a shard of series to whichever replica is free."""

from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sensorcast_common.errors import Poison
from sensorcast_common.invalid import first_problem
from sensorcast_common.reading import SeriesKey

SCHEMA_VERSION: Final = 1


class JobDevice(BaseModel):
    """One device of a job with the metrics to forecast, and the labels by which rules find it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    tenant: str
    device: str
    metrics: Annotated[list[str], Field(min_length=1)]
    labels: dict[str, str] = {}

    @property
    def series(self) -> list[SeriesKey]:
        """Its series."""
        return [SeriesKey(self.tenant, self.device, metric) for metric in self.metrics]


class JobMessage(BaseModel):
    """What every job does as a message."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @classmethod
    def parse(cls, text: str | bytes) -> Self:
        """Read a job from its message.

        Raises:
            Poison: The text is not a job of this kind in a known version; the reason names the field.
        """
        try:
            return cls.model_validate_json(text)
        except ValidationError as error:
            raise Poison(first_problem(error)) from error

    def text(self) -> str:
        """The message as it is sent."""
        return self.model_dump_json()


class ForecastJob(JobMessage):
    """A shard of one tick.

    Attributes:
        schema_version: Of this message.
        known_at: The tick's scheduled time, in milliseconds since 1970 UTC. Every delivery of the job forecasts as of
            this time, so a repeated one writes over itself.
        devices: Whole devices, so that siblings stay together.
    """

    schema_version: Literal[1] = SCHEMA_VERSION
    known_at: Annotated[int, Field(ge=0)]
    devices: Annotated[list[JobDevice], Field(min_length=1)]
