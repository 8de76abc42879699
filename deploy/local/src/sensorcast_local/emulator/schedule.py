"""Schedules that say when they were due, and fire then.

MiniStack 1.4.21 sends a target's input with `<aws.scheduler.scheduled-time>` and its like as they stand, and looks for
due schedules every 10 seconds only.

Source: EventBridge Scheduler user guide, "Adding context attributes".
"""

from datetime import UTC, datetime
from typing import Any

from sensorcast_local.emulator.reach import ministack

TICK = 1.0  # s


def install() -> None:
    """Put the context attributes in the place of their names."""
    scheduler = ministack("services.scheduler")
    eventbridge = ministack("services.eventbridge")
    invoke = eventbridge._invoke_target

    def invoke_target(target: dict[str, Any], event: dict[str, Any], rule: dict[str, Any], *rest: Any) -> object:
        if event.get("Source") == "aws.scheduler" and "Input" in target:
            target = target | {"Input": _with_context(target["Input"], event, rule)}
        result: object = invoke(target, event, rule, *rest)
        return result

    eventbridge._invoke_target = invoke_target
    scheduler._SCHEDULE_TICK_INTERVAL = TICK


def _with_context(text: str, event: dict[str, Any], schedule: dict[str, Any]) -> str:
    due = datetime.fromtimestamp(event["Time"], UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    context = {"schedule-arn": schedule["Arn"], "scheduled-time": due, "execution-id": event["EventId"]}
    for name, value in (context | {"attempt-number": "1"}).items():
        text = text.replace(f"<aws.scheduler.{name}>", value)
    return text
