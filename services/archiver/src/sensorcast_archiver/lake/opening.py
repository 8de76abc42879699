"""Where the stack's lake is, as settings and the AWS account say."""

from sensorcast_archiver.lake.catalog import catalog_properties
from sensorcast_archiver.settings import ArchiverSettings
from sensorcast_common.aws import Aws
from sensorcast_common.names import Names


async def lake_properties(settings: ArchiverSettings, aws: Aws, names: Names) -> dict[str, str]:
    """The catalog properties of the lake, for `open_table`."""
    async with aws.client("s3tables") as s3tables:
        # The SDK knows where S3 Tables is: at AWS, or where AWS_ENDPOINT_URL points.
        uri = settings.lake_catalog_uri or f"{s3tables.meta.endpoint_url.rstrip('/')}/iceberg"
        region = s3tables.meta.region_name
    warehouse = settings.lake_warehouse or await _table_bucket_arn(aws, region, names)
    return catalog_properties(uri=uri, warehouse=warehouse, region=region, s3_endpoint=settings.lake_s3_endpoint)


async def _table_bucket_arn(aws: Aws, region: str, names: Names) -> str:
    async with aws.client("sts") as sts:
        identity = await sts.get_caller_identity()
    partition = identity["Arn"].split(":")[1]
    return f"arn:{partition}:s3tables:{region}:{identity['Account']}:bucket/{names.table_bucket}"
