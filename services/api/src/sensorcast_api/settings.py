"""The API's settings."""

from typing import Annotated, Self

from pydantic import Field, field_validator, model_validator
from pydantic_settings import NoDecode

from sensorcast_api.oidc.claims import ClaimRules
from sensorcast_api.oidc.tokens import ALGORITHMS
from sensorcast_common.mqtt import MqttSettings
from sensorcast_common.names import is_name
from sensorcast_common.settings import ServiceSettings
from sensorcast_common.tables.api_keys import Role


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
        quicksight_dashboards: Dashboards to embed, as `NAME=DASHBOARD_ID`, separated by commas.
        quicksight_domains: Web origins, separated by commas, whose pages may embed them.
        quicksight_session_minutes: How long a person may look at one.
        history_queries: Athena queries that one process runs at a time; others wait.
        history_seconds: How long one of them may take.
        history_reuse_minutes: How old a result may be that Athena uses again, for ranges that ended a day ago.
        rehearsal_readings: Readings that one dry run of a rule may replay.
        rehearsal_seconds: How long one may take.
        answer_seconds: How long an answer is given again to those of the same tenant and role who ask the same; a write
            through this process, or a change of an incident, ends it at once. 0 asks the stores each time.
        requests_per_second: Requests that one credential may make for ever, per process.
        request_burst: Requests that one credential may make at one time.
        oidc_issuer: Issuer of bearer tokens, such as `https://cognito-idp.eu-central-1.amazonaws.com/POOL`; none by
            default. Tokens must be signed, name the audience, and have the claims below.
        oidc_audience: Whom tokens must be made for: client ids, separated by commas.
        oidc_jwks_url: Where the issuer's keys are; by discovery where left out.
        oidc_algorithms: Signatures that are taken, separated by commas.
        oidc_tenant_claim: Claim that names the tenant, e.g. `custom:tenant`.
        oidc_role_claim: Claim that names the role, or a list of groups, e.g. `cognito:groups`.
        oidc_roles: What the values of that claim mean, e.g. `fleet-admins=admin,drivers=viewer`; by default `viewer`,
            `operator` and `admin` mean themselves.
        oidc_leeway_seconds: How far the issuer's clock may differ.
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
    quicksight_dashboards: Annotated[dict[str, str], NoDecode] = Field(default_factory=dict)
    quicksight_domains: Annotated[tuple[str, ...], NoDecode] = ()
    quicksight_session_minutes: int = Field(default=60, ge=15, le=600)
    history_queries: int = Field(default=8, ge=1, le=100)
    history_seconds: float = Field(default=120.0, gt=0, le=1800)
    history_reuse_minutes: int = Field(default=60, ge=0, le=10_080)
    rehearsal_readings: int = Field(default=1_000_000, ge=1, le=10_000_000)
    rehearsal_seconds: float = Field(default=60.0, gt=0, le=600)
    key_ttl_seconds: float = Field(default=30.0, gt=0, le=300)
    answer_seconds: float = Field(default=1.0, ge=0, le=60)
    requests_per_second: float = Field(default=50.0, gt=0)
    request_burst: int = Field(default=200, ge=1)
    oidc_issuer: str | None = None
    oidc_audience: Annotated[tuple[str, ...], NoDecode] = ()
    oidc_jwks_url: str | None = None
    oidc_algorithms: Annotated[tuple[str, ...], NoDecode] = ("RS256", "ES256")
    oidc_tenant_claim: str = Field(default="tenant", min_length=1)
    oidc_role_claim: str = Field(default="role", min_length=1)
    oidc_roles: Annotated[tuple[str, ...], NoDecode] = ()
    oidc_leeway_seconds: int = Field(default=60, ge=0, le=300)

    @field_validator(
        "cors_origins", "quicksight_domains", "oidc_audience", "oidc_algorithms", "oidc_roles", mode="before"
    )
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("cors_origins", "quicksight_domains")
    @classmethod
    def _no_wildcard(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for origin in value:
            if not origin.startswith(("https://", "http://")) or "*" in origin:
                raise ValueError(f"{origin!r} is not an origin such as https://example.org")
        return value

    @field_validator("oidc_issuer", "oidc_jwks_url")
    @classmethod
    def _is_https(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("https://", "http://127.0.0.1", "http://localhost")):
            raise ValueError(f"{value!r} is not an https address")
        return value

    @field_validator("oidc_algorithms")
    @classmethod
    def _only_asymmetric(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not value or not set(value) <= ALGORITHMS:
            raise ValueError(f"takes some of {', '.join(sorted(ALGORITHMS))}")
        return value

    @model_validator(mode="after")
    def _knows_its_audience(self) -> Self:
        if self.oidc_issuer is not None and not self.oidc_audience:
            raise ValueError("SENSORCAST_OIDC_AUDIENCE: name the client ids whose tokens are taken")
        self.claim_rules()
        return self

    def claim_rules(self) -> ClaimRules | None:
        """What tokens must say; `None` where none are taken.

        Raises:
            ValueError: A role is not one.
        """
        if self.oidc_issuer is None:
            return None
        roles: dict[str, Role] = {}
        for entry in self.oidc_roles or tuple(f"{role.value}={role.value}" for role in Role):
            value, _, role = entry.rpartition("=")
            if not value or role not in list(Role):
                raise ValueError(f"SENSORCAST_OIDC_ROLES: {entry!r} is not of the form group=viewer|operator|admin")
            roles[value] = Role(role)
        return ClaimRules(
            issuer=self.oidc_issuer,
            audiences=frozenset(self.oidc_audience),
            tenant_claim=self.oidc_tenant_claim,
            role_claim=self.oidc_role_claim,
            roles=roles,
            leeway_seconds=self.oidc_leeway_seconds,
        )

    @field_validator("quicksight_dashboards", mode="before")
    @classmethod
    def _pairs(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        pairs: dict[str, str] = {}
        for part in filter(None, (each.strip() for each in value.split(","))):
            name, equals, dashboard = part.partition("=")
            if not equals or not is_name(name) or not dashboard:
                raise ValueError(f"{part!r} is not NAME=DASHBOARD_ID")
            pairs[name] = dashboard
        return pairs

    @model_validator(mode="after")
    def _domains_for_dashboards(self) -> Self:
        if self.quicksight_dashboards and not self.quicksight_domains:
            raise ValueError("quicksight_domains: say which web origins may embed the dashboards")
        return self
