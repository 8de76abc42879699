"""A SageMaker endpoint with the Chronos contract, asked for a batch of series at a time."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from botocore.exceptions import BotoCoreError, ClientError

from sensorcast_common.tables.at_once import at_once
from sensorcast_forecaster.engines import chronos
from sensorcast_forecaster.engines.quantiles import EngineAway, Quantiles, QuantileSource
from sensorcast_forecaster.window import SeriesWindow

if TYPE_CHECKING:
    from types_aiobotocore_sagemaker_runtime import SageMakerRuntimeClient

NAME: Final = "sagemaker/1"

_REQUESTS_AT_ONCE: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class SageMakerSource(QuantileSource):
    """Asks an endpoint.

    Attributes:
        client: An open client.
        endpoint: Its name.
        series_per_request: At most; the endpoint allows 1000, its memory may allow fewer.
        context_steps: Past that is sent of each series; Chronos-Bolt looks at 2048 values, Chronos-2 at 8192.
    """

    client: "SageMakerRuntimeClient"
    endpoint: str
    series_per_request: int = 64
    context_steps: int = 2048

    @property
    def name(self) -> str:
        """Engine and version."""
        return NAME

    async def ask(self, windows: Sequence[SeriesWindow], *, horizon_seconds: int) -> list[Quantiles | str]:
        """Quantiles of every series; see `QuantileSource`."""
        groups: dict[int, list[int]] = {}
        for at, window in enumerate(windows):
            groups.setdefault(math.ceil(horizon_seconds / window.step_seconds), []).append(at)
        batches = [
            (steps, of_steps[first : first + self.series_per_request])
            for steps, of_steps in groups.items()
            for first in range(0, len(of_steps), self.series_per_request)
        ]
        answered = await at_once(
            lambda batch: self._batch([windows[at] for at in batch[1]], batch[0]), batches, limit=_REQUESTS_AT_ONCE
        )
        by_place = {
            at: each
            for (_, places), answer in zip(batches, answered, strict=True)
            for at, each in zip(places, answer, strict=True)
        }
        return [by_place[at] for at in range(len(windows))]

    async def _batch(self, windows: Sequence[SeriesWindow], steps: int) -> Sequence[Quantiles | str]:
        """A request fails as a whole, and takes no other along."""
        if steps > chronos.MOST_STEPS:
            return [f"{steps} steps ahead, at most {chronos.MOST_STEPS} are allowed"] * len(windows)
        targets = [chronos.context(window.values, most=self.context_steps) for window in windows]
        try:
            body = await self._invoke(chronos.request(targets, steps=steps))
            said = chronos.answers(body, series=len(windows), steps=steps)
        except (EngineAway, chronos.NotTheContract) as error:
            return [f"{self.endpoint}: {error}"] * len(windows)
        return [
            Quantiles(
                model=self.endpoint,
                trained="",
                trained_at=None,
                trained_from=window.end - (len(target) - 1) * window.step_seconds * 1000,
                trained_to=window.end,
                levels=chronos.LEVELS,
                values=values,
            )
            for window, target, values in zip(windows, targets, said, strict=True)
        ]

    async def _invoke(self, body: str) -> bytes:
        try:
            answer = await self.client.invoke_endpoint(
                EndpointName=self.endpoint, ContentType="application/json", Accept="application/json", Body=body
            )
            async with answer["Body"] as stream:
                return await stream.read()
        except ClientError as error:
            raise EngineAway(error.response["Error"]["Code"]) from error
        except (BotoCoreError, OSError) as error:
            raise EngineAway(type(error).__name__) from error
