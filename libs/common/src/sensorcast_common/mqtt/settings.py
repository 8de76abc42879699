"""How a service reaches the MQTT broker: fields that its settings inherit."""

from pathlib import Path
from typing import Annotated, Final, Literal, Self
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator, BaseModel, Field, SecretStr, StringConstraints, field_validator, model_validator

DEFAULT_PORTS: Final = {"mqtt": 1883, "mqtts": 8883}


def _an_address(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in DEFAULT_PORTS or not parts.hostname or parts.path not in {"", "/"} or parts.query:
        raise ValueError("expected mqtt://host:port or mqtts://host:port")
    if parts.username is not None or parts.password is not None:
        raise ValueError(
            "user and password do not belong in the address: use SENSORCAST_MQTT_USERNAME and SENSORCAST_MQTT_PASSWORD"
        )
    if parts.port == 0:  # reading it also raises ValueError for what is no port
        raise ValueError("the port must not be 0")
    return url


class MqttSettings(BaseModel):
    """What a service is told about the broker; inherit it before `ServiceSettings`.

    Attributes:
        mqtt_url: `mqtt://host:port`, or `mqtts://host:port` for TLS.
        mqtt_client_id: Must differ between everything that is connected at one time, replicas included, and must stay
            the same over restarts where a persistent session is wanted.
        mqtt_username: Sent with the password, where the broker asks.
        mqtt_password: See `mqtt_username`.
        mqtt_ca_file: PEM file of the authorities to trust; by default those of the system.
        mqtt_cert_file: PEM file of the client's certificate.
        mqtt_key_file: PEM file of the certificate's private key.
        mqtt_alpn: TLS application protocol: `x-amzn-mqtt-ca` for AWS IoT Core on port 443.
        mqtt_version: Protocol version.
        mqtt_keepalive: Seconds of silence after which the connection is checked.
        mqtt_session_expiry: Seconds for which the broker keeps the session of a client that is away (MQTT 5; with
            3.1.1 the broker decides).
        mqtt_receive_maximum: Messages that may be received and not yet acknowledged. MQTT 5 tells the broker; with
            3.1.1 the socket is not read while there are more.
    """

    mqtt_url: Annotated[str, AfterValidator(_an_address)] = "mqtt://127.0.0.1:1883"
    mqtt_client_id: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.:-]{1,128}$")] = "sensorcast"
    mqtt_username: str | None = None
    mqtt_password: SecretStr | None = None
    mqtt_ca_file: Path | None = None
    mqtt_cert_file: Path | None = None
    mqtt_key_file: Path | None = None
    mqtt_alpn: Annotated[str, StringConstraints(min_length=1, max_length=255)] | None = None
    mqtt_version: Literal["5", "3.1.1"] = "5"
    mqtt_keepalive: int = Field(default=30, ge=1, le=3600)
    mqtt_session_expiry: int = Field(default=86_400, ge=0, le=0xFFFFFFFF)
    mqtt_receive_maximum: int = Field(default=8192, ge=1, le=65_535)

    @field_validator("mqtt_ca_file", "mqtt_cert_file", "mqtt_key_file")
    @classmethod
    def _readable(cls, path: Path | None) -> Path | None:
        if path is not None and not path.is_file():
            raise ValueError(f"no such file: {path}")
        return path

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if (self.mqtt_cert_file is None) != (self.mqtt_key_file is None):
            raise ValueError("SENSORCAST_MQTT_CERT_FILE and SENSORCAST_MQTT_KEY_FILE: one needs the other")
        if self.mqtt_password is not None and self.mqtt_username is None:
            raise ValueError("SENSORCAST_MQTT_PASSWORD: needs SENSORCAST_MQTT_USERNAME")
        for name in ("mqtt_ca_file", "mqtt_cert_file", "mqtt_alpn"):
            if getattr(self, name) is not None and not self.mqtt_tls:
                raise ValueError(f"SENSORCAST_{name.upper()}: needs an mqtts:// address in SENSORCAST_MQTT_URL")
        return self

    @property
    def mqtt_tls(self) -> bool:
        """Whether the connection is encrypted."""
        return self._address.scheme == "mqtts"

    @property
    def mqtt_host(self) -> str:
        """The broker's name or address."""
        return str(self._address.hostname)

    @property
    def mqtt_port(self) -> int:
        """The broker's port."""
        return self._address.port or DEFAULT_PORTS[self._address.scheme]

    @property
    def _address(self) -> SplitResult:
        return urlsplit(self.mqtt_url)
