"""Text messages can be read again, and topics forget what they delivered."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

from tests.servers.aws import AwsAccount, DeployedStack, MinistackServer

from sensorcast_local.emulator import SentSms, save

SmsList = Callable[[], Awaitable[list[SentSms]]]


async def test_an_sms_is_listed_with_its_text_for_its_account_only(
    account: AwsAccount, ministack: MinistackServer, sent_sms: SmsList
) -> None:
    assert await sent_sms() == []
    stranger = ministack.new_account()
    async with account.aws.client("sns") as sns, stranger.aws.client("sns") as strangers:
        await strangers.publish(PhoneNumber="+15550100", Message="not ours")
        answer = await sns.publish(PhoneNumber="+4915112345678", Message="Truck 7 passes 8 °C in 12 min & rising")
    (sms,) = await sent_sms()
    assert (sms.phone_number, sms.message) == ("+4915112345678", "Truck 7 passes 8 °C in 12 min & rising")
    assert sms.message_id == answer["MessageId"]
    assert abs(datetime.now(UTC) - sms.sent_at) < timedelta(minutes=1)


async def test_a_topic_keeps_no_message(stack: DeployedStack, ministack: MinistackServer) -> None:
    topic = f"arn:aws:sns:{stack.account.region}:{stack.account.account_id}:{stack.names.topic_readings}"
    async with stack.aws.client("sns") as sns:
        await sns.publish(TopicArn=topic, Message="single-forgotten")
        entries = [{"Id": str(number), "Message": f"batch-forgotten-{number}"} for number in range(3)]
        await sns.publish_batch(
            TopicArn=topic,
            PublishBatchRequestEntries=[{"Id": entry["Id"], "Message": entry["Message"]} for entry in entries],
        )
    assert await save(ministack.endpoint_url)
    assert "forgotten" not in saved(ministack, "sns")
    assert "forgotten" in saved(ministack, "sqs")


def saved(server: MinistackServer, service: str) -> str:
    return (server.state_dir / "state" / f"{service}.json").read_text()
