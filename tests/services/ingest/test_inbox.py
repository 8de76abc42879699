"""The way in over AWS IoT Core's topic rule: the same validation; SQS keeps a message until SNS has its readings."""

import base64
import json
import secrets

import pytest
from tests.servers.aws import AwsAccount, DeployedStack
from tests.servers.waiting import until
from tests.services.ingest.live import archived, sample, set_aside

from sensorcast_common.errors import Poison
from sensorcast_common.lifecycle import Lifecycle
from sensorcast_common.names import Names
from sensorcast_ingest.app import build
from sensorcast_ingest.inbox import Inbox, opened
from sensorcast_ingest.settings import IngestSettings
from sensorcast_local.stack import deploy_stack, template_body


def ruled(sent: bytes, **more: object) -> str:
    message = {"payload": base64.b64encode(sent).decode(), "topic": "dt/acme/truck-1/readings", "received_at": 1}
    return json.dumps({**message, **more})


def test_a_message_of_the_rule_is_opened() -> None:
    message = opened(ruled(b"\x00\xff"), receive_count=1)
    assert (message.topic, message.payload, message.received_at) == ("dt/acme/truck-1/readings", b"\x00\xff", 1)
    assert not message.redelivered
    assert opened(ruled(b""), receive_count=2).redelivered


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ("[]", "body"),
        ("no json", "body"),
        (ruled(b"", received_at="soon"), "received_at"),
        (ruled(b"", payload="###"), "payload"),
        ('{"payload": "", "received_at": 1}', "topic"),
    ],
)
def test_what_the_rule_does_not_send_is_poison(body: str, named: str) -> None:
    with pytest.raises(Poison, match=named):
        opened(body, receive_count=1)


async def test_it_ends_once_nothing_waits() -> None:
    inbox = Inbox()
    inbox.stop()
    assert await inbox.next_batch() is None


@pytest.fixture
async def production(account: AwsAccount) -> DeployedStack:
    """Both templates in one account; fleet provisioning is what the emulator lacks."""
    names = Names()
    async with account.aws.client("cloudformation") as cloudformation:
        outputs = await deploy_stack(cloudformation, stack=names.stack, poll=0.05)
        outputs |= await deploy_stack(
            cloudformation,
            stack=f"{names.stack}-production",
            template=template_body("sensorcast-production.yaml"),
            parameters={"FleetProvisioning": "false", "TopicRule": "true"},
            poll=0.05,
        )
    return DeployedStack(account=account, names=names, outputs=outputs)


async def test_what_devices_send_to_iot_core_arrives_or_is_set_aside(production: DeployedStack) -> None:
    account = production.account
    tenant = f"tenant-{secrets.token_hex(4)}"
    settings = IngestSettings.model_validate({"source": "queue", "linger_ms": 20, "drain_seconds": 10.0})
    life = Lifecycle(drain_seconds=settings.drain_seconds)
    try:
        await build(settings, life, aws=account.aws)
        async with account.session.create_client(
            "iot-data", endpoint_url=account.endpoint_url, region_name=account.region
        ) as devices:
            for payload in (b'{"temperature": 4.2, "humidity": 61}', b'{"temperature": "warm"}'):
                await devices.publish(topic=f"dt/{tenant}/truck-1/readings", qos=1, payload=payload)
        readings = await archived(production, 2)
        assert {(reading.tenant, reading.device, reading.metric) for reading in readings} == {
            (tenant, "truck-1", "temperature"),
            (tenant, "truck-1", "humidity"),
        }
        [(_, payload, reason)] = await set_aside(production, 1)
        assert payload == b'{"temperature": "warm"}'
        assert reason
        async with account.aws.client("sqs") as sqs:
            url = (await sqs.get_queue_url(QueueName=production.names.queue_inbox))["QueueUrl"]

            async def forgotten() -> bool:
                names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
                found = await sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)  # type: ignore[arg-type]
                return set(found["Attributes"].values()) == {"0"}

            await until(forgotten)
        assert sample(life, "sensorcast_ingest_messages_total") == 2
    finally:
        assert await life.close() == 0
