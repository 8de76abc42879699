"""What the alerter is told."""

import ipaddress
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import NoDecode

from sensorcast_alerter.notify.mail import MailServer
from sensorcast_alerter.notify.tariff import price_table
from sensorcast_common.mqtt import MqttSettings
from sensorcast_common.settings import ServiceSettings


class AlerterSettings(MqttSettings, ServiceSettings):
    """Settings of the alerter, beside those of every service and of the MQTT broker.

    Attributes:
        mqtt_client_id: Must differ between replicas: a broker lets one of each name in.
        alert_mqtt: Whether transitions are published on `alerts/{tenant}/{device}`.
        late_after_seconds: A reading older than this opens no incident.
        forecast_period_seconds: How often forecasts are made; one known for more than two periods opens no incident.
        sweep_seconds: How often rules and incidents are read again; a changed rule is in force after that.
        max_series: How many series are remembered, about 1 KB each.
        timezone: In which times of day are written in an SMS, by its IANA name.
        sms_sender_id: What phones show as the sender, where the country allows it; 1 to 11 letters or digits.
        sms_per_number_per_day: SMS that one number gets on one day of `timezone`; what is over is kept back, and shown.
        sms_per_tenant_per_day: SMS that one tenant sends on one day.
        sms_countries: ISO 3166 codes of the countries that SMS may go to, separated by commas; all, where it is empty.
        sms_price_file: JSON table of what a part of an SMS costs, by country, from which the cost is estimated; see
            `notify.tariff`.
        sms_monthly_dollars: What SMS may cost in a month; an alert compares the estimate with it, nothing is kept back.
        group_wait_seconds: How long a message waits for others of its group.
        public_url: Where people reach the page; links in messages start with it.
        email: How mail is sent: `off`, `ses` or `smtp`.
        email_from: The From address.
        smtp_url: `smtps://host:465` for TLS, or `smtp://host:587` for STARTTLS, which a loopback address may lack.
        smtp_username: Sent with the password, where the server asks.
        smtp_password: See `smtp_username`.
        webhook_allow_loopback: Whether webhooks may reach this machine, and by plain http.
    """

    mqtt_client_id: str = Field(default="sensorcast-alerter", pattern=r"^[A-Za-z0-9_.:-]{1,128}$")
    alert_mqtt: bool = True
    late_after_seconds: float = Field(default=600, gt=0, le=86_400)
    forecast_period_seconds: float = Field(default=300, gt=0, le=86_400)
    sweep_seconds: float = Field(default=15, gt=0, le=300)
    max_series: int = Field(default=200_000, ge=1)
    timezone: str = "UTC"
    sms_sender_id: str | None = Field(default=None, pattern=r"^[0-9]{0,10}[A-Za-z][A-Za-z0-9]{0,10}$", max_length=11)
    sms_per_number_per_day: int = Field(default=100, ge=1)
    sms_per_tenant_per_day: int = Field(default=1000, ge=1)
    sms_countries: Annotated[tuple[str, ...], NoDecode] = ()
    sms_price_file: Path | None = None
    sms_monthly_dollars: float | None = Field(default=None, gt=0)
    group_wait_seconds: float = Field(default=0.5, ge=0, le=60)
    public_url: str | None = Field(default=None, pattern=r"^https?://[^\s]+$", max_length=80)
    email: Literal["off", "ses", "smtp"] = "off"
    email_from: str | None = Field(default=None, pattern=r"^[^\r\n]*[^\s@<]+@[^\s@>]+>?$")
    smtp_url: str | None = None
    smtp_username: str | None = None
    smtp_password: SecretStr | None = None
    webhook_allow_loopback: bool = False

    @field_validator("timezone")
    @classmethod
    def _is_known(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ValueError(f"{name!r} is no IANA time zone, such as Europe/Berlin") from error
        return name

    @field_validator("sms_countries", mode="before")
    @classmethod
    def _separated(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        return tuple(each.strip() for each in value.split(",") if each.strip())

    @field_validator("sms_countries")
    @classmethod
    def _codes(cls, codes: tuple[str, ...]) -> tuple[str, ...]:
        for code in codes:
            if not (len(code) == 2 and code.isascii() and code.isalpha() and code.isupper()):
                raise ValueError(f"{code!r} is no ISO 3166 code, such as DE")
        return codes

    @field_validator("sms_price_file")
    @classmethod
    def _has_prices(cls, path: Path | None) -> Path | None:
        if path is not None:
            price_table(path)
        return path

    @field_validator("smtp_url")
    @classmethod
    def _is_a_server(cls, url: str | None) -> str | None:
        if url is not None:
            parts = urlsplit(url)
            if parts.scheme not in {"smtp", "smtps"} or not parts.hostname or parts.path not in {"", "/"}:
                raise ValueError("expected smtp://host:587 or smtps://host:465")
            if parts.username is not None or parts.password is not None:
                raise ValueError(
                    "user and password do not belong in the address: use SENSORCAST_SMTP_USERNAME and "
                    "SENSORCAST_SMTP_PASSWORD"
                )
            if parts.port == 0:  # reading it also raises ValueError for what is no port
                raise ValueError("the port must not be 0")
        return url

    @model_validator(mode="after")
    def _mail_fits_together(self) -> Self:
        if self.email != "off" and self.email_from is None:
            raise ValueError(f"SENSORCAST_EMAIL_FROM: needed with SENSORCAST_EMAIL={self.email}")
        if self.email == "smtp" and self.smtp_url is None:
            raise ValueError("SENSORCAST_SMTP_URL: needed with SENSORCAST_EMAIL=smtp")
        if (self.smtp_username is None) != (self.smtp_password is None):
            raise ValueError("SENSORCAST_SMTP_USERNAME and SENSORCAST_SMTP_PASSWORD: one needs the other")
        return self

    @property
    def mail_server(self) -> MailServer:
        """The server of `smtp_url`.

        Raises:
            ValueError: There is none.
        """
        if self.smtp_url is None:
            raise ValueError("SENSORCAST_SMTP_URL: not set")
        parts = urlsplit(self.smtp_url)
        host = str(parts.hostname)
        tls = parts.scheme == "smtps"
        return MailServer(
            host=host,
            port=parts.port or (465 if tls else 587),
            tls=tls,
            starttls=False if tls else (None if _is_loopback(host) else True),
            username=self.smtp_username,
            password=None if self.smtp_password is None else self.smtp_password.get_secret_value(),
        )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
