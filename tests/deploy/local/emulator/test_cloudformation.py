"""Resources behave as the template declares them."""

import json

import pytest
from tests.servers.aws import AwsAccount, DeployedStack
from tests.servers.waiting import until

from sensorcast_local.stack import StackFailed, deploy_stack

WORKGROUP = """
Resources:
  WorkGroup:
    Type: AWS::Athena::WorkGroup
    Properties:
      Name: history
      WorkGroupConfiguration:
        BytesScannedCutoffPerQuery: {cutoff}
        ResultConfiguration: {{OutputLocation: "s3://results/"}}
"""
SCHEDULE = """
Resources:
  Queue: {{Type: AWS::SQS::Queue, Properties: {{QueueName: ticks}}}}
  Schedule:
    Type: AWS::Scheduler::Schedule
    Properties:
      Name: tick
      ScheduleExpression: {expression}
      FlexibleTimeWindow: {{Mode: "OFF"}}
      Target:
        Arn: !GetAtt Queue.Arn
        RoleArn: arn:aws:iam::123456789012:role/tick
        Input: '{{"due": "<aws.scheduler.scheduled-time>"}}'
"""


async def test_a_message_that_keeps_failing_reaches_the_dead_letter_queue(stack: DeployedStack) -> None:
    async with stack.aws.client("sqs") as sqs:
        url = (await sqs.get_queue_url(QueueName=stack.names.queue_archive))["QueueUrl"]
        dead = (await sqs.get_queue_url(QueueName=stack.names.dead_letter(stack.names.queue_archive)))["QueueUrl"]
        await sqs.send_message(QueueUrl=url, MessageBody="poison")
        for _ in range(6):
            await sqs.receive_message(QueueUrl=url, VisibilityTimeout=0, WaitTimeSeconds=0)
        moved = await sqs.receive_message(QueueUrl=dead, WaitTimeSeconds=2)
        assert [message["Body"] for message in moved["Messages"]] == ["poison"]


async def test_queues_have_the_attributes_of_the_template(stack: DeployedStack) -> None:
    async with stack.aws.client("sqs") as sqs:
        url = (await sqs.get_queue_url(QueueName=stack.names.queue_watch))["QueueUrl"]
        attributes = (await sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"]))["Attributes"]
    assert attributes["VisibilityTimeout"] == "60"
    assert attributes["MessageRetentionPeriod"] == "1209600"
    assert attributes["ReceiveMessageWaitTimeSeconds"] == "20"
    assert json.loads(attributes["RedrivePolicy"])["maxReceiveCount"] == "5"


async def test_topics_deliver_raw_messages_with_their_attributes(stack: DeployedStack) -> None:
    topic = f"arn:aws:sns:{stack.account.region}:{stack.account.account_id}:{stack.names.topic_readings}"
    async with stack.aws.client("sns") as sns, stack.aws.client("sqs") as sqs:
        await sns.publish(
            TopicArn=topic,
            Message="batch",
            MessageAttributes={"kind": {"DataType": "String", "StringValue": "readings"}},
        )
        for queue in (stack.names.queue_archive, stack.names.queue_watch):
            url = (await sqs.get_queue_url(QueueName=queue))["QueueUrl"]
            (message,) = (await sqs.receive_message(QueueUrl=url, MessageAttributeNames=["All"]))["Messages"]
            assert message["Body"] == "batch"
            assert message["MessageAttributes"]["kind"]["StringValue"] == "readings"


async def test_tables_expire_items_and_can_be_recovered(stack: DeployedStack) -> None:
    async with stack.aws.client("dynamodb") as dynamodb:
        table = stack.names.table_readings
        ttl = (await dynamodb.describe_time_to_live(TableName=table))["TimeToLiveDescription"]
        assert (ttl["TimeToLiveStatus"], ttl["AttributeName"]) == ("ENABLED", "expires_at")
        backups = (await dynamodb.describe_continuous_backups(TableName=table))["ContinuousBackupsDescription"]
        assert backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "ENABLED"


async def test_the_index_of_open_incidents_is_sparse(stack: DeployedStack) -> None:
    async with stack.aws.client("dynamodb") as dynamodb:
        for number, open_ in enumerate((True, False)):
            item = {"pk": {"S": "acme"}, "sk": {"S": f"incident-{number}"}, "opened_at": {"S": "2026-03-01"}}
            await dynamodb.put_item(
                TableName=stack.names.table_incidents, Item=item | ({"tenant_open": {"S": "acme"}} if open_ else {})
            )
        found = await dynamodb.query(
            TableName=stack.names.table_incidents,
            IndexName="open",
            KeyConditionExpression="tenant_open = :tenant",
            ExpressionAttributeValues={":tenant": {"S": "acme"}},
        )
    assert [item["sk"]["S"] for item in found["Items"]] == ["incident-0"]


async def test_a_workgroup_is_made_changed_and_deleted(account: AwsAccount) -> None:
    async with account.aws.client("cloudformation") as cloudformation, account.aws.client("athena") as athena:
        for cutoff in (10_000_000, 20_000_000):
            await deploy_stack(cloudformation, stack="query", template=WORKGROUP.format(cutoff=cutoff), poll=0.05)
            configuration = (await athena.get_work_group(WorkGroup="history"))["WorkGroup"]["Configuration"]
            assert int(configuration["BytesScannedCutoffPerQuery"]) == cutoff
            assert configuration["ResultConfiguration"]["OutputLocation"] == "s3://results/"
        await cloudformation.delete_stack(StackName="query")

        async def only_primary() -> bool:
            return [group["Name"] for group in (await athena.list_work_groups())["WorkGroups"]] == ["primary"]

        await until(only_primary)


async def test_a_table_that_exists_fails_the_stack(account: AwsAccount) -> None:
    async with account.aws.client("cloudformation") as cloudformation, account.aws.client("dynamodb") as dynamodb:
        await dynamodb.create_table(
            TableName="sensorcast-rules",
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        )
        await dynamodb.put_item(TableName="sensorcast-rules", Item={"pk": {"S": "kept"}})
        with pytest.raises(StackFailed, match=r"RulesTable: .*already exists"):
            await deploy_stack(cloudformation, poll=0.05)


async def test_a_schedule_fires_in_its_own_account_with_the_time_it_was_due(account: AwsAccount) -> None:
    async with account.aws.client("cloudformation") as cloudformation, account.aws.client("sqs") as sqs:
        never = SCHEDULE.format(expression="at(2999-01-01T00:00:00)")
        await deploy_stack(cloudformation, stack="ticking", template=never, poll=0.05)
        now = SCHEDULE.format(expression="at(2026-01-01T00:00:00)")
        await deploy_stack(cloudformation, stack="ticking", template=now, poll=0.05)
        url = (await sqs.get_queue_url(QueueName="ticks"))["QueueUrl"]
        (message,) = (await sqs.receive_message(QueueUrl=url, WaitTimeSeconds=10))["Messages"]
    assert json.loads(message["Body"])["due"].startswith("20")
