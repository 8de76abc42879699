"""An archiver that kills itself at one step of its work: `python -m tests.faults.dying_archiver STEP`."""

import os
import signal
import sys
from enum import StrEnum
from functools import partial

from aiobotocore.session import get_session

from sensorcast_archiver.app import build
from sensorcast_archiver.lake.catalog import open_table
from sensorcast_archiver.lake.opening import lake_properties
from sensorcast_archiver.lake.thread import LakeThread
from sensorcast_archiver.lake.write import LakeBatch, LakeWriter, _Plan
from sensorcast_archiver.settings import ArchiverSettings
from sensorcast_common.aws import Aws
from sensorcast_common.lifecycle import Lifecycle, serve
from sensorcast_common.names import Names


class Step(StrEnum):
    """Where it dies."""

    BEFORE_UPLOAD = "before-upload"
    BEFORE_COMMIT = "before-commit"
    AFTER_COMMIT = "after-commit"
    BEFORE_HOT = "before-call.dynamodb.BatchWriteItem"
    AFTER_HOT = "after-call.dynamodb.BatchWriteItem"
    BEFORE_DELETE = "before-call.sqs.DeleteMessageBatch"
    AFTER_DELETE = "after-call.sqs.DeleteMessageBatch"


def die(**_: object) -> None:
    """As `kill -9` does it: nothing is closed, released or said."""
    os.kill(os.getpid(), signal.SIGKILL)


class DyingWriter(LakeWriter):
    """A writer that dies at its first commit."""

    step: Step

    def _plan(self, batches: "list[LakeBatch]", before: _Plan | None) -> _Plan:  # type: ignore[override] # a list here
        if self.step is Step.BEFORE_UPLOAD:
            die()
        return super()._plan(batches, before)

    def _append(self, plan: _Plan) -> None:
        if self.step is Step.BEFORE_COMMIT:
            die()
        super()._append(plan)
        if self.step is Step.AFTER_COMMIT:
            die()


async def build_dying(step: Step, settings: ArchiverSettings, life: Lifecycle) -> None:
    """The service, doomed."""
    session = get_session()
    if "call" in step:
        session.register(step.value, die)
    aws, names = Aws(session=session), Names(settings.stack)
    properties = await lake_properties(settings, aws, names)

    def opened() -> LakeWriter:
        writer = DyingWriter(open_table(properties, namespace=names.lake_namespace, name=names.lake_readings))
        writer.step = step
        return writer

    await build(settings, life, aws=aws, lake=await life.enter(LakeThread(opened)))


if __name__ == "__main__":
    doomed = Step(sys.argv[1])
    sys.argv[1:] = []
    sys.exit(serve("archiver", ArchiverSettings, partial(build_dying, doomed)))
