"""AWS goes away under an archiver that holds batches: nothing is lost, and it goes on by itself."""

import asyncio
from pathlib import Path

import pytest
from tests.servers.aws import DeployedStack, MinistackServer
from tests.servers.lake import lake_properties, open_table
from tests.servers.waiting import until
from tests.services.archiver.samples import T0, batch, reading

from sensorcast_archiver.app import build
from sensorcast_archiver.lake.catalog import open_table as archiver_opens_table
from sensorcast_archiver.lake.thread import LakeThread
from sensorcast_archiver.lake.write import LakeWriter
from sensorcast_archiver.settings import ArchiverSettings
from sensorcast_common.lifecycle import Lifecycle
from sensorcast_common.names import Names
from sensorcast_common.tables.hot_store import HotStore
from sensorcast_local.stack import deploy_stack


@pytest.mark.timeout(180)
async def test_an_archiver_goes_on_when_aws_comes_back(tmp_path: Path) -> None:
    settings = ArchiverSettings(hot_flush_seconds=1, lake_commit_seconds=1, visibility_seconds=30, drain_seconds=10)
    with MinistackServer(state_dir=tmp_path) as server:
        account = server.new_account()
        names = Names()
        async with account.aws.client("cloudformation") as cloudformation:
            outputs = await deploy_stack(cloudformation, stack=names.stack, poll=0.05)
        stack = DeployedStack(account=account, names=names, outputs=outputs)
        life = Lifecycle(drain_seconds=settings.drain_seconds)

        def value(name: str, **labels: str) -> float:
            return life.registry.get_sample_value(f"sensorcast_archiver_{name}", labels) or 0.0

        def open_lake() -> LakeWriter:
            table = archiver_opens_table(
                lake_properties(stack), namespace=names.lake_namespace, name=names.lake_readings
            )
            return LakeWriter(table)

        try:
            lake = await life.enter(LakeThread(open_lake))
            await build(settings, life, aws=stack.aws, lake=lake)
            async with stack.aws.client("sqs") as sqs:
                url = (await sqs.get_queue_url(QueueName=names.queue_archive))["QueueUrl"]
                for second in range(5):
                    await sqs.send_message(QueueUrl=url, MessageBody=batch(reading(second)).encode())
                await until(lambda: value("batches_total") >= 1)
                await asyncio.to_thread(server.stop)
                await until(
                    lambda: (
                        value("failed_writes_total", store="hot") >= 1
                        and value("failed_writes_total", store="lake") >= 1
                    ),
                    within=60,
                )
                assert set(await life.health.unready()) >= {"hot store", "lake"}
                assert life.health.dead() == {}
                await asyncio.to_thread(server.start)
                await sqs.send_message(QueueUrl=url, MessageBody=batch(reading(5)).encode())

                async def is_empty() -> bool:
                    attributes = (await sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"]))["Attributes"]
                    visible = attributes["ApproximateNumberOfMessages"]
                    return (visible, attributes["ApproximateNumberOfMessagesNotVisible"]) == ("0", "0")

                await until(is_empty, within=90)
                assert await life.health.unready() == {}
        finally:
            await life.close()
        rows = open_table(stack, "readings").scan().to_arrow().to_pylist()
        assert sorted(round(row["ts"].timestamp()) - T0 // 1000 for row in rows) == list(range(6))
        async with stack.aws.client("dynamodb") as dynamodb:
            hot = await HotStore(dynamodb, names).read("acme", "truck-1", start=T0, end=T0 + 10_000)
        assert hot["temperature"].ts == [T0 + second * 1000 for second in range(6)]
