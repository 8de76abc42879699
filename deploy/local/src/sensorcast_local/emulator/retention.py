"""Topics that do not remember.

MiniStack 1.4.21 keeps every message ever published in the memory of its topic. SNS keeps none once they are delivered,
and at the rate of a fleet the emulator would grow without end.
"""

from typing import Any

from sensorcast_local.emulator.reach import ministack


def install() -> None:
    """Forget a topic's messages once they are handed to its subscribers."""
    sns = ministack("services.sns")
    fan_out = sns._fanout

    def fan_out_and_forget(topic_arn: str, *args: Any, **options: Any) -> object:
        result: object = fan_out(topic_arn, *args, **options)
        topic = sns._topics.get(topic_arn)
        if topic is not None:
            topic["messages"].clear()
        return result

    sns._fanout = fan_out_and_forget
