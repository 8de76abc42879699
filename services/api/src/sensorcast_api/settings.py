"""The API's settings."""

from typing import Annotated

from pydantic import Field, field_validator
from pydantic_settings import NoDecode

from sensorcast_common.mqtt import MqttSettings
from sensorcast_common.settings import ServiceSettings


class ApiSettings(MqttSettings, ServiceSettings):
    """What the API is told, beside what every service is and how to reach the broker.

    Attributes:
        host: Address to listen on; `0.0.0.0` in a container.
        port: Port to listen on; 0 takes a free one.
        cors_origins: Web origins, separated by commas, whose pages may call the API; none by default.
        max_streams: Event streams that one process serves.
        max_streams_per_key: Event streams that one key may have open.
        stream_queue: Events that wait for a slow client before the oldest are dropped.
        heartbeat_seconds: Silence on a stream after which a heartbeat is sent.
        max_range_days: Longest range of one request for readings.
        history_queries: Athena queries that one process runs at a time; others wait.
        history_seconds: How long one of them may take.
        history_reuse_minutes: How old a result may be that Athena uses again, for ranges that ended a day ago.
        key_ttl_seconds: How long a key is trusted without looking it up; a revoked key works on for so long.
    """

    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=0, le=65535)
    cors_origins: Annotated[tuple[str, ...], NoDecode] = ()
    max_streams: int = Field(default=1_000, ge=1)
    max_streams_per_key: int = Field(default=20, ge=1)
    stream_queue: int = Field(default=1_000, ge=1, le=100_000)
    heartbeat_seconds: float = Field(default=15.0, ge=0.1, le=60)
    max_range_days: int = Field(default=7, ge=1, le=366)
    history_queries: int = Field(default=8, ge=1, le=100)
    history_seconds: float = Field(default=120.0, gt=0, le=1800)
    history_reuse_minutes: int = Field(default=60, ge=0, le=10_080)
    key_ttl_seconds: float = Field(default=30.0, gt=0, le=300)

    @field_validator("cors_origins", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("cors_origins")
    @classmethod
    def _no_wildcard(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for origin in value:
            if not origin.startswith(("https://", "http://")) or "*" in origin:
                raise ValueError(f"{origin!r} is not an origin such as https://example.org")
        return value
