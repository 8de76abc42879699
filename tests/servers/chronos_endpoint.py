"""A SageMaker endpoint that serves a model with the Chronos contract, refusing what the real one refuses.

It forecasts the last value, with quantiles of a normal distribution that widens with the square root of the steps.

Source: the API reference of InvokeEndpoint; the endpoint API in the deployment walkthroughs of Chronos-Bolt and
Chronos-2.
"""

import json
import math
from dataclasses import dataclass, field
from statistics import NormalDist
from types import TracebackType
from typing import Any, Self

from aiohttp import web

from sensorcast_local.command import LOOPBACK

Json = dict[str, Any]


@dataclass
class ChronosEndpoint:
    """Serves one endpoint; `async with` starts and ends it.

    Attributes:
        name: The endpoint's; others do not exist.
        spread: Standard deviation one step ahead.
        requests: Every body that it accepted.
        refusing: Error code that it answers every request with; `None` to work.
        endpoint_url: For an AWS client, once it is started.
    """

    name: str = "chronos-bolt"
    spread: float = 0.1
    requests: list[Json] = field(default_factory=list)
    refusing: str | None = None
    endpoint_url: str = ""
    _runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=6 * 1024 * 1024)
        app.router.add_post("/endpoints/{name}/invocations", self._invoke)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        site = web.TCPSite(self._runner, LOOPBACK, 0)
        await site.start()
        port = self._runner.addresses[0][1]
        self.endpoint_url = f"http://{LOOPBACK}:{port}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._runner is not None
        await self._runner.cleanup()

    async def _invoke(self, request: web.Request) -> web.Response:
        if self.refusing is not None:
            return _error(424, self.refusing, "the model failed")
        if request.match_info["name"] != self.name:
            return _error(400, "ValidationError", f"Endpoint {request.match_info['name']} of account not found.")
        if request.content_type != "application/json":
            return _error(415, "ModelError", f"content type {request.content_type}")
        body = json.loads(await request.text())
        problem = _problem(body)
        if problem is not None:
            return _error(424, "ModelError", problem)
        self.requests.append(body)
        return web.json_response({"predictions": [self._predict(each, body["parameters"]) for each in body["inputs"]]})

    def _predict(self, series: Json, parameters: Json) -> Json:
        steps = range(1, parameters["prediction_length"] + 1)
        last = series["target"][-1]
        levels = parameters.get("quantile_levels", [0.1, 0.5, 0.9])
        said = {
            str(level): [last + self.spread * math.sqrt(step) * NormalDist().inv_cdf(level) for step in steps]
            for level in levels
        }
        named = {"item_id": series["item_id"]} if "item_id" in series else {}
        return {"mean": [last for _ in steps], **said, **named}


def _problem(body: Json) -> str | None:
    """What the contract does not allow."""
    series, parameters = body.get("inputs"), body.get("parameters", {})
    if not isinstance(series, list) or not 1 <= len(series) <= 1000:
        return "inputs: 1 to 1000 series"
    ids = [each["item_id"] for each in series if "item_id" in each]
    if len(set(ids)) != len(ids) or len(ids) not in (0, len(series)):
        return "item_id: must be unique, and given for every series or none"
    for each in series:
        target = each.get("target")
        if not isinstance(target, list) or len(target) < 5:
            return "target: at least 5 observations"
        if not all(isinstance(value, int | float) and math.isfinite(value) for value in target):
            return "target: must be numeric"
        if ("start" in each) != ("freq" in parameters):
            return "start and freq: both or none"
    if not 1 <= parameters.get("prediction_length", 1) <= 1000:
        return "prediction_length: 1 to 1000"
    if not all(0 < level < 1 for level in parameters.get("quantile_levels", [])):
        return "quantile_levels: within (0, 1)"
    unknown = parameters.keys() - {"prediction_length", "quantile_levels", "freq", "batch_size"}
    return f"parameters: {sorted(unknown)} are unknown" if unknown else None


def _error(status: int, code: str, message: str) -> web.Response:
    return web.json_response({"Message": message}, status=status, headers={"x-amzn-ErrorType": code})
