"""A long poll that nobody waits for takes no messages."""

import asyncio

from tests.servers.aws import DeployedStack


async def test_a_message_is_not_given_to_a_caller_that_has_hung_up(stack: DeployedStack) -> None:
    async with stack.aws.client("sqs") as sqs:
        url = (await sqs.get_queue_url(QueueName=stack.names.queue_quarantine))["QueueUrl"]
        poll = asyncio.create_task(sqs.receive_message(QueueUrl=url, WaitTimeSeconds=20))
        # The poll must have reached the server before it is given up; a later answer shows that requests do.
        await sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        done, _ = await asyncio.wait({poll}, timeout=0.5)
        assert not done
        poll.cancel()
        await asyncio.wait({poll})
        await sqs.send_message(QueueUrl=url, MessageBody="for the next")
        # The server looks for messages ten times a second on behalf of an open poll.
        for _ in range(10):
            attributes = await sqs.get_queue_attributes(
                QueueUrl=url, AttributeNames=["ApproximateNumberOfMessagesNotVisible"]
            )
            assert attributes["Attributes"]["ApproximateNumberOfMessagesNotVisible"] == "0"
            await asyncio.sleep(0.05)
        answer = await sqs.receive_message(QueueUrl=url, WaitTimeSeconds=10)
    assert [message["Body"] for message in answer.get("Messages", [])] == ["for the next"]
