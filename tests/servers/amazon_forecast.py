"""Amazon Forecast and its query service, as far as a forecaster uses them, made from their service models.

Every request is checked against the model: required members, types, enumerations, lengths and patterns. Names are
unique, what is made is pending at first, a forecast needs an active predictor and one that has forecasts cannot be
deleted. An import reads its files; a forecast gives each item's last value, and one less and one more for 0.1 and 0.9.

Source: botocore's service models `forecast` and `forecastquery`, and the API reference they were made from.
"""

import csv
import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Any, Self

from aiohttp import web
from botocore.loaders import Loader
from botocore.model import ListShape, MapShape, ServiceModel, Shape, StringShape, StructureShape
from botocore.validate import ParamValidator

from sensorcast_local.command import LOOPBACK

Json = dict[str, Any]

_MODELS = {
    prefix: ServiceModel(Loader().load_service_model(service, "service-2"))
    for prefix, service in (("AmazonForecast", "forecast"), ("AmazonForecastRuntime", "forecastquery"))
}
_MINUTES = {"1min": 1, "5min": 5, "10min": 10, "15min": 15, "30min": 30}
_PLURALS = {"Predictor": "Predictors", "Forecast": "Forecasts", "Dataset": "Datasets", "DatasetGroup": "DatasetGroups"}


