"""What the forecaster is told by its environment."""

from typing import Literal, Self

from pydantic import Field, model_validator

from sensorcast_common.settings import ServiceSettings
from sensorcast_forecaster.reach import (
    HISTORY_HOURS,
    LAKE_HISTORY_HOURS,
    SPARSE_HISTORY_HOURS,
    TRAIN_DAYS,
    TRAIN_POINTS,
    TRAIN_ROWS,
)


class ForecasterSettings(ServiceSettings):
    """Settings of the forecaster, each with the prefix SENSORCAST_.

    Attributes:
        engine: Who forecasts: `builtin`, `amazon-forecast` or `sagemaker`. What another engine does not forecast, the
            built-in one does, and says so.
        sagemaker_endpoint: Name of the endpoint, for `sagemaker`; it must have the Chronos contract.
        sagemaker_context_steps: Past that it is sent of each series: 2048 for Chronos-Bolt, up to 8192 for Chronos-2.
        sagemaker_series_per_request: How many series it is asked for at a time.
        amazon_forecast_role_arn: Role that Amazon Forecast assumes to read exported history, for `amazon-forecast`.
        amazon_forecast_predictor_days: After how long a training tick trains a predictor anew. Before, it imports newer
            history and forecasts with the one that is there.
        tick_period_seconds: Distance between two ticks of the schedule; a tick or job older than this is skipped.
        active_minutes: Series that were silent for longer get no forecast.
        series_per_job: Series that one job holds; jobs are what replicas share.
        jobs_at_once: Jobs that this replica works on at the same time; more hide the waiting for DynamoDB.
        horizon_minutes: How far ahead.
        history_hours: Past that is read of devices that report at least every 2.5 minutes.
        sparse_history_hours: Past that is read of the others; the hot store keeps seven days by default.
        lake_history_hours: Past of those others in all: what `sparse_history_hours` leaves out of it is read from the
            lake once a day; 0 reads nothing from there.
        history_points: Readings kept in memory between ticks, 16 bytes each.
        forecast_ttl_days: How long a forecast stays in the table.
        boosted: Whether promoted boosted models take part; a series uses one only where it validates better than what
            the series has of its own.
        train_days: Past that boosted models learn from at most; beyond `hot_ttl_days` it is read from the lake.
        train_points: Minute means that are read for one model at most, about 50 bytes each; a model of more devices
            learns from fewer days, but from `hot_ttl_days` at least.
        hot_ttl_days: How long the hot store keeps readings, as the archiver is told.
        train_rows: Rows that one model learns from at most; each takes about 200 bytes.
        train_series: Devices that one model learns from at most.
        model_max_age_days: A model that was validated longer ago is not used.
        model_refresh_seconds: How often newly promoted models are looked for.
        score_grace_minutes: How long after its horizon a forecast is scored, for readings that come late.
        skill_ttl_days: How long the figures of an hour are kept.
    """

    engine: Literal["builtin", "amazon-forecast", "sagemaker"] = "builtin"
    sagemaker_endpoint: str = Field(default="", pattern=r"^([A-Za-z0-9](-*[A-Za-z0-9]){0,62})?$")
    sagemaker_context_steps: int = Field(default=2048, ge=64, le=8192)
    sagemaker_series_per_request: int = Field(default=64, ge=1, le=1000)
    amazon_forecast_role_arn: str = Field(default="", pattern=r"^(arn:[a-z-]+:iam::\d{12}:role/.+)?$")
    amazon_forecast_predictor_days: float = Field(default=7.0, gt=0, le=365)

    tick_period_seconds: float = Field(default=300.0, ge=10, le=86_400)
    active_minutes: float = Field(default=30.0, ge=1, le=1440)
    series_per_job: int = Field(default=50, ge=1, le=1000)
    jobs_at_once: int = Field(default=2, ge=1, le=32)
    horizon_minutes: int = Field(default=60, ge=5, le=360)
    history_hours: float = Field(default=HISTORY_HOURS, ge=2, le=168)
    sparse_history_hours: float = Field(default=SPARSE_HISTORY_HOURS, ge=2, le=720)
    lake_history_hours: float = Field(default=LAKE_HISTORY_HOURS, ge=0, le=2160)
    history_points: int = Field(default=4_000_000, ge=0, le=200_000_000)
    forecast_ttl_days: float = Field(default=7.0, gt=0, le=365)

    boosted: bool = True
    train_days: float = Field(default=TRAIN_DAYS, ge=1, le=90)
    train_points: int = Field(default=TRAIN_POINTS, ge=10_000, le=1_000_000_000)
    hot_ttl_days: float = Field(default=7.0, gt=0, le=3650)
    train_rows: int = Field(default=TRAIN_ROWS, ge=1000, le=5_000_000)
    train_series: int = Field(default=1000, ge=1, le=2000)
    model_max_age_days: float = Field(default=7.0, gt=0, le=90)
    model_refresh_seconds: float = Field(default=300.0, ge=0, le=86_400)

    score_grace_minutes: float = Field(default=15.0, ge=0, le=1440)
    skill_ttl_days: float = Field(default=90.0, gt=0, le=3650)

    @model_validator(mode="after")
    def _engine_has_what_it_needs(self) -> Self:
        if self.engine == "sagemaker" and not self.sagemaker_endpoint:
            raise ValueError("SENSORCAST_SAGEMAKER_ENDPOINT: missing; SENSORCAST_ENGINE=sagemaker needs its name")
        if self.engine == "amazon-forecast" and not self.amazon_forecast_role_arn:
            raise ValueError("SENSORCAST_AMAZON_FORECAST_ROLE_ARN: missing; SENSORCAST_ENGINE=amazon-forecast needs it")
        return self

    @model_validator(mode="after")
    def _sparse_is_longer(self) -> Self:
        if self.sparse_history_hours < self.history_hours:
            raise ValueError(
                f"SENSORCAST_SPARSE_HISTORY_HOURS: {self.sparse_history_hours} must not be less than "
                f"SENSORCAST_HISTORY_HOURS ({self.history_hours})"
            )
        return self
