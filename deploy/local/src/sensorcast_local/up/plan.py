"""What `up` was asked to run, and the addresses that follow from it."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sensorcast_common.aws import Aws
from sensorcast_common.names import Names
from sensorcast_local.broker import Broker
from sensorcast_local.command import LOOPBACK, free_port, require_free
from sensorcast_local.fleet.fault import USUAL, FaultTimes

ACCOUNT: Final = "000000000000"
REGION: Final = "eu-central-1"
DEMO_PHONE: Final = "+15555550100"
"""555-0100 to 555-0199 are kept free for fiction in the North American numbering plan."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to run.

    Attributes:
        data_dir: Where everything is kept.
        port: TCP port of the API.
        emulator_port: TCP port of the AWS emulator.
        mqtt_port: TCP port of the broker that is started, MQTT over TLS where there is no Mosquitto.
        broker: A broker that runs already; `None` starts one.
        fleet: How many trucks to simulate; 0 for none.
        history: Seconds of their past.
        seed: Of the simulation.
        tenant: Whose trucks, rules and API key.
        phone: The driver's, who gets the SMS, E.164.
        fault_times: When a truck leaves its limit, and is put right.
        traces: Address of a collector that gets every trace (OTLP over HTTP); `None` records none.
    """

    data_dir: Path
    port: int
    emulator_port: int
    mqtt_port: int
    broker: Broker | None
    fleet: int
    history: int
    seed: int
    tenant: str
    phone: str
    fault_times: FaultTimes = USUAL
    traces: str | None = None

    @property
    def api_url(self) -> str:
        """Address of the API."""
        return f"http://{LOOPBACK}:{self.port}"

    @property
    def endpoint_url(self) -> str:
        """Address of the AWS emulator."""
        return f"http://{LOOPBACK}:{self.emulator_port}"

    @property
    def log_dir(self) -> Path:
        """Where the programs' logs are."""
        return self.data_dir / "logs"

    @property
    def key_file(self) -> Path:
        """Where the API key is kept; it is there after the first start."""
        return self.data_dir / "api-key"

    @property
    def names(self) -> Names:
        """Names of the stack's resources."""
        return Names()

    @property
    def aws_environment(self) -> dict[str, str]:
        """What the AWS SDK reads: the emulator's address, and an account that exists nowhere else."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "AWS_ACCESS_KEY_ID": ACCOUNT,
            "AWS_SECRET_ACCESS_KEY": "emulator",
            "AWS_DEFAULT_REGION": REGION,
            "AWS_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    @property
    def traces_environment(self) -> dict[str, str]:
        """What the services are told about traces."""
        if self.traces is None:
            return {}
        return {
            "SENSORCAST_TRACES": "otlp",
            "SENSORCAST_TRACES_ENDPOINT": self.traces,
            "SENSORCAST_TRACES_RATIO": "1",
        }

    def aws(self) -> Aws:
        """Clients of the emulator."""
        from aiobotocore.session import AioSession

        session = AioSession()
        session.set_credentials(ACCOUNT, "emulator")
        return Aws(session=session, region=REGION, endpoint_url=self.endpoint_url)

    def require_free_ports(self) -> None:
        """Check that nobody else listens where we want to.

        Raises:
            PortBusy: Somebody does; the message names the port, what needs it and the option to change it.
        """
        require_free(self.port, wanted_by="the API (--port)")
        require_free(self.emulator_port, wanted_by="the AWS emulator (--emulator-port)")
        if self.broker is None:
            require_free(self.mqtt_port, wanted_by="the MQTT broker (--mqtt-port)")


def inherited_environment() -> dict[str, str]:
    """Our environment without what could send a service to a real AWS account or change its settings."""
    return {
        name: value
        for name, value in os.environ.items()  # noqa: TID251 - the settings of the programs that are started
        if not name.startswith(("AWS_", "SENSORCAST_"))
    }


def free_ports(*names: str) -> dict[str, int]:
    """A free port for each name; all different."""
    ports: dict[str, int] = {}
    while len(ports) < len(names):
        port = free_port()
        if port not in ports.values():
            ports[names[len(ports)]] = port
    return ports
