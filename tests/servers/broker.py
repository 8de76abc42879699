"""Mosquitto for tests, with and without TLS."""

from pathlib import Path

from tests.servers.certificates import Certificates
from tests.servers.process import ServerProcess

from sensorcast_local import mosquitto
from sensorcast_local.command import LOOPBACK, free_port


class MosquittoServer(ServerProcess):
    """Mosquitto in a process of its own.

    Args:
        state_dir: Where it keeps sessions and certificates; start another one with the same to go on.
        port: TCP port of the plain listener; a free one if `None`.
        tls_port: TCP port of the listener that wants client certificates; a free one if `None`.
        max_inflight: As `mosquitto.command`.
        max_queued: As `mosquitto.command`.

    Raises:
        sensorcast_local.mosquitto.MosquittoMissing: It is not installed.
    """

    host = LOOPBACK

    def __init__(
        self,
        *,
        state_dir: Path,
        port: int | None = None,
        tls_port: int | None = None,
        max_inflight: int = 1000,
        max_queued: int = 200_000,
    ) -> None:
        self.port = port or free_port()
        self.tls_port = tls_port or free_port()
        self.certificates = Certificates(state_dir / "certificates")
        broker = self.certificates.issue("broker")
        command = mosquitto.command(
            port=self.port,
            state_dir=state_dir,
            tls=mosquitto.TlsListener(
                port=self.tls_port, ca=self.certificates.ca, certificate=broker.certificate, key=broker.key
            ),
            max_inflight=max_inflight,
            max_queued=max_queued,
        )
        super().__init__(
            name="Mosquitto",
            command=command,
            ready=lambda: mosquitto.is_ready(self.port) and mosquitto.is_ready(self.tls_port),
            log=state_dir / "mosquitto.log",
        )

    @property
    def url(self) -> str:
        """`mqtt://host:port` of the plain listener."""
        return f"mqtt://{self.host}:{self.port}"

    @property
    def tls_url(self) -> str:
        """`mqtts://host:port` of the listener that wants a certificate from `certificates.issue(name)`."""
        return f"mqtts://{self.host}:{self.tls_port}"
