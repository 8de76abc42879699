"""The settings every service has: typed, read once from the environment, validated with the variable's name."""

import re
from pathlib import Path
from typing import Any, Final, Literal, TypeVar

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, EnvSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict
from pydantic_settings.exceptions import SettingsError as SourceError

PREFIX = "SENSORCAST_"
_HEADER: Final = re.compile(r"[a-z0-9!#$%&'*+.^_`|~-]+")

SettingsT = TypeVar("SettingsT", bound="ServiceSettings")


class SettingsError(Exception):
    """A setting is missing or wrong; the message names its variable."""


class ServiceSettings(BaseSettings):
    """What every service is told.

    AWS credentials, region and `AWS_ENDPOINT_URL` are not here: the AWS SDK reads them by its own rules.

    Attributes:
        stack: Prefix of all AWS resource names.
        log_level: The least severe level that is logged.
        log_format: `json` for machines, `console` for people.
        ops_host: Address that /healthz, /readyz and /metrics are served on; `0.0.0.0` in a container.
        ops_port: Port for them; 0 takes a free one.
        drain_seconds: How long a stopping service may finish what it has begun. Less than the pod's grace period.
        traces: Whether OpenTelemetry traces are recorded, and how they are sent: `off` or `otlp` (OTLP over HTTP).
        traces_endpoint: Base address of the collector, such as `http://collector:4318`.
        traces_ratio: Share of the traces begun here that are recorded; one begun elsewhere is recorded if it is there.
        traces_headers: Sent with every request to the collector: `name=value`, separated by commas.
    """

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore", frozen=True)

    stack: str = Field(default="sensorcast", pattern=r"^[a-z][a-z0-9-]{1,30}$")
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["json", "console"] = "json"
    ops_host: str = "127.0.0.1"
    ops_port: int = Field(default=0, ge=0, le=65535)
    drain_seconds: float = Field(default=25.0, gt=0, le=600)
    traces: Literal["off", "otlp"] = "off"
    traces_endpoint: str = Field(default="http://127.0.0.1:4318", pattern=r"^https?://[^\s/@?#]+(/[^\s@?#]*)?$")
    traces_ratio: float = Field(default=0.01, ge=0, le=1)
    traces_headers: SecretStr | None = None

    @field_validator("traces_headers")
    @classmethod
    def _are_headers(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not _headers(value):
            raise ValueError("expected name=value, separated by commas")
        return value

    @property
    def traces_header_fields(self) -> dict[str, str]:
        """The headers of `traces_headers`, by name."""
        return {} if self.traces_headers is None else _headers(self.traces_headers)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the base class's signature
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the base class's signature
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments win over variables, variables over the files that `*_FILE` names."""
        return init_settings, env_settings, _SecretFiles(settings_cls)

    def masked(self) -> dict[str, object]:
        """All settings by variable name, secrets masked."""
        return {
            PREFIX + name.upper(): str(value) if isinstance(value, SecretStr) else value
            for name, value in self.model_dump().items()
        }


def _headers(secret: SecretStr) -> dict[str, str]:
    """By name; empty where one of them is no header."""
    pairs = [each.partition("=") for each in secret.get_secret_value().split(",")]
    fields = {name.strip().lower(): value.strip() for name, _, value in pairs}
    return fields if all(_HEADER.fullmatch(name) and value for name, value in fields.items()) else {}


class _SecretFiles(EnvSettingsSource):
    """Reads a secret from the file that `SENSORCAST_<FIELD>_FILE` names, as Docker and Kubernetes mount them."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        if not _is_secret(field):
            return None, field_name, False
        path = self.env_vars.get(self._apply_case_sensitive(f"{PREFIX}{field_name}_FILE"))
        if not path:
            return None, field_name, False
        try:
            return Path(path).read_text(encoding="utf-8").rstrip("\r\n"), field_name, False
        except OSError as error:
            raise SettingsError(f"{PREFIX}{field_name.upper()}_FILE: {error.strerror}: {path}") from error


def _is_secret(field: FieldInfo) -> bool:
    return field.annotation is SecretStr or SecretStr in getattr(field.annotation, "__args__", ())


def load(settings_type: type[SettingsT]) -> SettingsT:
    """Read the settings of a service from the environment.

    Raises:
        SettingsError: Something is missing or wrong; one line per variable, values of secrets left out.
    """
    try:
        return settings_type()
    except ValidationError as error:
        lines = []
        for problem in error.errors(include_url=False, include_input=False):
            where = "_".join(str(part) for part in problem["loc"]).upper()
            lines.append(f"{PREFIX}{where}: {problem['msg']}" if where else problem["msg"])
        raise SettingsError("\n".join(lines)) from error
    except SourceError as error:
        raise SettingsError(str(error.__cause__ or error)) from error
