"""What the routes work with, handed to them by FastAPI from the application's state."""

import asyncio
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends, Request

from sensorcast_api.credentials import AnyCredential
from sensorcast_api.dashboards import Embedding
from sensorcast_api.history.past import Past
from sensorcast_api.metrics import ApiMetrics
from sensorcast_api.ports import Resend, Stores
from sensorcast_api.rates import Rates
from sensorcast_api.stream.hub import Hub
from sensorcast_api.stream.subscriptions import Subscriptions
from sensorcast_common.clock import Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds of one answer and one stream.

    Attributes:
        range_seconds: Longest range of one readings request.
        stream_devices: Devices that a stream may name.
        stream_fleet: Devices that a tenant may have for a stream of all of them.
        streams: Streams that this process serves.
        streams_per_key: Streams that one key may have open.
        queue: Events that wait for a slow client before the oldest are dropped.
        heartbeat_seconds: Silence after which a heartbeat is sent.
        resume_seconds: How far back `Last-Event-ID` may reach.
        resume_devices: Devices a stream may watch and still be resumed.
        settle_seconds: How long the hot store may lag behind MQTT.
        answer_seconds: How long an answer is given again to those who ask the same.
        rehearsal_days: Longest range of a dry run.
        rehearsal_readings: Readings that one may replay.
        rehearsal_seconds: How long one may take.
    """

    range_seconds: int = 7 * 86_400
    stream_devices: int = 100
    stream_fleet: int = 2_000
    streams: int = 1_000
    streams_per_key: int = 20
    queue: int = 1_000
    heartbeat_seconds: float = 15.0
    resume_seconds: float = 900.0
    resume_devices: int = 200
    settle_seconds: float = 20.0
    answer_seconds: float = 0.0
    rehearsal_days: int = 366
    rehearsal_readings: int = 1_000_000
    rehearsal_seconds: float = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """Everything a route may use; `past` is `None` where there is no lake, `dashboards` without QuickSight.

    Dry runs take all of a core while they last, so `rehearsing` lets one in at a time.
    """

    stores: Stores
    resend: Resend
    credentials: AnyCredential
    rates: Rates
    hub: Hub
    subscriptions: Subscriptions
    metrics: ApiMetrics
    clock: Clock
    limits: Limits = field(default_factory=Limits)
    past: Past | None = None
    dashboards: Embedding | None = None
    rehearsing: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(1))


async def _services(request: Request) -> Services:
    # A coroutine, since FastAPI hands plain functions to a thread, which costs more than they do.
    found = request.app.state.services
    if not isinstance(found, Services):
        raise TypeError("app.state.services: not wired")
    return found


Wired = Annotated[Services, Depends(_services)]
"""A route's parameter that receives the services."""
