"""Whether a service is alive (restart it if not) and ready (send it work if so)."""

import time
from collections.abc import Awaitable, Callable

ReadyCheck = Callable[[], Awaitable[None]]
"""Returns when the dependency answers, raises when it does not."""


class Heartbeat:
    """Tells whether something that should happen again and again still does.

    Args:
        max_age: Seconds after which a beat is too old.
        monotonic: Seconds on a clock that never goes back.
    """

    def __init__(self, *, max_age: float, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.max_age = max_age
        self._monotonic = monotonic
        self._last = monotonic()

    def beat(self) -> None:
        """It happened just now."""
        self._last = self._monotonic()

    @property
    def age(self) -> float:
        """Seconds since the last beat."""
        return self._monotonic() - self._last

    @property
    def fresh(self) -> bool:
        """Whether the last beat is recent."""
        return self.age <= self.max_age


class Health:
    """What /healthz and /readyz ask."""

    def __init__(self) -> None:
        self._heartbeats: dict[str, Heartbeat] = {}
        self._ready: dict[str, ReadyCheck] = {}
        self.starting = False
        self.stopping = False

    def alive(self, name: str, heartbeat: Heartbeat) -> Heartbeat:
        """The service is alive only while `heartbeat` is fresh."""
        self._heartbeats[name] = heartbeat
        return heartbeat

    def ready(self, name: str, check: ReadyCheck) -> None:
        """The service is ready only while `check` returns."""
        self._ready[name] = check

    def dead(self) -> dict[str, str]:
        """The loops that no longer turn, with the reason; empty when alive."""
        return {
            name: f"last beat {beat.age:.0f} s ago, allowed {beat.max_age:.0f} s"
            for name, beat in self._heartbeats.items()
            if not beat.fresh
        }

    async def unready(self) -> dict[str, str]:
        """The dependencies that do not answer, with the reason; empty when ready."""
        if self.starting or self.stopping:
            return {"service": "starting" if self.starting else "stopping"}
        problems: dict[str, str] = {}
        for name, check in self._ready.items():
            try:
                await check()
            except Exception as error:  # noqa: BLE001 - whatever a dependency raises is why we are not ready
                problems[name] = f"{type(error).__name__}: {error}"
        return problems
