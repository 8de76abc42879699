"""The archiver's settings."""

from pydantic import Field

from sensorcast_archiver.archive import Limits
from sensorcast_common.settings import ServiceSettings


class ArchiverSettings(ServiceSettings):
    """What the archiver is told, beside what every service is.

    Attributes:
        hot_flush_seconds: How long readings gather before they are written to the hot store: longer costs less and
            shows readings later.
        hot_flush_readings: Or once so many wait.
        hot_ttl_days: How long the hot store keeps readings.
        lake_commit_seconds: How long batches gather before they are committed to the lake.
        lake_commit_mb: Or once so many MiB wait. Twice as much is held at most.
        lake_commit_batches: Or once so many batches wait. Twice as many messages are held at most.
        lake_lookback_hours: How long the lake remembers batches it has added.
        lake_catalog_uri: The Iceberg REST catalog; by default S3 Tables' in the region, or `AWS_ENDPOINT_URL`'s.
        lake_warehouse: ARN of the table bucket; by default the stack's, in the account of the credentials.
        lake_s3_endpoint: Where the lake's files are, if the catalog does not say and they are not where AWS has them.
        visibility_seconds: After so long others get the messages of an archiver that died; by default twice
            `lake_commit_seconds` and a minute, so that most messages are never extended, which costs requests.
        seen_devices: How many devices are remembered as recorded.
    """

    hot_flush_seconds: float = Field(default=10.0, gt=0, le=300)
    hot_flush_readings: int = Field(default=50_000, ge=1)
    hot_ttl_days: float = Field(default=7.0, gt=0, le=3650)
    lake_commit_seconds: float = Field(default=60.0, gt=0, le=3600)
    lake_commit_mb: float = Field(default=64.0, gt=0, le=4096)
    lake_commit_batches: int = Field(default=1_000, ge=1, le=50_000)
    lake_lookback_hours: float = Field(default=24.0, gt=0)
    lake_catalog_uri: str | None = None
    lake_warehouse: str | None = None
    lake_s3_endpoint: str | None = None
    visibility_seconds: float | None = Field(default=None, ge=5, le=43_200)
    seen_devices: int = Field(default=50_000, ge=1)

    @property
    def limits(self) -> Limits:
        """When to write."""
        lake_bytes = round(self.lake_commit_mb * 1024 * 1024)
        return Limits(
            hot_seconds=self.hot_flush_seconds,
            hot_readings=self.hot_flush_readings,
            lake_seconds=self.lake_commit_seconds,
            lake_bytes=lake_bytes,
            lake_batches=self.lake_commit_batches,
            held_bytes=2 * lake_bytes,
            renew_seconds=self.hot_ttl_days * 86_400 / 2,
        )

    @property
    def visibility(self) -> float:
        """The visibility timeout of received messages, in seconds."""
        return self.visibility_seconds or min(43_200.0, 2 * self.lake_commit_seconds + 60)
