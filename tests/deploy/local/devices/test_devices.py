"""`sensorcast device add`: the certificate opens what it should, and nothing else."""

import asyncio
import datetime
import secrets
import stat
from pathlib import Path

import pytest
import yaml
from cryptography import x509
from tests.deploy.k8s import helm
from tests.servers.aws import AwsAccount, DeployedStack
from tests.servers.certificates import Certificates
from tests.servers.process import ServerProcess
from typer.testing import CliRunner, Result

from sensorcast_common.mqtt import MqttSettings, mqtt_client
from sensorcast_common.names import Names
from sensorcast_local import mosquitto
from sensorcast_local.command import Command, free_port
from sensorcast_local.devices.authority import Authority
from sensorcast_local.devices.command import app
from sensorcast_local.stack import deploy_stack, template_body

NOW = datetime.datetime.now(datetime.UTC)


def add(folder: Path, tenant: str, device: str, *more: str, env: dict[str, str] | None = None) -> Result:
    where = ["--out", str(folder / "devices"), "--authority", str(folder / "authority")]
    return CliRunner(env=env or {}).invoke(app, ["add", device, "--tenant", tenant, *where, *more])


class Broker(ServerProcess):
    """Mosquitto as the chart configures it: only certificates of the authority, names from them, one ACL."""

    def __init__(self, folder: Path, *, authority: Path, acl: Path) -> None:
        program = mosquitto.find()
        if program is None:
            pytest.skip("mosquitto is not installed")
        self.port = free_port()
        server = Certificates(folder / "server")
        issued = server.issue("localhost")
        self.ca = server.ca
        conf = folder / "mosquitto.conf"
        conf.write_text(
            f"listener {self.port} 127.0.0.1\ncafile {authority}\ncertfile {issued.certificate}\nkeyfile {issued.key}\n"
            f"require_certificate true\nuse_identity_as_username true\nallow_anonymous false\nacl_file {acl}\n"
            "user root\nlog_dest stderr\n"
        )
        super().__init__(
            name="Mosquitto",
            command=Command(argv=(str(program), "-c", str(conf))),
            ready=lambda: mosquitto.is_ready(self.port),
            log=folder / "mosquitto.log",
        )

    def settings(self, certificate: Path, key: Path) -> MqttSettings:
        return MqttSettings(
            mqtt_url=f"mqtts://localhost:{self.port}",
            mqtt_client_id=f"client-{secrets.token_hex(4)}",
            mqtt_ca_file=self.ca,
            mqtt_cert_file=certificate,
            mqtt_key_file=key,
        )


async def test_mosquitto_takes_from_a_device_its_own_readings_only(tmp_path: Path) -> None:
    for device in ("truck-1", "truck-2"):
        result = add(tmp_path, "acme", device, "--broker", "mosquitto")
        assert result.exit_code == 0, result.output
    authority = tmp_path / "authority"
    certificate, key = Authority(authority, now=NOW).issue("sensorcast", days=1)
    (tmp_path / "services.crt").write_bytes(certificate)
    (tmp_path / "services.key").write_bytes(key)
    acl = tmp_path / "acl"
    acl.write_text("user sensorcast\ntopic read dt/#\n\n" + (authority / "acl").read_text())
    with Broker(tmp_path, authority=authority / "ca.crt", acl=acl) as broker:
        services = broker.settings(tmp_path / "services.crt", tmp_path / "services.key")
        devices = tmp_path / "devices"
        topics: list[str] = []
        async with mqtt_client(services) as client, asyncio.timeout(30):
            await client.subscribe("dt/#", qos=1)
            truck = broker.settings(devices / "acme.truck-1.crt", devices / "acme.truck-1.key")
            async with mqtt_client(truck) as sender:
                for topic in ("dt/acme/truck-2/readings", "dt/other/truck-1/readings", "dt/acme/truck-1/readings"):
                    await sender.publish(topic, b"{}", qos=1)
            async for message in client.messages:
                topics.append(str(message.topic))
                if topics[-1] == "dt/acme/truck-1/readings":
                    break
        assert topics == ["dt/acme/truck-1/readings"], "one connection's messages arrive in the order of their sending"


