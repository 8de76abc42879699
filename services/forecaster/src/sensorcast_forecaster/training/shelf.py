"""The promoted models in this process's memory, looked up every few minutes, and the engine that is given them."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from botocore.exceptions import BotoCoreError, ClientError
from pydantic import ValidationError

from sensorcast_common import logs
from sensorcast_common.clock import Clock, to_millis
from sensorcast_common.forecast import Forecast
from sensorcast_forecaster.boosting.booster import UnreadableArtefact, loads
from sensorcast_forecaster.boosting.member import Loaded, Models
from sensorcast_forecaster.engine import Engine
from sensorcast_forecaster.training.record import ModelKey, ModelRecord
from sensorcast_forecaster.training.registry import ArtefactMissing
from sensorcast_forecaster.window import Refused, SeriesWindow

_DAY_MS: Final = 86_400_000
_MOST: Final = 32
"""Models in memory, some 3 MB each; series of tenants beyond that keep their own blend."""

log = logs.logger(__name__)


class Promoted(Protocol):
    """The port to the promoted models; `registry.ModelRegistry` is one."""

    async def all_in_use(self, tenant: str) -> list[ModelRecord]:
        """The promoted models of a tenant."""
        ...

    async def artefact(self, record: ModelRecord) -> bytes:
        """The artefact of a model."""
        ...


@dataclass(frozen=True, slots=True)
class _Held:
    record: ModelRecord
    model: Loaded | str


class ModelShelf(Models):
    """Promoted models, by the series they serve.

    Args:
        registry: Where they come from.
        max_age_days: A model validated longer ago than this is not used.
        refresh_seconds: How often a tenant's models are looked up.
        clock: The present.
    """

    def __init__(self, registry: Promoted, *, max_age_days: float, refresh_seconds: float, clock: Clock) -> None:
        self._registry = registry
        self._max_age = round(max_age_days * _DAY_MS)
        self._refresh = round(refresh_seconds * 1000)
        self._clock = clock
        self._held: dict[ModelKey, _Held] = {}
        self._looked: dict[str, int] = {}
        self._busy = asyncio.Lock()

    def find(self, tenant: str, metric: str, *, step_seconds: int, horizon: int, now: int) -> Loaded | str | None:
        """The model for a series; why the promoted one cannot be used; or `None` where none was promoted."""
        held = self._held.get(ModelKey(tenant, metric, step_seconds))
        if held is None or isinstance(held.model, str):
            return None if held is None else held.model
        if held.record.unhealthy is not None:
            return f"boosted model is out of use: {held.record.unhealthy}"
        age = now - to_millis(held.record.validated_to)
        if age > self._max_age:
            return f"boosted model is stale: validated {age // _DAY_MS} days ago"
        if held.record.horizon != horizon:
            return f"boosted model has a horizon of {held.record.horizon} steps"
        return held.model

    async def refresh(self, tenants: Sequence[str]) -> None:
        """Look up the models of tenants, where that is due.

        What cannot be looked up now is left as it was: models grow stale by themselves.
        """
        async with self._busy:
            now = self._clock()
            for tenant in tenants:
                if now - self._looked.get(tenant, -self._refresh) < self._refresh:
                    continue
                self._looked[tenant] = now
                try:
                    records = await self._registry.all_in_use(tenant)
                except (BotoCoreError, ClientError, ValidationError) as error:
                    log.warning("models not looked up", tenant=tenant, error=str(error))
                    continue
                for record in records:
                    await self._hold(record)

    async def _hold(self, record: ModelRecord) -> None:
        held = self._held.get(record.key)
        if held is not None and held.record.model_id == record.model_id and isinstance(held.model, Loaded):
            self._held[record.key] = _Held(record, held.model)
            return
        if held is None and len(self._held) >= _MOST:
            log.warning("model not loaded", reason="memory", tenant=record.tenant, model=record.model_id)
            return
        try:
            booster = await asyncio.to_thread(loads, await self._registry.artefact(record))
        except (ArtefactMissing, UnreadableArtefact, BotoCoreError, ClientError) as error:
            log.warning("model not loaded", tenant=record.tenant, model=record.model_id, error=str(error))
            if held is None or isinstance(held.model, str):
                self._held[record.key] = _Held(record, f"boosted model cannot be loaded: {type(error).__name__}")
            return
        loaded = Loaded(record.model_id, booster, to_millis(record.trained_from), to_millis(record.validated_to))
        self._held[record.key] = _Held(record, loaded)
        log.info("model loaded", tenant=record.tenant, metric=record.metric, model=record.model_id)


@dataclass(frozen=True, slots=True)
class ShelvedEngine(Engine):
    """An engine whose models are looked up before it is asked.

    Attributes:
        shelf: To be looked up.
        engine: Who forecasts, from the same shelf.
    """

    shelf: ModelShelf
    engine: Engine

    async def forecast(
        self, windows: Sequence[SeriesWindow], *, horizon_seconds: int, known_at: int
    ) -> list[Forecast | Refused]:
        """Forecast every series; see `Engine`."""
        await self.shelf.refresh(sorted({window.series.tenant for window in windows}))
        return await self.engine.forecast(windows, horizon_seconds=horizon_seconds, known_at=known_at)
