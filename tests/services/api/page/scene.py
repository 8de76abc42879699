"""A small fleet at the present: one truck is fine, one is about to be too warm, one is silent."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from tests.services.api.fakes import World, served
from tests.services.api.test_history import FakeLake

from sensorcast_api import examples
from sensorcast_api.asgi import make_app
from sensorcast_api.history.past import Past
from sensorcast_api.services import Limits
from sensorcast_common.clock import from_millis, system_clock
from sensorcast_common.device import MetricState
from sensorcast_common.incident import Basis, IncidentState
from sensorcast_common.tables.api_keys import Role

MINUTE = 60_000
HOUR = 60 * MINUTE
INCIDENT = "019a0c2e-5f2b-7c3d-9e4f-0123456789ab"
MESSAGE = "CRITICAL Chilled goods: truck-2 temperature now 7.1 C, 82% likely above limit 8 C"
LABELS = {"site": "north"}


@dataclass(slots=True)
class Scene:
    """A world as a browser sees it.

    Attributes:
        world: What is served.
        address: Where.
    """

    world: World
    address: str

    def link(self, role: Role = Role.OPERATOR, path: str = "/") -> str:
        """A link that signs in."""
        return f"{self.address}{path}#key={self.world.keys.make('acme', role, expires_at=self.world.now + 24 * HOUR)}"


def present_world(limits: Limits | None = None) -> World:
    """A world whose clock stands at the present."""
    world = World(now=system_clock(), limits=limits or Limits())
    world.devices.items.clear()
    for name in ("truck-1", "truck-2"):
        put_device(world, name, last_ts=world.now - 5_000)
    put_device(world, "truck-3", last_ts=world.now - 3 * HOUR)
    world.rules.items["acme", "too-warm"] = examples.RULE.model_copy(update={"tenant": "acme"})
    for minute in range(120):
        ts = world.now - minute * MINUTE - 5_000
        world.readings.put("acme", "truck-1", ts, 4.0 + (minute % 12) * 0.1)
        world.readings.put("acme", "truck-1", ts, 60.0 + minute % 7, metric="humidity")
        world.readings.put("acme", "truck-2", ts, 7.1 - minute * 0.03)
    for name, risk in (("truck-1", 0.02), ("truck-2", 0.82)):
        put_forecast(world, name, known_at=world.now - MINUTE, probability=risk)
    put_incident(world)
    return world


class _NothingSunk:
    """Tells that the lake has no more than what is older than a year."""

    async def lowest(self, *, now: int) -> int | None:
        return now - 400 * 24 * HOUR


def with_past(world: World) -> World:
    """Give a world a past: all its readings, however old, as history."""
    past = Past(lake=FakeLake(), hot=world.readings, watermarks=_NothingSunk(), clock=lambda: world.now)
    world.services = replace(world.services, past=past)
    world.app = make_app(world.services)
    return world


def put_device(world: World, name: str, *, last_ts: int) -> None:
    """Add a device that was last heard of at `last_ts`."""
    metrics = {
        "temperature": MetricState(unit="Cel", last_ts=from_millis(last_ts), last_value=4.0),
        "humidity": MetricState(unit="%RH", last_ts=from_millis(last_ts), last_value=60.0),
    }
    world.devices.items["acme", name] = examples.DEVICE.model_copy(
        update={
            "tenant": "acme",
            "device": name,
            "name": None,
            "labels": LABELS,
            "metrics": metrics,
            "first_seen": from_millis(last_ts - 24 * HOUR),
            "last_seen": from_millis(last_ts),
        }
    )


def put_forecast(world: World, name: str, *, known_at: int, probability: float) -> None:
    """Add a forecast of an hour that rises from 7 degrees."""
    risk = examples.FORECAST.risks[0].model_copy(
        update={"probability": probability, "expected_at": from_millis(known_at + 30 * MINUTE)}
    )
    world.forecasts.items.append(
        examples.FORECAST.model_copy(
            update={
                "tenant": "acme",
                "device": name,
                "known_at": from_millis(known_at),
                "start": from_millis(known_at + 5 * MINUTE),
                "q10": [6.8 + at * 0.1 for at in range(12)],
                "q50": [7.2 + at * 0.15 for at in range(12)],
                "q90": [7.6 + at * 0.2 for at in range(12)],
                "risks": [risk],
                "trained_from": from_millis(known_at - 24 * HOUR),
                "trained_to": from_millis(known_at),
            }
        )
    )


def put_incident(world: World, *, state: IncidentState = IncidentState.OPEN, basis: Basis = Basis.PREDICTED) -> None:
    """Add the incident of truck-2, or change it."""
    known_at = from_millis(world.now - MINUTE)
    world.incidents.items["acme", INCIDENT] = examples.INCIDENT.model_copy(
        update={
            "tenant": "acme",
            "incident_id": INCIDENT,
            "device": "truck-2",
            "state": state,
            "basis": basis,
            "opened_at": known_at,
            "forecast_known_at": known_at,
            "expected_at": from_millis(world.now + 30 * MINUTE),
            "expires_at": from_millis(world.now + 70 * MINUTE),
            "notified_at": known_at,
            "value": 7.1,
            "message": MESSAGE,
        }
    )


@asynccontextmanager
async def scene() -> AsyncIterator[Scene]:
    """The fleet behind a real server."""
    world = present_world()
    async with served(world) as address:
        yield Scene(world, address)
