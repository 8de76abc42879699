"""What was set aside is counted, shown and sent back, on two implementations of SQS."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from tests.servers.aws import AwsAccount, DeployedStack
from typer.testing import CliRunner

from faststream_sqs.attributes import DEAD_LETTER_REASON, DEAD_LETTER_SOURCE
from sensorcast_common.aws import Aws
from sensorcast_common.dead_letters import DeadLetters, QueueMissing
from sensorcast_common.dead_letters_command import app
from sensorcast_common.names import Names

NAMES = Names("other")
ARCHIVE = NAMES.queue_archive


@pytest.fixture
async def aws(any_account: AwsAccount) -> AsyncIterator[Aws]:
    async with any_account.aws.client("sqs") as sqs:
        for queue in NAMES.queues:
            await sqs.create_queue(QueueName=queue)
            await sqs.create_queue(QueueName=NAMES.dead_letter(queue))
        url = (await sqs.get_queue_url(QueueName=NAMES.dead_letter(ARCHIVE)))["QueueUrl"]
        for number in range(12):
            await sqs.send_message(
                QueueUrl=url,
                MessageBody=f"body {number}",
                MessageAttributes={
                    DEAD_LETTER_REASON: {"DataType": "String", "StringValue": f"version {number} is not known"},
                    DEAD_LETTER_SOURCE: {"DataType": "String", "StringValue": ARCHIVE},
                    "kind": {"DataType": "String", "StringValue": "readings"},
                    "raw": {"DataType": "Binary", "BinaryValue": b"\x00\xff"},
                },
            )
        yield any_account.aws


async def test_messages_are_shown_and_sent_back_as_they_were(aws: Aws) -> None:
    async with aws.client("sqs") as sqs:
        letters = DeadLetters(sqs, NAMES)
        assert await letters.counts() == {queue: 12 if queue == ARCHIVE else 0 for queue in NAMES.queues}
        shown = await letters.show(ARCHIVE, limit=50)
        assert sorted(letter.body for letter in shown) == sorted(f"body {number}" for number in range(12))
        assert all(letter.reason and letter.reason.startswith("version ") for letter in shown)
        assert await letters.redrive(ARCHIVE, limit=11) == 11
        assert (await letters.counts())[ARCHIVE] == 1
        assert await letters.redrive(ARCHIVE, limit=50) == 1
        url = (await sqs.get_queue_url(QueueName=ARCHIVE))["QueueUrl"]
        found: dict[str, set[str]] = {}
        async with asyncio.timeout(30):
            while len(found) < 12:
                answer = await sqs.receive_message(
                    QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1, MessageAttributeNames=["All"]
                )
                found |= {each["Body"]: set(each["MessageAttributes"]) for each in answer.get("Messages", [])}
        assert all(attributes == {"kind", "raw"} for attributes in found.values())


async def test_a_queue_that_is_not_there_is_named(aws: Aws) -> None:
    async with aws.client("sqs") as sqs:
        with pytest.raises(QueueMissing, match="other-nothing-dlq"):
            await DeadLetters(sqs, NAMES).show("other-nothing", limit=1)


def test_the_command_names_a_missing_stack_and_counts_an_existing_one(stack: DeployedStack) -> None:
    run = CliRunner(env=stack.env).invoke
    counted = run(app, ["ls"])
    assert counted.exit_code == 0
    assert [line.split() for line in counted.output.splitlines()] == [["0", queue] for queue in stack.names.queues]
    missing = run(app, ["redrive", "--queue", "archive"], env={**stack.env, "SENSORCAST_STACK": "absent"})
    assert missing.exit_code == 1
    assert "absent-archive-dlq" in missing.output
