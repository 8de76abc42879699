"""What the API needs of the hot store."""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol


class Series(Protocol):
    """One metric's readings: `ts` in milliseconds since 1970 UTC, ascending and unique, with a value each."""

    @property
    def ts(self) -> Sequence[int]:
        """Times."""
        ...

    @property
    def value(self) -> Sequence[float]:
        """Values, as many as times."""
        ...

    @property
    def unit(self) -> str:
        """SenML unit of all values."""
        ...


class Readings(Protocol):
    """The hot store."""

    async def read(
        self, tenant: str, device: str, *, start: int, end: int, metrics: Collection[str] | None = None
    ) -> Mapping[str, Series]:
        """Readings of a device with `start` <= ts < `end`, by metric."""
        ...
