"""What an engine elsewhere says of a series, and the port by which it is asked."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from sensorcast_forecaster.window import SeriesWindow, Values


class EngineAway(Exception):  # noqa: N818 - says what is the matter
    """The engine does not work now; the message says why, for people and for the label of the fallback."""


@dataclass(frozen=True, slots=True, eq=False)
class Quantiles:
    """Quantiles of each of the next steps of a series.

    Attributes:
        model: Which model said so, without the engine's name: an endpoint, a predictor.
        trained: When that model was trained, as it stands after `@`; empty where it was not trained on these series.
        trained_at: The same in milliseconds since 1970 UTC; `None` where nobody told.
        trained_from: First reading that it rests on, in milliseconds since 1970 UTC.
        trained_to: Last reading that it rests on.
        levels: Ascending, within (0, 1); 0.1, 0.5 and 0.9 are among them.
        values: Shape (levels, horizon), the first step being the one after the window.
    """

    model: str
    trained: str
    trained_at: int | None
    trained_from: int
    trained_to: int
    levels: tuple[float, ...]
    values: Values


class QuantileSource(Protocol):
    """An engine elsewhere.

    Attributes:
        name: With a version: `sagemaker/1`.
    """

    @property
    def name(self) -> str:
        """Stands first in the model of its forecasts."""
        ...

    async def ask(self, windows: Sequence[SeriesWindow], *, horizon_seconds: int) -> list[Quantiles | str]:
        """Ask for every series.

        Args:
            windows: The series.
            horizon_seconds: How far ahead; rounded up to a whole step.

        Returns:
            One answer per window, in their order; a sentence says why there is none.

        Raises:
            EngineAway: It does not work at all now.
        """
        ...
