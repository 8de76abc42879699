"""Takes messages from the queue `watch`: reading batches and forecast batches."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from sensorcast_alerter.metrics import AlerterMetrics
from sensorcast_alerter.traced import Origins
from sensorcast_common import batch, forecast
from sensorcast_common.batch import ReadingBatch
from sensorcast_common.envelope import Envelope
from sensorcast_common.errors import Poison
from sensorcast_common.forecast import Forecast, ForecastBatch
from sensorcast_common.reading import Reading
from sensorcast_common.tracing import is_sampled
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
        origins: Remembers by which trace the messages at hand came; `None` where nothing is traced.
    """

    def __init__(self, *, watchroom: Watchroom, metrics: AlerterMetrics, origins: Origins | None = None) -> None:
        self._watchroom = watchroom
        self._metrics = metrics
        self._origins = origins

    async def take(self, messages: Sequence[str], *, traces: Sequence[object] = ()) -> Rejects:
        """Handle messages, one call at a time; returns once every transition that they lead to is stored.

        Args:
            messages: Their texts.
            traces: The header `traceparent` of each, as it came; needed where traces are followed.

        Returns:
            The messages that are not what they should be. The others are handled.

        Raises:
            Exception: A transition could not be stored; all messages may be handed in again.
        """
        rejects: Rejects = {}
        found = Found()
        origins = self._origins
        for at, text in enumerate(messages):
            readings, forecasts = len(found.readings), len(found.forecasts)
            try:
                found.add(Envelope.parse(text))
            except Poison as poison:
                rejects[at] = poison
            if origins is not None and is_sampled(traces[at]):
                origins.note(
                    str(traces[at]),
                    readings=found.readings[readings:],
                    forecasts=[each for each, _ in found.forecasts[forecasts:]],
                )
        try:
            await self._watchroom.take(found.readings, found.forecasts)
        finally:
            if origins is not None:
                origins.forget()
        self._metrics.readings.inc(len(found.readings))
        self._metrics.forecasts.inc(len(found.forecasts))
        return rejects
