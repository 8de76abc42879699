"""One AWS session per process, and clients with the same patience everywhere."""

from typing import TYPE_CHECKING, Final, Literal, overload

from aiobotocore.config import AioConfig
from aiobotocore.session import AioSession

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager

    from types_aiobotocore_athena import AthenaClient
    from types_aiobotocore_cloudformation import CloudFormationClient
    from types_aiobotocore_cloudwatch import CloudWatchClient
    from types_aiobotocore_dynamodb import DynamoDBClient
    from types_aiobotocore_forecast import ForecastServiceClient
    from types_aiobotocore_forecastquery import ForecastQueryServiceClient
    from types_aiobotocore_iot import IoTClient
    from types_aiobotocore_quicksight import QuickSightClient
    from types_aiobotocore_s3 import S3Client
    from types_aiobotocore_s3tables import S3TablesClient
    from types_aiobotocore_sagemaker_runtime import SageMakerRuntimeClient
    from types_aiobotocore_scheduler import EventBridgeSchedulerClient
    from types_aiobotocore_sesv2 import SESV2Client
    from types_aiobotocore_sns import SNSClient
    from types_aiobotocore_sqs import SQSClient
    from types_aiobotocore_sts import STSClient

CLIENT_CONFIG: Final = AioConfig(
    connect_timeout=5,
    read_timeout=30,
    retries={"mode": "standard", "total_max_attempts": 4},
    max_pool_connections=50,
)
"""Short retries inside the SDK; what lasts longer is the business of the service, which knows what may wait."""


ServiceName = Literal[
    "athena",
    "cloudformation",
    "cloudwatch",
    "dynamodb",
    "forecast",
    "forecastquery",
    "iot",
    "quicksight",
    "s3",
    "s3tables",
    "sagemaker-runtime",
    "scheduler",
    "sesv2",
    "sns",
    "sqs",
    "sts",
]


class Aws:
    """Makes AWS clients from the default credential chain.

    Args:
        session: A session with credentials of its own; `None` for the default chain.
        region: Overrides the chain's region.
        endpoint_url: Overrides `AWS_ENDPOINT_URL`.
    """

    def __init__(
        self, *, session: AioSession | None = None, region: str | None = None, endpoint_url: str | None = None
    ) -> None:
        self.session = session or AioSession()
        self.region = region
        self.endpoint_url = endpoint_url

    @overload
    def client(self, service: Literal["athena"]) -> "AbstractAsyncContextManager[AthenaClient]": ...
    @overload
    def client(self, service: Literal["cloudformation"]) -> "AbstractAsyncContextManager[CloudFormationClient]": ...
    @overload
    def client(self, service: Literal["cloudwatch"]) -> "AbstractAsyncContextManager[CloudWatchClient]": ...
    @overload
    def client(self, service: Literal["dynamodb"]) -> "AbstractAsyncContextManager[DynamoDBClient]": ...
    @overload
    def client(self, service: Literal["forecast"]) -> "AbstractAsyncContextManager[ForecastServiceClient]": ...
    @overload
    def client(
        self, service: Literal["forecastquery"]
    ) -> "AbstractAsyncContextManager[ForecastQueryServiceClient]": ...
    @overload
    def client(self, service: Literal["quicksight"]) -> "AbstractAsyncContextManager[QuickSightClient]": ...
    @overload
    def client(self, service: Literal["iot"]) -> "AbstractAsyncContextManager[IoTClient]": ...
    @overload
    def client(self, service: Literal["s3"]) -> "AbstractAsyncContextManager[S3Client]": ...
    @overload
    def client(self, service: Literal["s3tables"]) -> "AbstractAsyncContextManager[S3TablesClient]": ...
    @overload
    def client(
        self, service: Literal["sagemaker-runtime"]
    ) -> "AbstractAsyncContextManager[SageMakerRuntimeClient]": ...
    @overload
    def client(self, service: Literal["scheduler"]) -> "AbstractAsyncContextManager[EventBridgeSchedulerClient]": ...
    @overload
    def client(self, service: Literal["sesv2"]) -> "AbstractAsyncContextManager[SESV2Client]": ...
    @overload
    def client(self, service: Literal["sns"]) -> "AbstractAsyncContextManager[SNSClient]": ...
    @overload
    def client(self, service: Literal["sqs"]) -> "AbstractAsyncContextManager[SQSClient]": ...
    @overload
    def client(self, service: Literal["sts"]) -> "AbstractAsyncContextManager[STSClient]": ...
    def client(self, service: ServiceName) -> "AbstractAsyncContextManager[object]":
        """A client, to be entered with `async with`."""
        create: Callable[..., AbstractAsyncContextManager[object]] = self.session.create_client
        return create(service, region_name=self.region, endpoint_url=self.endpoint_url, config=CLIENT_CONFIG)
