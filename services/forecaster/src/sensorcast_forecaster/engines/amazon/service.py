"""One stage of a build at Amazon Forecast, done so that doing it again after a crash makes nothing twice."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

from botocore.exceptions import ClientError

from sensorcast_common.clock import Clock
from sensorcast_forecaster.engines.amazon.build import FREQUENCIES, Build, BuildKey, Stage
from sensorcast_forecaster.engines.amazon.export import SCHEMA, TIMESTAMP_FORMAT, TRANSFORMATIONS
from sensorcast_forecaster.engines.amazon.names import resource_name

if TYPE_CHECKING:
    from types_aiobotocore_forecast import ForecastServiceClient

QUANTILES: Final = ("0.1", "0.5", "0.9")

_DOMAIN: Final = "CUSTOM"
_GONE: Final = "ResourceNotFoundException"
_BUSY: Final = "ResourceInUseException"


class _Listing(Protocol):
    """What pages of `list_...` come from."""

    def paginate(self) -> AsyncIterator[Any]:
        """The pages."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class AmazonForecast:
    """Goes on with builds.

    Attributes:
        client: An open client.
        stack: Name of the stack, the prefix of all names there.
        role_arn: Whom Amazon Forecast becomes to read the export.
        clock: The present.
    """

    client: "ForecastServiceClient"
    stack: str
    role_arn: str
    clock: Clock

    async def go_on(self, key: BuildKey, build: Build) -> Build:
        """Do what comes next, once.

        Returns:
            The build at its next stage, or as it was where Amazon Forecast is still at work.

        Raises:
            ClientError: It refused; a limit that was reached passes, what is wrong with the request does not.
        """
        stages: Mapping[Stage, Callable[[BuildKey, Build], Awaitable[Build]]] = {
            Stage.DATASET: self._dataset,
            Stage.GROUP: self._group,
            Stage.IMPORT: self._import,
            Stage.IMPORTING: self._importing,
            Stage.TRAIN: self._train,
            Stage.TRAINING: self._training,
            Stage.FORECAST: self._forecast,
            Stage.FORECASTING: self._forecasting,
        }
        return build if build.stage.over else await stages[build.stage](key, build)

    async def let_go(self, arn: str) -> bool:
        """Delete a forecast or a predictor; tells whether it goes. A predictor stays while it has forecasts."""
        try:
            if ":forecast/" in arn:
                await self.client.delete_forecast(ForecastArn=arn)
            else:
                await self.client.delete_predictor(PredictorArn=arn)
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code not in {_GONE, _BUSY}:
                raise
            return code == _GONE
        return True

    async def _dataset(self, key: BuildKey, build: Build) -> Build:
        name = resource_name(self.stack, key)

        async def create() -> str:
            return (
                await self.client.create_dataset(
                    DatasetName=name,
                    Domain=_DOMAIN,
                    DatasetType="TARGET_TIME_SERIES",
                    DataFrequency=FREQUENCIES[key.step_seconds],
                    Schema={"Attributes": SCHEMA},
                )
            )["DatasetArn"]

        arn = await self._made(create, self.client.get_paginator("list_datasets"), "Datasets", "Dataset", name)
        return build.reached(Stage.GROUP, now=self.clock(), dataset=arn)

    async def _group(self, key: BuildKey, build: Build) -> Build:
        name = resource_name(self.stack, key)

        async def create() -> str:
            made = await self.client.create_dataset_group(
                DatasetGroupName=name, Domain=_DOMAIN, DatasetArns=[_known(build.dataset, "dataset")]
            )
            return made["DatasetGroupArn"]

        arn = await self._made(
            create, self.client.get_paginator("list_dataset_groups"), "DatasetGroups", "DatasetGroup", name
        )
        return build.reached(Stage.IMPORT, now=self.clock(), group=arn)

    async def _import(self, key: BuildKey, build: Build) -> Build:
        name = resource_name(self.stack, key, build.build_id)

        async def create() -> str:
            made = await self.client.create_dataset_import_job(
                DatasetImportJobName=name,
                DatasetArn=_known(build.dataset, "dataset"),
                DataSource={"S3Config": {"Path": build.path, "RoleArn": self.role_arn}},
                TimestampFormat=TIMESTAMP_FORMAT,
                Format="CSV",
                ImportMode="FULL",
            )
            return made["DatasetImportJobArn"]

        arn = await self._made(
            create, self.client.get_paginator("list_dataset_import_jobs"), "DatasetImportJobs", "DatasetImportJob", name
        )
        return build.reached(Stage.IMPORTING, now=self.clock(), imported=arn)

    async def _importing(self, key: BuildKey, build: Build) -> Build:
        del key
        found = await self.client.describe_dataset_import_job(DatasetImportJobArn=_known(build.imported, "imported"))
        return self._when_active(build, found["Status"], found.get("Message", ""), build.after_import())

    async def _train(self, key: BuildKey, build: Build) -> Build:
        name = resource_name(self.stack, key, build.build_id)

        async def create() -> str:
            made = await self.client.create_auto_predictor(
                PredictorName=name,
                ForecastHorizon=build.horizon,
                ForecastTypes=list(QUANTILES),
                ForecastFrequency=FREQUENCIES[key.step_seconds],
                DataConfig={
                    "DatasetGroupArn": _known(build.group, "group"),
                    "AttributeConfigs": [{"AttributeName": "target_value", "Transformations": dict(TRANSFORMATIONS)}],
                },
                OptimizationMetric="AverageWeightedQuantileLoss",
            )
            return made["PredictorArn"]

        arn = await self._made(create, self.client.get_paginator("list_predictors"), "Predictors", "Predictor", name)
        return build.reached(Stage.TRAINING, now=self.clock(), predictor=arn)

    async def _training(self, key: BuildKey, build: Build) -> Build:
        del key
        found = await self.client.describe_auto_predictor(PredictorArn=_known(build.predictor, "predictor"))
        return self._when_active(build, found["Status"], found.get("Message", ""), Stage.FORECAST)

    async def _forecast(self, key: BuildKey, build: Build) -> Build:
        name = resource_name(self.stack, key, build.build_id)

        async def create() -> str:
            made = await self.client.create_forecast(
                ForecastName=name,
                PredictorArn=_known(build.predictor, "predictor"),
                ForecastTypes=list(QUANTILES),
            )
            return made["ForecastArn"]

        arn = await self._made(create, self.client.get_paginator("list_forecasts"), "Forecasts", "Forecast", name)
        return build.reached(Stage.FORECASTING, now=self.clock(), forecast=arn)

    async def _forecasting(self, key: BuildKey, build: Build) -> Build:
        del key
        found = await self.client.describe_forecast(ForecastArn=_known(build.forecast, "forecast"))
        return self._when_active(build, found["Status"], found.get("Message", ""), Stage.DONE)

    def _when_active(self, build: Build, status: str, message: str, stage: Stage) -> Build:
        if status == "ACTIVE":
            return build.reached(stage, now=self.clock())
        if status in {"CREATE_PENDING", "CREATE_IN_PROGRESS"}:
            return build
        return build.reached(Stage.FAILED, now=self.clock(), reason=f"{build.stage}: {status}: {message}".rstrip(": "))

    async def _made(
        self, create: Callable[[], Awaitable[str]], listing: _Listing, items: str, kind: str, name: str
    ) -> str:
        """The ARN of what is made, or of what was made before a crash: it may carry more than the name."""
        try:
            return await create()
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceAlreadyExistsException":
                raise
            async for page in listing.paginate():
                for found in page[items]:
                    if found[f"{kind}Name"] == name:
                        return str(found[f"{kind}Arn"])
            raise


def _known(arn: str | None, field: str) -> str:
    if arn is None:
        raise ValueError(f"{field}: the build has reached this stage without it")
    return arn
