"""Puts together what is known of each device: its last value and hour, its risk, its open incident."""

from collections.abc import Mapping, Sequence
from typing import Final

from pydantic import BaseModel

from sensorcast_api.fleet.briefly import Briefly
from sensorcast_api.fleet.sparklines import Glance, Sparkline, Sparklines
from sensorcast_api.ports import Stores
from sensorcast_common.clock import Clock, UtcDatetime, from_millis, to_millis
from sensorcast_common.device import Device
from sensorcast_common.forecast import Forecast, LimitRisk
from sensorcast_common.incident import LIVE_STATES, Basis, Incident
from sensorcast_common.reading import SeriesKey
from sensorcast_common.rule import Rule
from sensorcast_common.tables.at_once import at_once

FAMILIAR: Final = "temperature"
"""Shown of a device that no rule watches, where it measures it."""

_AT_ONCE: Final = 16
_INCIDENT_PAGE: Final = 200
_MAX_INCIDENTS: Final = 2_000
_FRESH_MS: Final = 3_600_000
"""A forecast that was known before this says nothing about the next hour."""


class FleetRisk(LimitRisk):
    """The greatest risk of a device, as the newest forecast of the series has it.

    Attributes:
        metric: Whose forecast.
        known_at: When the forecast was made.
    """

    metric: str
    known_at: UtcDatetime


class FleetDevice(BaseModel):
    """A device at a glance.

    Attributes:
        device: Its name in topics.
        name: What people call it; null where nobody has named it.
        labels: What people sort it by.
        metric: What is shown of it: where it has an incident or the greatest risk, else what a rule watches.
        unit: SenML unit of the values.
        value: The latest value.
        ts: When it was measured.
        last_seen: When anything of the device was last measured or received.
        sparkline: The last hour.
        risk: Of leaving a limit within the horizon; null where no forecast says anything.
        incident: The most urgent one that is open.
    """

    device: str
    name: str | None = None
    labels: dict[str, str]
    metric: str
    unit: str
    value: float
    ts: UtcDatetime
    last_seen: UtcDatetime
    sparkline: Sparkline
    risk: FleetRisk | None = None
    incident: Incident | None = None


class FleetOverview:
    """Looks at devices; what is the same for all who look at once is read once.

    Args:
        stores: The stores.
        clock: The present.
    """

    def __init__(self, stores: Stores, *, clock: Clock) -> None:
        self._stores = stores
        self._clock = clock
        self._sparklines = Sparklines(stores.readings)
        self._glances = Briefly(self._glance, seconds=4.0, capacity=10_000)
        self._forecasts = Briefly(stores.forecasts.latest, seconds=15.0, capacity=20_000)
        self._rules = Briefly(stores.rules.list, seconds=10.0, capacity=1_000)
        self._incidents = Briefly(self._open_incidents, seconds=2.0, capacity=1_000)

    async def look(self, tenant: str, devices: Sequence[Device]) -> list[FleetDevice]:
        """The devices at a glance, in their order; one that has no metric yet is left out."""
        rules = await self._rules.get(tenant)
        incidents = await self._incidents.get(tenant)

        async def one(device: Device) -> FleetDevice:
            return await self._device(device, rules, incidents.get(device.device))

        return await at_once(one, [device for device in devices if device.metrics], limit=_AT_ONCE)

    async def _device(self, device: Device, rules: Sequence[Rule], incident: Incident | None) -> FleetDevice:
        series = [SeriesKey(device.tenant, device.device, metric) for metric in sorted(device.metrics)]
        watched = [key for key in series if any(rule.applies_to(key, device.labels) for rule in rules)]
        forecasts = [forecast for key in watched if (forecast := await self._forecasts.get(key)) is not None]
        risk = greatest_risk(forecasts, now=self._clock())
        metric = _shown(device, [key.metric for key in watched], risk, incident)
        glance = await self._glances.get(SeriesKey(device.tenant, device.device, metric))
        state = device.metrics[metric]
        value, ts = state.last_value, to_millis(state.last_ts)
        if glance.last_ts is not None and glance.last_ts >= ts:
            value, ts = glance.last_value, glance.last_ts
        return FleetDevice(
            device=device.device,
            name=device.name,
            labels=device.labels,
            metric=metric,
            unit=state.unit,
            value=value,
            ts=from_millis(ts),
            last_seen=from_millis(max(to_millis(device.last_seen), glance.device_ts or 0)),
            sparkline=glance.sparkline(self._clock()),
            risk=risk,
            incident=incident,
        )

    async def _glance(self, series: SeriesKey) -> Glance:
        return await self._sparklines.look(series, now=self._clock())

    async def _open_incidents(self, tenant: str) -> Mapping[str, Incident]:
        """By device the most urgent open incident."""
        urgent: dict[str, Incident] = {}
        cursor: str | None = None
        seen = 0
        while seen < _MAX_INCIDENTS:
            page, cursor = await self._stores.incidents.list(
                tenant, states=LIVE_STATES, limit=_INCIDENT_PAGE, cursor=cursor
            )
            seen += len(page)
            for incident in page:
                before = urgent.get(incident.device)
                if before is None or _urgency(incident) > _urgency(before):
                    urgent[incident.device] = incident
            if cursor is None:
                break
        return urgent


def greatest_risk(forecasts: Sequence[Forecast], *, now: int) -> FleetRisk | None:
    """The most probable breach of the forecasts that are not older than their horizon, `None` where there is none."""
    risks = [
        FleetRisk(**risk.model_dump(), metric=forecast.metric, known_at=forecast.known_at)
        for forecast in forecasts
        if now - to_millis(forecast.known_at) < _FRESH_MS
        for risk in forecast.risks
    ]
    return max(risks, key=lambda risk: risk.probability, default=None)


def _shown(device: Device, watched: Sequence[str], risk: FleetRisk | None, incident: Incident | None) -> str:
    wanted = [incident.metric if incident else None, risk.metric if risk else None, *watched, FAMILIAR]
    return next((metric for metric in wanted if metric in device.metrics), min(device.metrics))


def _urgency(incident: Incident) -> tuple[bool, int, float]:
    severity = ("info", "warning", "critical").index(incident.severity)
    return incident.basis is Basis.OBSERVED, severity, incident.probability or 0.0
