"""The spans of the alerter between the queue and the channels.

What is stored is stored with its place in the trace: whoever sends a notice, perhaps another process after a crash,
goes on from there.
"""

from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Self

from opentelemetry.trace import INVALID_SPAN, Span, SpanKind, Status, StatusCode, use_span

from sensorcast_alerter.notify.message import Errand
from sensorcast_common.clock import to_millis
from sensorcast_common.forecast import Forecast
from sensorcast_common.incident import Incident, IncidentEntry
from sensorcast_common.notice import Notice
from sensorcast_common.reading import Reading
from sensorcast_common.stored_incident import StoredIncident
from sensorcast_common.tracing import Tracing, traceparent_of
from sensorcast_rules.ports import Incidents


class Origins:
    """By which recorded trace the observations came that are being looked at."""

    def __init__(self) -> None:
        self._readings: dict[tuple[str, str, str, int], str] = {}
        self._forecasts: dict[tuple[str, str, str, int], str] = {}

    def note(self, trace: str, *, readings: Iterable[Reading] = (), forecasts: Iterable[Forecast] = ()) -> None:
        """These came by `trace`."""
        for reading in readings:
            self._readings[*reading[:3], reading.ts] = trace
        for forecast in forecasts:
            self._forecasts[*forecast.series, to_millis(forecast.known_at)] = trace

    def of(self, incident: Incident) -> str | None:
        """The trace of the observation that an incident now rests on."""
        series = incident.series
        found = None
        if incident.as_of is not None:
            found = self._readings.get((*series, to_millis(incident.as_of)))
        if found is None and incident.forecast_known_at is not None:
            found = self._forecasts.get((*series, to_millis(incident.forecast_known_at)))
        return found

    def forget(self) -> None:
        """They have been looked at."""
        self._readings.clear()
        self._forecasts.clear()


class TracedIncidents(Incidents):
    """Stores incidents within spans, and their notices with the place in the trace.

    What time alone brings goes on in the trace of the incident's earlier notices, and begins none.

    Args:
        incidents: Where incidents are kept.
        origins: Of the observations.
        tracing: Starts the spans.
    """

    def __init__(self, incidents: Incidents, *, origins: Origins, tracing: Tracing) -> None:
        self._incidents = incidents
        self._origins = origins
        self._tracing = tracing

    def live(self) -> AsyncIterator[StoredIncident]:
        """As of the table."""
        return self._incidents.live()

    async def load(self, tenant: str, incident_id: str) -> StoredIncident | None:
        """As of the table."""
        return await self._incidents.load(tenant, incident_id)

    async def recent(self, tenant: str, since_id: str) -> Sequence[StoredIncident]:
        """As of the table."""
        return await self._incidents.recent(tenant, since_id)

    async def add_over(self, incident: Incident, *, entry: IncidentEntry) -> bool:
        """As of the table; nobody is told, so there is nothing to follow."""
        return await self._incidents.add_over(incident, entry=entry)

    async def open(
        self,
        incident: Incident,
        notices: Sequence[Notice] = (),
        *,
        entry: IncidentEntry | None = None,
        revised: bool = False,
    ) -> StoredIncident:
        """Store a new incident within a span."""
        with _Step(self._tracing, incident, entry, self._origins.of(incident)) as step:
            return await self._incidents.open(incident, step.on(notices), entry=entry, revised=revised)

    async def change(
        self,
        before: StoredIncident,
        after: Incident,
        notices: Sequence[Notice] = (),
        *,
        entry: IncidentEntry | None = None,
    ) -> StoredIncident:
        """Store the next state of an incident within a span."""
        with _Step(self._tracing, after, entry, self._origins.of(after), earlier=trace_of(before)) as step:
            return await self._incidents.change(before, after, step.on(notices), entry=entry)


class _Step:
    """One transition."""

    def __init__(
        self,
        tracing: Tracing,
        incident: Incident,
        entry: IncidentEntry | None,
        origin: str | None,
        *,
        earlier: str | None = None,
    ) -> None:
        self._span = None
        if origin is not None or (earlier is not None and entry is not None):
            self._span = tracing.start(
                f"incident {entry.transition if entry else 'updated'}",
                parent=origin or earlier,
                links=[earlier] if earlier else [],
                attributes={
                    "sensorcast.tenant": incident.tenant,
                    "sensorcast.incident_id": incident.incident_id,
                    "sensorcast.rule": incident.rule_id,
                    "sensorcast.device": incident.device,
                    "sensorcast.metric": incident.metric,
                    "sensorcast.basis": incident.basis,
                },
            )

    def on(self, notices: Sequence[Notice]) -> Sequence[Notice]:
        """The notices, which go on from here."""
        if self._span is None:
            return notices
        trace = traceparent_of(self._span)
        return [notice.model_copy(update={"trace": trace}) for notice in notices]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if self._span is None:
            return
        if kind is not None:
            self._span.set_attribute("error.type", kind.__qualname__)
            self._span.set_status(Status(StatusCode.ERROR))
        self._span.end()


def trace_of(stored: StoredIncident) -> str | None:
    """The trace in which an incident was first told of."""
    return next((notice.trace for notice in stored.outbox.values() if notice.trace is not None), None)


@contextmanager
def sending(tracing: Tracing, errands: Sequence[Errand]) -> Iterator[Span]:
    """A span for one message to a channel, where the transition that it tells of is recorded.

    It goes on from the first recorded one, and links to those of the other incidents that it tells of.
    """
    incident, notice = errands[0]
    traces = list(dict.fromkeys(each.trace for _, each in errands if each.trace is not None))
    if not traces:
        yield INVALID_SPAN
        return
    span = tracing.start(
        f"send {notice.channel}",
        parent=traces[0],
        kind=SpanKind.PRODUCER,
        links=traces[1:],
        attributes={
            "messaging.operation.name": "send",
            "messaging.operation.type": "send",
            "sensorcast.channel": notice.channel,
            "sensorcast.occasion": notice.occasion,
            "sensorcast.tenant": incident.tenant,
            "sensorcast.incident_id": incident.incident_id,
            "sensorcast.incidents": len(errands),
            "sensorcast.attempt": notice.attempts + 1,
        },
    )
    with use_span(span, end_on_exit=True, record_exception=False):
        yield span
