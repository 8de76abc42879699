"""The stack is made once, changed in place, and says what failed."""

from textwrap import dedent

import pytest
from tests.servers.aws import AwsAccount, DeployedStack

from sensorcast_local.stack import StackFailed, deploy_stack


async def test_every_queue_and_table_of_names_exists(stack: DeployedStack) -> None:
    async with stack.aws.client("sqs") as sqs, stack.aws.client("dynamodb") as dynamodb:
        for queue in stack.names.queues:
            await sqs.get_queue_url(QueueName=queue)
            await sqs.get_queue_url(QueueName=stack.names.dead_letter(queue))
        for table in stack.names.tables:
            assert (await dynamodb.describe_table(TableName=table))["Table"]["TableStatus"] == "ACTIVE"


async def test_deploying_again_keeps_what_is_in_queues_and_tables(stack: DeployedStack) -> None:
    async with (
        stack.aws.client("sqs") as sqs,
        stack.aws.client("dynamodb") as dynamodb,
        stack.aws.client("cloudformation") as cloudformation,
    ):
        url = (await sqs.get_queue_url(QueueName=stack.names.queue_archive))["QueueUrl"]
        await sqs.send_message(QueueUrl=url, MessageBody="kept")
        item = {"pk": {"S": "t"}, "sk": {"S": "d"}}
        await dynamodb.put_item(TableName=stack.names.table_devices, Item=item)
        again = await deploy_stack(cloudformation, stack=stack.names.stack, poll=0.05)
        changed = await deploy_stack(
            cloudformation, stack=stack.names.stack, parameters={"MaxReceiveCount": "3"}, poll=0.05
        )
        assert again == changed == stack.outputs
        received = await sqs.receive_message(QueueUrl=url, WaitTimeSeconds=0)
        assert [message["Body"] for message in received["Messages"]] == ["kept"]
        assert (await dynamodb.get_item(TableName=stack.names.table_devices, Key=item))["Item"] == item
        attributes = (await sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["RedrivePolicy"]))["Attributes"]
        assert '"maxReceiveCount": "3"' in attributes["RedrivePolicy"]


async def test_a_parameter_that_is_left_out_keeps_its_value(account: AwsAccount) -> None:
    template = dedent("""\
        Parameters:
          Name: {Type: String, Default: first}
          Other: {Type: String, Default: "1"}
        Resources:
          Topic: {Type: AWS::SNS::Topic, Properties: {TopicName: topic}}
        Outputs:
          Name: {Value: !Ref Name}
        """)
    upgraded = template.replace("Outputs:", "  Second: {Type: AWS::SNS::Topic}\nOutputs:").replace(
        "  Other:", "  Third:"
    )
    async with account.aws.client("cloudformation") as cloudformation:
        made = await deploy_stack(
            cloudformation, stack="kept", template=template, parameters={"Name": "mine", "Other": "2"}, poll=0.05
        )
        again = await deploy_stack(cloudformation, stack="kept", template=upgraded, poll=0.05)
    assert made == again == {"Name": "mine"}


async def test_a_failing_resource_is_named_with_its_reason(account: AwsAccount) -> None:
    template = """
    Resources:
      Good: {Type: AWS::SNS::Topic, Properties: {TopicName: good}}
      Bad: {Type: AWS::Unheard::Of, DependsOn: Good}
    """
    async with account.aws.client("cloudformation") as cloudformation:
        with pytest.raises(StackFailed, match=r"Bad: .*AWS::Unheard::Of") as failure:
            await deploy_stack(cloudformation, stack="broken", template=template, poll=0.05)
        assert failure.value.resource == "Bad"
        mended = template.replace("AWS::Unheard::Of", "AWS::SNS::Topic")
        await deploy_stack(cloudformation, stack="broken", template=mended, poll=0.05)