class RefusedError(Exception):
    """An error of the service."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass
class Resource:
    """Something that was made."""

    kind: str
    name: str
    arn: str
    request: Json
    looks: int = 0
    items: dict[str, list[tuple[datetime, float]]] = field(default_factory=dict)


@dataclass
class AmazonForecastServer:
    """Serves both; `async with` starts and ends it.

    Attributes:
        read: Gives the texts of the files below an `s3://` path.
        looks: How often something is described before it is active.
        hang_up_after: Operations that are carried out, but once not answered.
        refusing: Operations that are refused, with the code of the error.
        failing: Kinds of resources that fail when they are made: `DatasetImportJob`, `Predictor`, `Forecast`.
        made: By ARN.
        calls: Operations in order.
        endpoint_url: For an AWS client, once it is started.
    """

    read: Callable[[str], Awaitable[list[str]]]
    looks: int = 2
    hang_up_after: set[str] = field(default_factory=set)
    refusing: dict[str, str] = field(default_factory=dict)
    failing: set[str] = field(default_factory=set)
    made: dict[str, Resource] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    endpoint_url: str = ""
    _runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_post("/", self._serve)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        await web.TCPSite(self._runner, LOOPBACK, 0).start()
        self.endpoint_url = f"http://{LOOPBACK}:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._runner is not None
        await self._runner.cleanup()

    def of(self, kind: str) -> list[Resource]:
        """What there is of a kind, oldest first."""
        return [each for each in self.made.values() if each.kind == kind]

    async def _serve(self, request: web.Request) -> web.Response:
        prefix, _, operation = request.headers["X-Amz-Target"].partition(".")
        body = json.loads(await request.text() or "{}")
        self.calls.append(operation)
        try:
            shape = _MODELS[prefix].operation_model(operation).input_shape
            assert shape is not None
            _check(shape, body)
            answer = await self._do(operation, body)
        except RefusedError as refusal:
            content = json.dumps({"__type": refusal.code, "Message": str(refusal)})
            return web.Response(text=content, status=400, content_type="application/x-amz-json-1.1")
        if operation in self.hang_up_after:
            self.hang_up_after.remove(operation)
            assert request.transport is not None
            request.transport.close()
        return web.Response(text=json.dumps(answer), content_type="application/x-amz-json-1.1")

    async def _do(self, operation: str, body: Json) -> Json:
        if operation in self.refusing:
            raise RefusedError(self.refusing[operation], f"{operation} is refused")
        if operation == "QueryForecast":
            return self._query(body)
        verb, kind = re.fullmatch(r"(Create|Describe|Delete|List)(\w+)", operation).groups()  # type: ignore[union-attr] # other operations fail here
        if verb == "List":
            kind = kind.removesuffix("s")
            found = [{f"{kind}Name": each.name, f"{kind}Arn": each.arn} for each in self.of(kind)]
            return {_PLURALS.get(kind, f"{kind}s"): found}
        short = kind.removeprefix("Auto")
        if verb == "Create":
            return {f"{short}Arn": await self._create(short, body)}
        resource = self._known(body[f"{short}Arn"])
        if verb == "Delete":
            if any(each.request.get("PredictorArn") == resource.arn for each in self.of("Forecast")):
                raise RefusedError("ResourceInUseException", "the predictor has forecasts")
            del self.made[resource.arn]
            return {}
        resource.looks += 1
        return {f"{short}Arn": resource.arn, "Status": self._status(resource), "Message": ""}

    def _status(self, resource: Resource) -> str:
        if resource.looks < self.looks:
            return "CREATE_IN_PROGRESS"
        return "CREATE_FAILED" if resource.kind in self.failing else "ACTIVE"

    async def _create(self, kind: str, body: Json) -> str:
        name = body[f"{kind}Name"]
        if any(each.name == name for each in self.of(kind)):
            raise RefusedError("ResourceAlreadyExistsException", f"A {kind} already exists with the name {name}")
        word = re.sub(r"(?<!^)(?=[A-Z])", "-", kind).lower()
        # The ARN of an AutoPredictor ends in more than its name.
        suffix = f"_01{len(self.made):010d}" if kind == "Predictor" else ""
        made = Resource(kind, name, f"arn:aws:forecast:eu-central-1:123456789012:{word}/{name}{suffix}", body)
        await getattr(self, f"_making_{word.replace('-', '_')}")(made, body)
        self.made[made.arn] = made
        return made.arn

    async def _making_dataset(self, made: Resource, body: Json) -> None:
        names = [each["AttributeName"] for each in body["Schema"]["Attributes"]]
        if sorted(names) != ["item_id", "target_value", "timestamp"] or body["Domain"] != "CUSTOM":
            raise RefusedError("InvalidInputException", f"schema: {names}")
        del made

    async def _making_dataset_group(self, made: Resource, body: Json) -> None:
        for arn in body["DatasetArns"]:
            self._known(arn)
        del made

    async def _making_dataset_import_job(self, made: Resource, body: Json) -> None:
        dataset = self._known(body["DatasetArn"])
        minutes = _MINUTES[dataset.request["DataFrequency"]]
        for text in await self.read(body["DataSource"]["S3Config"]["Path"]):
            for item, time, value in csv.reader(text.splitlines()):
                moment = datetime.strptime(time, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
                if moment.minute % minutes or moment.second:
                    raise RefusedError("InvalidInputException", f"{time} is not on a grid of {minutes} minutes")
                made.items.setdefault(item, []).append((moment, float(value)))
        if not made.items:
            raise RefusedError("InvalidInputException", "no data was found")

    async def _making_predictor(self, made: Resource, body: Json) -> None:
        group = self._known(body["DataConfig"]["DatasetGroupArn"])
        imported = self._imported(group)
        times = [moment for points in imported.items.values() for moment, _ in points]
        length = (max(times) - min(times)) / timedelta(minutes=_MINUTES[body["ForecastFrequency"]])
        if body["ForecastHorizon"] > min(500, length / 4):
            raise RefusedError(
                "InvalidInputException", f"ForecastHorizon {body['ForecastHorizon']} of {length:.0f} steps"
            )
        del made

    async def _making_forecast(self, made: Resource, body: Json) -> None:
        predictor = self._known(body["PredictorArn"])
        if self._status(predictor) != "ACTIVE":
            raise RefusedError("ResourceInUseException", "the predictor is not active")
        made.items = self._imported(self._known(predictor.request["DataConfig"]["DatasetGroupArn"])).items

    def _imported(self, group: Resource) -> Resource:
        jobs = [
            each
            for each in self.of("DatasetImportJob")
            if each.request["DatasetArn"] in group.request["DatasetArns"] and self._status(each) == "ACTIVE"
        ]
        if not jobs:
            raise RefusedError("InvalidInputException", "the dataset group has no data")
        return jobs[-1]

    def _known(self, arn: str) -> Resource:
        if arn not in self.made:
            raise RefusedError("ResourceNotFoundException", f"{arn} does not exist")
        return self.made[arn]

    def _query(self, body: Json) -> Json:
        forecast = self._known(body["ForecastArn"])
        if self._status(forecast) != "ACTIVE":
            raise RefusedError("ResourceInUseException", "the forecast is not active")
        points = forecast.items.get(body["Filters"]["item_id"])
        if points is None:
            raise RefusedError("ResourceNotFoundException", "no such item")
        predictor = self._known(forecast.request["PredictorArn"]).request
        step = timedelta(minutes=_MINUTES[predictor["ForecastFrequency"]])
        last = max(moment for each in forecast.items.values() for moment, _ in each)
        start, end = (datetime.fromisoformat(body[name]).replace(tzinfo=UTC) for name in ("StartDate", "EndDate"))
        times = [last + step * at for at in range(1, predictor["ForecastHorizon"] + 1)]
        if not times[0] <= start <= end <= times[-1]:
            raise RefusedError("InvalidInputException", f"{start} to {end} is not within {times[0]} to {times[-1]}")
        return {
            "Forecast": {
                "Predictions": {
                    f"p{round(float(level) * 100)}": [
                        {"Timestamp": f"{time:%Y-%m-%dT%H:%M:%S}", "Value": points[-1][1] + float(level) * 2.5 - 1.25}
                        for time in times
                        if start <= time <= end
                    ]
                    for level in forecast.request["ForecastTypes"]
                }
            }
        }


def _check(shape: Shape, body: Json) -> None:
    report = ParamValidator().validate(body, shape)
    if report.has_errors():
        raise RefusedError("InvalidInputException", report.generate_report())
    _check_texts(shape, body, "")


def _check_texts(shape: Shape, value: Any, where: str) -> None:  # noqa: ANN401 - whatever JSON holds
    """What botocore leaves to the service: enumerations, patterns and lengths."""
    if isinstance(shape, StructureShape):
        unknown = value.keys() - shape.members.keys()
        if unknown:
            raise RefusedError("InvalidInputException", f"{where}: {sorted(unknown)} are unknown")
        for name, inner in value.items():
            _check_texts(shape.members[name], inner, f"{where}.{name}")
    elif isinstance(shape, ListShape):
        for inner in value:
            _check_texts(shape.member, inner, where)
    elif isinstance(shape, MapShape):
        for key, inner in value.items():
            _check_texts(shape.key, key, f"{where} key")
            _check_texts(shape.value, inner, f"{where}.{key}")
    elif isinstance(shape, StringShape):
        rule = shape.metadata
        # The model gives roles the pattern of Amazon Forecast's own ARNs, which none has.
        fits = where.endswith("RoleArn") or re.search(rule.get("pattern", ""), value) is not None
        if not fits or len(value) > rule.get("max", 1 << 20) or (shape.enum and value not in shape.enum):
            raise RefusedError("InvalidInputException", f"{where}: {value!r} does not fit {rule}")
