"""What is kept of every model that was trained: where it comes from, how it validated, and whether it is in use."""

from typing import Annotated, Literal, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, Field

from sensorcast_common.clock import UtcDatetime
from sensorcast_forecaster.boosting.validation import Score


class ModelKey(NamedTuple):
    """Which series a model serves.

    Attributes:
        tenant: Whose.
        metric: Which of them.
        step_seconds: Those with this step.
    """

    tenant: str
    metric: str
    step_seconds: int


class Validation(BaseModel):
    """`boosting.validation.Score` as it is stored."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    relative_loss: float
    windows: list[float]
    coverage: float
    origins: int
    series: int

    @classmethod
    def of(cls, score: Score) -> Self:
        """Of a score, in four digits."""
        return cls(
            relative_loss=round(score.relative_loss, 4),
            windows=[round(window, 4) for window in score.windows],
            coverage=round(score.coverage, 4),
            origins=score.origins,
            series=score.series,
        )


class ModelRecord(BaseModel):
    """One trained model.

    Attributes:
        schema_version: Of this record.
        model_id: Sorts by the time of training.
        tenant: Whose series it serves.
        metric: Which of them.
        step_seconds: Those with this step.
        horizon: Steps ahead.
        trained_from: First reading that it learnt from.
        trained_to: Last reading that it learnt from.
        validated_to: End of the windows in which it was judged: the time as of which it was trained.
        rows: Rows it learnt from.
        code_version: Version of the forecaster that trained it.
        parent: Model that was in use meanwhile.
        parent_validation: How that one did in the same windows.
        validation: How this one did.
        artefact: Key in the bucket of models.
        sha256: Of the artefact.
        promoted: Whether it took over.
        reason: Why, or why not.
        unhealthy: Why it is not to be used although it was promoted; absent where it may be.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    schema_version: Literal[1] = 1
    model_id: str
    tenant: str
    metric: str
    step_seconds: Annotated[int, Field(gt=0)]
    horizon: Annotated[int, Field(gt=0)]
    trained_from: UtcDatetime
    trained_to: UtcDatetime
    validated_to: UtcDatetime
    rows: int
    code_version: str
    parent: str | None = None
    parent_validation: Validation | None = None
    validation: Validation
    artefact: str
    sha256: str
    promoted: bool
    reason: str
    unhealthy: str | None = None

    @property
    def key(self) -> ModelKey:
        """Which series it serves."""
        return ModelKey(self.tenant, self.metric, self.step_seconds)


class Decision(NamedTuple):
    """Whether a model takes over.

    Attributes:
        promoted: Whether it does.
        reason: Why, for people and metrics: `first`, `no worse`, `worse` or `worse than last value`.
    """

    promoted: bool
    reason: str


def decide(candidate: Score, in_use: Score | None) -> Decision:
    """Promote a model that is no worse than the one in use and better than last value.

    Args:
        candidate: Of the new model.
        in_use: Of the other, over the same windows of the same series; `None` where there is none that works.
    """
    if candidate.relative_loss >= 1:
        return Decision(promoted=False, reason="worse than last value")
    if in_use is None:
        return Decision(promoted=True, reason="first")
    if candidate.relative_loss > in_use.relative_loss:
        return Decision(promoted=False, reason="worse")
    return Decision(promoted=True, reason="no worse")
