"""Fixtures that every test may use: real servers on loopback, on free ports.

For a whole run:
    `ministack`    the AWS emulator as `sensorcast up` runs it; `.endpoint_url`, `.new_account()`
    `moto_server`  moto's server, an independent implementation; `.endpoint_url`, `await .new_account()`
    `mosquitto`    an MQTT broker; `.host`, `.port`, `.tls_port`, `.url`, `.tls_url`, `.certificates.issue("client")`;
                   the test is skipped, with the reason, where it is not installed

For one test:
    `account`      an empty AWS account on `ministack`; `async with account.aws.client("sqs") as sqs`, `.env` for a
                   process of its own, `.session`, `.endpoint_url`, `.account_id`, `.region`
    `any_account`  the same, and the test runs twice: on `ministack` and on `moto_server`
    `stack`        the CloudFormation template deployed in `account`; `.names`, `.outputs`, `.account`, `.aws`, `.env`
    `sent_sms`     `await sent_sms()` lists the SMS that `account` has sent

Beside them, in `tests/servers/`: `until(condition)` waits with a deadline, `ask(stack, sql, parameters)` asks Athena,
`open_table(stack, "readings")` opens the lake with pyiceberg.

A test that stops, kills or restarts a server starts one of its own:
    `with MinistackServer(state_dir=tmp_path) as server`, `with MosquittoServer(state_dir=tmp_path) as server`;
    inside a coroutine call `await asyncio.to_thread(server.restart)` and its like.
"""

from collections.abc import Awaitable, Callable, Iterator

import pytest
from hypothesis import settings
from tests.servers.aws import AwsAccount, DeployedStack, MinistackServer, MotoServer
from tests.servers.broker import MosquittoServer

from sensorcast_common.names import Names
from sensorcast_local import emulator
from sensorcast_local.mosquitto import MosquittoMissing
from sensorcast_local.stack import deploy_stack

# How long an example takes says more about the machine than about the code.
settings.register_profile("sensorcast", deadline=None)
settings.load_profile("sensorcast")


@pytest.fixture(scope="session")
def ministack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MinistackServer]:
    """The AWS emulator."""
    with MinistackServer(state_dir=tmp_path_factory.mktemp("ministack")) as server:
        yield server


@pytest.fixture(scope="session")
def moto_server() -> Iterator[MotoServer]:
    """Moto's server."""
    server = MotoServer()
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def mosquitto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MosquittoServer]:
    """An MQTT broker, plain and TLS."""
    try:
        server = MosquittoServer(state_dir=tmp_path_factory.mktemp("mosquitto"))
    except MosquittoMissing as missing:
        pytest.skip(str(missing))
    with server:
        yield server


@pytest.fixture
def account(ministack: MinistackServer) -> AwsAccount:
    """An empty AWS account on MiniStack."""
    return ministack.new_account()


@pytest.fixture(params=["ministack", "moto_server"])
async def any_account(request: pytest.FixtureRequest) -> AwsAccount:
    """An empty AWS account, on each of two independent implementations."""
    server = request.getfixturevalue(request.param)
    return await server.new_account() if isinstance(server, MotoServer) else server.new_account()


@pytest.fixture
async def stack(account: AwsAccount) -> DeployedStack:
    """The CloudFormation template, deployed in `account`."""
    names = Names()
    async with account.aws.client("cloudformation") as cloudformation:
        outputs = await deploy_stack(cloudformation, stack=names.stack, poll=0.05)
    return DeployedStack(account=account, names=names, outputs=outputs)


@pytest.fixture
def sent_sms(account: AwsAccount) -> Callable[[], Awaitable[list[emulator.SentSms]]]:
    """Lists the SMS that `account` has sent, oldest first."""

    async def listed() -> list[emulator.SentSms]:
        return await emulator.sent_sms(account.endpoint_url, account=account.account_id)

    return listed
