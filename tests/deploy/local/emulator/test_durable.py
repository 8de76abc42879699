"""What was accepted is there after the emulator was killed and started again."""

import asyncio
import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from tests.servers.athena import ask
from tests.servers.aws import AwsAccount, DeployedStack, MinistackServer
from tests.servers.lake import open_table, reading_rows
from tests.servers.waiting import until

from sensorcast_common.names import Names
from sensorcast_local import emulator
from sensorcast_local.command import LOOPBACK, PortBusy, answers, free_port, require_free
from sensorcast_local.stack import deploy_stack


async def fill(account: AwsAccount) -> DeployedStack:
    """A stack with something in each place."""
    names = Names()
    async with (
        account.aws.client("cloudformation") as cloudformation,
        account.aws.client("sqs") as sqs,
        account.aws.client("sns") as sns,
        account.aws.client("dynamodb") as dynamodb,
    ):
        stack = DeployedStack(account=account, names=names, outputs=await deploy_stack(cloudformation, poll=0.05))
        url = (await sqs.get_queue_url(QueueName=names.queue_archive))["QueueUrl"]
        await sqs.send_message(QueueUrl=url, MessageBody="kept")
        await dynamodb.put_item(TableName=names.table_rules, Item={"pk": {"S": "acme"}, "sk": {"S": "r"}})
        await sns.publish(PhoneNumber="+4915112345678", Message="kept")
    await append(stack)
    assert await ask(stack, "SELECT count(*) FROM readings") == [["5"]]
    return stack


async def append(stack: DeployedStack) -> None:
    table = await asyncio.to_thread(open_table, stack, "readings")
    await asyncio.to_thread(table.append, reading_rows(table, count=5))


async def check(stack: DeployedStack, *, readings: str) -> None:
    """Everything `fill` left is there, and the stack needs no change."""
    names = stack.names
    async with (
        stack.aws.client("cloudformation") as cloudformation,
        stack.aws.client("sqs") as sqs,
        stack.aws.client("dynamodb") as dynamodb,
    ):
        assert await deploy_stack(cloudformation, poll=0.05) == stack.outputs
        url = (await sqs.get_queue_url(QueueName=names.queue_archive))["QueueUrl"]
        received = await sqs.receive_message(QueueUrl=url, WaitTimeSeconds=0, VisibilityTimeout=0)
        assert [message["Body"] for message in received["Messages"]] == ["kept"]
        key = {"pk": {"S": "acme"}, "sk": {"S": "r"}}
        assert "Item" in await dynamodb.get_item(TableName=names.table_rules, Key=key)
        await dynamodb.put_item(TableName=names.table_rules, Item={"pk": {"S": "new"}, "sk": {"S": "r"}})
    sent = await emulator.sent_sms(stack.account.endpoint_url, account=stack.account.account_id)
    assert [sms.message for sms in sent] == ["kept"]
    assert await ask(stack, "SELECT count(*) FROM readings") == [[readings]]


async def test_a_kill_loses_nothing_saved_and_no_snapshot(tmp_path: Path) -> None:
    server = MinistackServer(state_dir=tmp_path, save_every=3600)
    await asyncio.to_thread(server.start)
    try:
        stack = await fill(server.new_account())
        assert await emulator.save(server.endpoint_url)
        await append(stack)  # committed after the saving, but the lake's state is in S3
        await asyncio.to_thread(server.kill)
        await asyncio.to_thread(server.start)
        await check(stack, readings="10")
        await append(stack)
        await asyncio.to_thread(server.restart)
        await check(stack, readings="15")
    finally:
        await asyncio.to_thread(server.stop)


async def test_state_is_saved_every_so_often(tmp_path: Path) -> None:
    server = MinistackServer(state_dir=tmp_path, save_every=0.2)
    await asyncio.to_thread(server.start)
    try:
        account = server.new_account()
        async with account.aws.client("sqs") as sqs:
            await sqs.create_queue(QueueName="soon-on-disk")
            await until(lambda: "soon-on-disk" in _text(tmp_path / "state" / "sqs.json"))
    finally:
        await asyncio.to_thread(server.stop)


def _text(path: Path) -> str:
    return path.read_text() if path.exists() else ""


async def test_a_stack_that_was_interrupted_can_be_deployed_again(tmp_path: Path) -> None:
    server = MinistackServer(state_dir=tmp_path)
    await asyncio.to_thread(server.start)
    try:
        doing = {server.new_account(): "CREATE", server.new_account(): "UPDATE"}
        before = [await deploy(account) for account in doing]
        await asyncio.to_thread(server.stop)
        await asyncio.to_thread(interrupt, tmp_path / "state" / "cloudformation.json", list(doing.values()))
        await asyncio.to_thread(server.start)
        assert [await deploy(account) for account in doing] == before
    finally:
        await asyncio.to_thread(server.stop)


async def deploy(account: AwsAccount) -> dict[str, str]:
    async with account.aws.client("cloudformation") as cloudformation:
        return await deploy_stack(cloudformation, poll=0.05, within=20)


def interrupt(saved: Path, doing: list[str]) -> None:
    """Let the stacks of a saved state, in their order, be in progress."""
    state = json.loads(saved.read_text())
    for stack, what in zip(state["payload"]["stacks"]["data"].values(), doing, strict=True):
        stack["StackStatus"] = f"{what}_IN_PROGRESS"
    saved.write_text(json.dumps(state))


def test_a_busy_port_is_named(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind((LOOPBACK, 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(PortBusy, match=f"port {port} .*the emulator"):
            require_free(port, wanted_by="the emulator")
        command = emulator.command(port=port, state_dir=tmp_path)
        ended = subprocess.run(command.argv, capture_output=True, text=True, timeout=30, check=False)
    assert ended.returncode == 1
    assert f"port {port}" in ended.stderr


async def test_it_ends_with_the_process_that_started_it(tmp_path: Path) -> None:
    port = free_port()
    command = emulator.command(port=port, state_dir=tmp_path)
    parent = f"import subprocess, time; subprocess.Popen({list(command.argv)!r}); time.sleep(60)"
    starter = await asyncio.create_subprocess_exec(sys.executable, "-c", parent)
    try:
        await until(lambda: answers(port))
    finally:
        starter.kill()
        await starter.wait()
    await until(lambda: not answers(port))


def test_arguments_are_checked_first(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="port: expected 1 to 65535, got 0"):
        emulator.command(port=0, state_dir=tmp_path)
    with pytest.raises(ValueError, match="save_every"):
        emulator.command(port=4566, state_dir=tmp_path, save_every=0)
