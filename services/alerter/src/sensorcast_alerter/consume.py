"""Takes messages from the queue `watch`: reading batches and forecast batches."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from sensorcast_alerter.metrics import AlerterMetrics
from sensorcast_common import batch, forecast
from sensorcast_common.batch import ReadingBatch
from sensorcast_common.envelope import Envelope
from sensorcast_common.errors import Poison
from sensorcast_common.forecast import Forecast, ForecastBatch
from sensorcast_common.reading import Reading
from sensorcast_rules.watchroom import Watchroom

Rejects = dict[int | str, BaseException]
"""Which messages can never be handled, by place, and why."""


@dataclass(slots=True)
class Found:
    """What messages hold.

    Attributes:
        readings: In the order of receipt.
        forecasts: Each with when it was published, in milliseconds.
    """

    readings: list[Reading] = field(default_factory=list)
    forecasts: list[tuple[Forecast, int]] = field(default_factory=list)

    def add(self, envelope: Envelope) -> None:
        """Open a message.

        Raises:
            Poison: It is not a batch of a known kind and version.
        """
        if envelope.kind == batch.KIND:
            self.readings += ReadingBatch.decode(envelope).readings
        elif envelope.kind == forecast.KIND:
            self.forecasts += [(each, envelope.created_at) for each in ForecastBatch.decode(envelope).forecasts]
        else:
            raise Poison(f"kind: {envelope.kind!r} is neither {batch.KIND!r} nor {forecast.KIND!r}")


class Intake:
    """Opens messages and passes on what they hold, several at once.

    Args:
        watchroom: Who looks at it.
        metrics: Counts.
    """

    def __init__(self, *, watchroom: Watchroom, metrics: AlerterMetrics) -> None:
        self._watchroom = watchroom
        self._metrics = metrics

    async def take(self, messages: Sequence[str]) -> Rejects:
        """Handle messages; returns once every transition that they lead to is stored.

        Returns:
            The messages that are not what they should be. The others are handled.

        Raises:
            Exception: A transition could not be stored; all messages may be handed in again.
        """
        rejects: Rejects = {}
        found = Found()
        for at, text in enumerate(messages):
            try:
                found.add(Envelope.parse(text))
            except Poison as poison:
                rejects[at] = poison
        await self._watchroom.take(found.readings, found.forecasts)
        self._metrics.readings.inc(len(found.readings))
        self._metrics.forecasts.inc(len(found.forecasts))
        return rejects
