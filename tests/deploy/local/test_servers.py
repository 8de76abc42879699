"""The servers behind the fixtures are what they say."""

import asyncio
import ssl

import aiomqtt
from tests.servers.aws import AwsAccount
from tests.servers.broker import MosquittoServer


async def test_each_account_has_its_own_queues(any_account: AwsAccount) -> None:
    async with any_account.aws.client("sts") as sts, any_account.aws.client("sqs") as sqs:
        assert (await sts.get_caller_identity())["Account"] == any_account.account_id
        assert (await sqs.list_queues()).get("QueueUrls", []) == []
        url = (await sqs.create_queue(QueueName="mine"))["QueueUrl"]
        assert any_account.account_id in url
        await sqs.send_message(QueueUrl=url, MessageBody="hello")
        received = await sqs.receive_message(QueueUrl=url)
        assert received["Messages"][0]["Body"] == "hello"


async def test_mosquitto_takes_plain_and_certified_clients(mosquitto: MosquittoServer) -> None:
    client = mosquitto.certificates.issue("client")
    context = ssl.create_default_context(cafile=str(mosquitto.certificates.ca))
    context.load_cert_chain(client.certificate, client.key)
    async with (
        aiomqtt.Client(mosquitto.host, mosquitto.port) as plain,
        aiomqtt.Client(mosquitto.host, mosquitto.tls_port, tls_context=context) as certified,
    ):
        await plain.subscribe("test/servers", qos=1)
        await certified.publish("test/servers", b"hello", qos=1)
        async with asyncio.timeout(30):
            message = await anext(aiter(plain.messages))
        assert message.payload == b"hello"
