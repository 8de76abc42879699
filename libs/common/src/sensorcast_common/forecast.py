"""Forecasts as they travel, are stored and are shown."""

from collections.abc import Sequence
from typing import Annotated, Literal, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from sensorcast_common.clock import UtcDatetime
from sensorcast_common.envelope import Envelope, pack
from sensorcast_common.errors import Poison
from sensorcast_common.invalid import first_problem
from sensorcast_common.reading import SeriesKey

KIND = "forecasts"
SCHEMA_VERSION = 1

Probability = Annotated[float, Field(ge=0, le=1)]


class LimitRisk(BaseModel):
    """How likely a series is to leave one limit within the horizon.

    Attributes:
        rule_id: The rule whose limit this is.
        side: Which way out: `above` or `below` the threshold.
        threshold: The limit, in the series' unit.
        probability: That the path leaves the limit at least once within the horizon.
        expected_at: When it is expected to leave, given that it does; absent where that is too unlikely to say.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    rule_id: str
    side: Literal["above", "below"]
    threshold: float
    probability: Probability
    expected_at: UtcDatetime | None = None


class Forecast(BaseModel):
    """What one series is expected to do next.

    Attributes:
        tenant: Whose series.
        device: Whose series.
        metric: Which series.
        unit: SenML unit of all values.
        known_at: Nothing after this time was used.
        last_value: The latest reading that was used.
        step_seconds: Distance between two forecast points.
        start: Time of the first point; point `i` is at `start + i * step_seconds`.
        q10: 0.1 quantile of each point.
        q50: Median of each point.
        q90: 0.9 quantile of each point.
        risks: One entry per limit that applies to the series.
        model: Name and version of the model that made it.
        trained_at: When the model was trained; absent where it was trained elsewhere, at a time that nobody told.
        trained_from: First reading the model was fitted to.
        trained_to: Last reading the model was fitted to.
        window_from: First reading of this series that was looked at; absent in forecasts of earlier versions.
        window_to: Last reading of this series that was looked at, likewise.
        fallback: Why a simpler model than usual was used; absent where none was.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    tenant: str
    device: str
    metric: str
    unit: str
    known_at: UtcDatetime
    last_value: float
    step_seconds: Annotated[int, Field(gt=0)]
    start: UtcDatetime
    q10: list[float]
    q50: list[float]
    q90: list[float]
    risks: list[LimitRisk] = []
    model: str
    trained_at: UtcDatetime | None = None
    trained_from: UtcDatetime
    trained_to: UtcDatetime
    window_from: UtcDatetime | None = None
    window_to: UtcDatetime | None = None
    fallback: str | None = None

    @model_validator(mode="after")
    def _same_length(self) -> Self:
        if not len(self.q10) == len(self.q50) == len(self.q90) > 0:
            raise ValueError(f"q10, q50, q90: lengths {len(self.q10)}, {len(self.q50)}, {len(self.q90)} must be equal")
        return self

    @property
    def series(self) -> SeriesKey:
        """The series this forecast is for."""
        return SeriesKey(self.tenant, self.device, self.metric)


_FORECASTS = TypeAdapter(list[Forecast])


class ForecastBatch(NamedTuple):
    """Forecasts that travel together, usually those of one job.

    Attributes:
        batch_id: A time-ordered UUID.
        created_at: In milliseconds since 1970 UTC.
        forecasts: At most as many as keep the message under 64 KiB.
    """

    batch_id: str
    created_at: int
    forecasts: Sequence[Forecast]

    def encode(self) -> str:
        """The message text of this batch."""
        return Envelope(
            kind=KIND,
            schema_version=SCHEMA_VERSION,
            batch_id=self.batch_id,
            created_at=self.created_at,
            count=len(self.forecasts),
            body=pack(_FORECASTS.dump_json(list(self.forecasts))),
        ).text()

    @classmethod
    def decode(cls, envelope: Envelope) -> "ForecastBatch":
        """Read a batch from its message.

        Raises:
            Poison: Another kind, an unknown version, or a forecast that is not one; the reason names the field.
        """
        envelope.expect(KIND, SCHEMA_VERSION)
        try:
            forecasts = _FORECASTS.validate_json(envelope.unpacked())
        except ValidationError as error:
            raise Poison(first_problem(error, within="forecasts")) from error
        return cls(batch_id=envelope.batch_id, created_at=envelope.created_at, forecasts=forecasts)
