"""Which MQTT broker, and how to reach it."""

import ssl
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import unquote, urlsplit

from pydantic import BaseModel, ConfigDict, Field

DEFAULT_PORTS: Final = {"mqtt": 1883, "mqtts": 8883}


class BrokerError(Exception):
    """The broker's address is wrong, or the broker refuses; the message says what."""


class Broker(BaseModel):
    """A broker's address.

    Attributes:
        host: Name or address.
        port: TCP port.
        tls: Whether the connection is encrypted.
        username: To log in with, where the broker asks.
        password: To log in with, where the broker asks.
        ca: Certificates to trust instead of the system's.
        certificate: Client certificate.
        key: Its private key.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: str
    port: int
    tls: bool = False
    username: str | None = None
    password: Annotated[str | None, Field(repr=False)] = None
    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None

    @classmethod
    def parse(
        cls, url: str, *, ca: Path | None = None, certificate: Path | None = None, key: Path | None = None
    ) -> "Broker":
        """Read `mqtt://[user:password@]host[:port]`, or `mqtts://` for TLS.

        Raises:
            BrokerError: The address is not one; the message says how one looks.
        """
        parts = urlsplit(url)
        try:
            port = parts.port
        except ValueError as error:
            raise BrokerError(f"broker: {error}") from error
        if parts.scheme not in DEFAULT_PORTS or not parts.hostname or parts.path not in ("", "/"):
            raise BrokerError(f"broker: expected mqtt://host:1883 or mqtts://host:8883, got {_without_password(url)}")
        if (certificate is None) != (key is None):
            raise BrokerError("broker: a client certificate and its key go together")
        return cls(
            host=parts.hostname,
            port=port or DEFAULT_PORTS[parts.scheme],
            tls=parts.scheme == "mqtts",
            username=unquote(parts.username) if parts.username else None,
            password=unquote(parts.password) if parts.password else None,
            ca=ca,
            certificate=certificate,
            key=key,
        )

    @property
    def url(self) -> str:
        """The address without user and password."""
        return f"{'mqtts' if self.tls else 'mqtt'}://{self.host}:{self.port}"

    def tls_context(self) -> ssl.SSLContext | None:
        """What TLS is done with; `None` without TLS.

        Raises:
            BrokerError: A certificate file cannot be read.
        """
        if not self.tls:
            return None
        try:
            context = ssl.create_default_context(cafile=self.ca)
            if self.certificate is not None:
                context.load_cert_chain(self.certificate, self.key)
        except OSError as error:  # ssl.SSLError is one
            raise BrokerError(f"broker: certificate files: {error}") from error
        return context


def _without_password(url: str) -> str:
    return url if "@" not in url else f"{url.split('://', maxsplit=1)[0]}://...@{url.rsplit('@', maxsplit=1)[1]}"
