"""What waits in the stack's queues, as SQS and CloudWatch tell."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from botocore.exceptions import BotoCoreError, ClientError
from pydantic import BaseModel

from sensorcast_common.clock import Clock, from_millis
from sensorcast_common.logs import logger
from sensorcast_common.names import Names
from sensorcast_common.tables.at_once import at_once

if TYPE_CHECKING:
    from types_aiobotocore_cloudwatch import CloudWatchClient
    from types_aiobotocore_sqs import SQSClient

log = logger(__name__)

_AT_ONCE: Final = 10
_METRIC_WINDOW: Final = timedelta(minutes=10)


class QueueStatus(BaseModel):
    """One queue.

    Attributes:
        queue: Its name without the stack's prefix.
        waiting: Messages that wait, about.
        in_work: Messages that a service has taken and not finished.
        oldest_seconds: Age of the oldest message as CloudWatch last had it; null where messages wait and it has none.
        dead_letters: Messages that could not be handled and were set aside.
    """

    queue: str
    waiting: int
    in_work: int
    oldest_seconds: int | None = None
    dead_letters: int


class StackQueues:
    """Asks SQS for each queue and its dead-letter queue, and CloudWatch for the ages.

    SQS itself does not tell ages. Where CloudWatch has no metrics, as in the emulator, the age of what waits is not
    known, and that of an empty queue is 0, as CloudWatch would have it.

    Args:
        sqs: An open client.
        cloudwatch: An open client.
        names: Names of the stack.
        clock: The present, for the window of metrics.
    """

    def __init__(self, sqs: "SQSClient", cloudwatch: "CloudWatchClient", names: Names, *, clock: Clock) -> None:
        self._sqs = sqs
        self._cloudwatch = cloudwatch
        self._names = names
        self._clock = clock
        self._urls: dict[str, str] = {}

    async def look(self) -> Sequence[QueueStatus]:
        """All queues, in the order of `Names.queues`."""
        ages = await self._ages()

        async def one(queue: str) -> QueueStatus:
            waiting, in_work = await self._depth(queue)
            return QueueStatus(
                queue=queue.removeprefix(f"{self._names.stack}-"),
                waiting=waiting,
                in_work=in_work,
                oldest_seconds=ages.get(queue, None if waiting or in_work else 0),
                dead_letters=sum(await self._depth(self._names.dead_letter(queue))),
            )

        return await at_once(one, self._names.queues, limit=_AT_ONCE)

    async def _depth(self, queue: str) -> tuple[int, int]:
        """Messages that wait, delayed ones with them, and those in work."""
        if queue not in self._urls:
            self._urls[queue] = (await self._sqs.get_queue_url(QueueName=queue))["QueueUrl"]
        answer = await self._sqs.get_queue_attributes(
            QueueUrl=self._urls[queue],
            AttributeNames=[
                "ApproximateNumberOfMessages",
                "ApproximateNumberOfMessagesDelayed",
                "ApproximateNumberOfMessagesNotVisible",
            ],
        )
        counts = {name: int(value) for name, value in answer.get("Attributes", {}).items()}
        waiting = counts.get("ApproximateNumberOfMessages", 0) + counts.get("ApproximateNumberOfMessagesDelayed", 0)
        return waiting, counts.get("ApproximateNumberOfMessagesNotVisible", 0)

    async def _ages(self) -> Mapping[str, int]:
        """By queue the age of its oldest message in seconds."""
        now = from_millis(self._clock())
        try:
            answer = await self._cloudwatch.get_metric_data(
                StartTime=now - _METRIC_WINDOW,
                EndTime=now,
                ScanBy="TimestampDescending",
                MetricDataQueries=[
                    {
                        "Id": f"q{number}",
                        "MetricStat": {
                            "Metric": {
                                "Namespace": "AWS/SQS",
                                "MetricName": "ApproximateAgeOfOldestMessage",
                                "Dimensions": [{"Name": "QueueName", "Value": queue}],
                            },
                            "Period": 60,
                            "Stat": "Maximum",
                        },
                    }
                    for number, queue in enumerate(self._names.queues)
                ],
            )
        except (BotoCoreError, ClientError, OSError) as error:
            # Depths are worth showing without ages.
            log.warning("CloudWatch does not tell the ages of messages", error=str(error)[:200])
            return {}
        return {
            self._names.queues[int(result["Id"][1:])]: round(result["Values"][0])
            for result in answer["MetricDataResults"]
            if result.get("Values")
        }
