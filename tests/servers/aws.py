"""The AWS emulators that tests run against, and an account of one's own on them."""

import secrets
from dataclasses import dataclass
from pathlib import Path

import httpx
from aiobotocore.session import AioSession, get_session
from moto.server import ThreadedMotoServer
from tests.servers.process import ServerProcess

from sensorcast_common.aws import Aws
from sensorcast_common.names import Names
from sensorcast_local import emulator
from sensorcast_local.command import LOOPBACK, free_port

REGION = "eu-central-1"

_MODELS = get_session().get_component("data_loader")
"""Service models, read once: to read them anew for each test's sessions takes most of a second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AwsAccount:
    """An empty AWS account.

    Args:
        endpoint_url: Where its AWS is.
        account_id: 12 digits.
        access_key: Access key id; on MiniStack it is the account id.
        secret_key: Secret access key.
        token: Session token; empty for none.
        region: AWS Region.
    """

    endpoint_url: str
    account_id: str
    access_key: str
    secret_key: str
    token: str = ""
    region: str = REGION

    @property
    def env(self) -> dict[str, str]:
        """The variables with which a process of its own, or a settings class, speaks to this account."""
        env = {
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_REGION": self.region,
        }
        return env | ({"AWS_SESSION_TOKEN": self.token} if self.token else {})

    @property
    def session(self) -> AioSession:
        """A new aiobotocore session with the account's credentials; pass `endpoint_url` and `region` to its clients."""
        session = get_session()
        session.register_component("data_loader", _MODELS)
        session.set_credentials(self.access_key, self.secret_key, self.token or None)
        session.set_config_variable("region", self.region)
        return session

    @property
    def aws(self) -> Aws:
        """What the services use to make clients: `async with account.aws.client("sqs") as sqs`."""
        return Aws(session=self.session, region=self.region, endpoint_url=self.endpoint_url)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeployedStack:
    """The CloudFormation template, deployed.

    Args:
        account: In which account.
        names: The names of its resources.
        outputs: The template's outputs.
    """

    account: AwsAccount
    names: Names
    outputs: dict[str, str]

    @property
    def env(self) -> dict[str, str]:
        """As `AwsAccount.env`."""
        return self.account.env

    @property
    def aws(self) -> Aws:
        """As `AwsAccount.aws`."""
        return self.account.aws


class MinistackServer(ServerProcess):
    """The completed emulator in a process of its own.

    Args:
        state_dir: Where it keeps everything; start another one with the same to go on where this one ended.
        port: TCP port; a free one if `None`.
        save_every: Seconds between two savings of what is kept in memory.
        iot_port: TCP port of IoT Core's MQTT over TLS; `None` leaves it off.
    """

    def __init__(
        self, *, state_dir: Path, port: int | None = None, save_every: float = 30.0, iot_port: int | None = None
    ) -> None:
        self.state_dir = state_dir
        self.port = port or free_port()
        self.iot_port = iot_port
        self.endpoint_url = f"http://{LOOPBACK}:{self.port}"
        super().__init__(
            name="MiniStack",
            command=emulator.command(port=self.port, state_dir=state_dir, save_every=save_every, iot_port=iot_port),
            ready=self._answers,
            log=state_dir / "emulator.log",
        )

    def _answers(self) -> bool:
        try:
            return httpx.get(self.endpoint_url + emulator.READY_PATH, timeout=2).status_code == 200
        except httpx.HTTPError:
            return False

    def new_account(self) -> AwsAccount:
        """An account nobody has used."""
        account_id = new_account_id()
        return AwsAccount(
            endpoint_url=self.endpoint_url, account_id=account_id, access_key=account_id, secret_key="secret"
        )


class MotoServer:
    """moto's server, in a thread of this process."""

    def __init__(self) -> None:
        self.port = free_port()
        self.endpoint_url = f"http://{LOOPBACK}:{self.port}"
        self._server = ThreadedMotoServer(ip_address=LOOPBACK, port=self.port, verbose=False)

    def start(self) -> None:
        """Start it; it answers when this returns."""
        self._server.start()

    def stop(self) -> None:
        """End it."""
        self._server.stop()

    async def new_account(self) -> AwsAccount:
        """An account nobody has used: moto tells accounts by assumed roles."""
        account_id = new_account_id()
        session = get_session()
        async with session.create_client(
            "sts",
            endpoint_url=self.endpoint_url,
            region_name=REGION,
            aws_access_key_id="test",
            aws_secret_access_key="test",
        ) as sts:
            role = f"arn:aws:iam::{account_id}:role/test"
            credentials = (await sts.assume_role(RoleArn=role, RoleSessionName="test"))["Credentials"]
        return AwsAccount(
            endpoint_url=self.endpoint_url,
            account_id=account_id,
            access_key=credentials["AccessKeyId"],
            secret_key=credentials["SecretAccessKey"],
            token=credentials["SessionToken"],
        )


def new_account_id() -> str:
    """Twelve random digits, the first not 0."""
    return str(secrets.randbelow(9 * 10**11) + 10**11)