async def test_devices_of_the_old_and_the_new_authority_connect_while_the_broker_trusts_both(tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    for folder in (old, new):
        assert add(folder, "acme", "truck-1", "--broker", "mosquitto").exit_code == 0
    both = tmp_path / "ca.crt"
    both.write_text("".join((folder / "authority" / "ca.crt").read_text() for folder in (old, new)))
    with Broker(tmp_path, authority=both, acl=old / "authority" / "acl") as broker:
        for folder in (old, new):
            certificate, key = (folder / "devices" / f"acme.truck-1.{kind}" for kind in ("crt", "key"))
            async with asyncio.timeout(30), mqtt_client(broker.settings(certificate, key)) as truck:
                await truck.publish("dt/acme/truck-1/readings", b"{}", qos=1)


def test_keys_are_for_their_owner_and_never_overwritten(tmp_path: Path) -> None:
    assert add(tmp_path, "acme", "truck-1", "--broker", "mosquitto", "--days", "30").exit_code == 0
    key, certificate = (tmp_path / "devices" / f"acme.truck-1.{kind}" for kind in ("key", "crt"))
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "authority" / "ca.key").stat().st_mode) == 0o600
    made = x509.load_pem_x509_certificate(certificate.read_bytes())
    assert made.subject.rfc4514_string() == "CN=acme/truck-1"
    assert made.not_valid_after_utc - made.not_valid_before_utc < datetime.timedelta(days=31)
    before = key.read_bytes()
    again = add(tmp_path, "acme", "truck-1", "--broker", "mosquitto")
    assert again.exit_code == 1
    assert "not overwritten" in again.output
    assert key.read_bytes() == before
    assert (tmp_path / "authority" / "acl").read_text().count("user acme/truck-1\n") == 1


@pytest.mark.parametrize(("tenant", "device"), [("a/b", "c"), ("acme", "#"), ("acme", "")])
def test_names_that_would_open_other_topics_are_refused(tmp_path: Path, tenant: str, device: str) -> None:
    assert add(tmp_path, tenant, device, "--broker", "mosquitto").exit_code == 2
    assert not (tmp_path / "authority").exists()


@pytest.fixture
async def production(account: AwsAccount) -> DeployedStack:
    names = Names()
    async with account.aws.client("cloudformation") as cloudformation:
        outputs = await deploy_stack(
            cloudformation,
            stack=f"{names.stack}-production",
            template=template_body("sensorcast-production.yaml"),
            parameters={"FleetProvisioning": "false"},
            poll=0.05,
        )
    return DeployedStack(account=account, names=names, outputs=outputs)


async def test_iot_core_has_thing_certificate_and_policy(production: DeployedStack, tmp_path: Path) -> None:
    result = await asyncio.to_thread(add, tmp_path, "acme", "truck-1", env=production.env)
    assert result.exit_code == 0, result.output
    async with production.aws.client("iot") as iot:
        thing = await iot.describe_thing(thingName="acme:truck-1")
        assert thing["thingTypeName"] == production.names.thing_type
        assert thing["attributes"] == {"tenant": "acme", "device": "truck-1"}
        [principal] = (await iot.list_thing_principals(thingName="acme:truck-1"))["principals"]
        [policy] = (await iot.list_attached_policies(target=principal))["policies"]
        assert policy["policyName"] == production.names.device_policy
        certificate = await iot.describe_certificate(certificateId=principal.rpartition("/")[2])
        assert certificate["certificateDescription"]["status"] == "ACTIVE"
    written = (tmp_path / "devices" / "acme.truck-1.crt").read_text()
    assert written == certificate["certificateDescription"]["certificatePem"]


async def test_iot_core_keeps_no_certificate_of_a_device_that_failed(account: AwsAccount, tmp_path: Path) -> None:
    """Without the production stack there is no policy to attach."""
    result = await asyncio.to_thread(add, tmp_path, "acme", "truck-1", env=account.env)
    assert result.exit_code == 1
    async with account.aws.client("iot") as iot:
        assert (await iot.list_certificates())["certificates"] == []
    assert list((tmp_path / "devices").iterdir()) == []


@pytest.mark.skipif(helm.find() is None, reason="helm is not built: it needs Go 1.26 or later")
def test_the_chart_lets_the_services_names_do_what_the_broker_test_does() -> None:
    objects = yaml.safe_load_all(helm.template(helm.CHART / "ci" / "mosquitto-values.yaml"))
    [config] = [
        each["data"]
        for each in objects
        if each and each["kind"] == "ConfigMap" and each["metadata"]["name"].endswith("-mosquitto")
    ]
    assert "user sensorcast\ntopic read dt/#\n" in config["services.acl"]
    for line in ("require_certificate true", "use_identity_as_username true", "allow_anonymous false"):
        assert line in config["mosquitto.conf"].splitlines()
