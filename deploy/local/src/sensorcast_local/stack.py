"""Create or update the AWS resources: the CloudFormation template on AWS or on the emulator."""

import asyncio
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from types_aiobotocore_cloudformation import CloudFormationClient
    from types_aiobotocore_cloudformation.type_defs import (
        ParameterTypeDef,
        StackEventTypeDef,
        StackTypeDef,
        TagTypeDef,
    )

TEMPLATE = "sensorcast.yaml"

NEVER_MADE = ("CREATE_FAILED", "ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "DELETE_FAILED")
"""A stack in one of these states cannot be updated, only deleted."""


class StackFailed(Exception):  # noqa: N818 - says what happened
    """The stack did not reach the wanted state.

    Args:
        stack: The stack's name.
        status: CloudFormation's status of it.
        resource: Logical id of the resource that failed first; `None` if it was the stack itself.
        reason: CloudFormation's reason.
    """

    def __init__(self, *, stack: str, status: str, resource: str | None, reason: str) -> None:
        what = f"stack {stack} is {status}"
        super().__init__(f"{what}: {resource}: {reason}" if resource else f"{what}: {reason}")
        self.stack = stack
        self.status = status
        self.resource = resource
        self.reason = reason


def template_body(name: str = TEMPLATE) -> str:
    """A CloudFormation template: the repository's, or in an installed wheel the copy it carries."""
    in_repository = Path(__file__).resolve().parents[4] / "deploy" / "aws" / name
    if in_repository.is_file():
        return in_repository.read_text(encoding="utf-8")
    return files("sensorcast_local").joinpath(name).read_text(encoding="utf-8")


async def deploy_stack(
    cloudformation: "CloudFormationClient",
    *,
    stack: str = "sensorcast",
    parameters: Mapping[str, str] | None = None,
    template: str | None = None,
    within: float = 900.0,
    poll: float = 0.2,
) -> dict[str, str]:
    """Create the stack, or update it where the template or a parameter has changed.

    Its resources carry the tag `sensorcast:stack`. Calling it again changes nothing. A stack whose creation was rolled
    back is deleted and created anew; one that somebody else is changing is waited for.

    Args:
        cloudformation: Client of the account and Region, or of an emulator.
        stack: The stack's name and the prefix of all names in it.
        parameters: Values of the template's other parameters. Those that are left out keep what the stack has, or have
            the template's default in a new one.
        template: Another template than Sensorcast's.
        within: Seconds until it must be done.
        poll: Seconds between two looks at the status.

    Returns:
        The stack's outputs.

    Raises:
        StackFailed: A resource failed; it is named with the reason.
        TimeoutError: It was not done in time.
        botocore.exceptions.ClientError: CloudFormation refused the template or a parameter.
    """
    body = template_body() if template is None else template
    values: list[ParameterTypeDef] = [
        {"ParameterKey": key, "ParameterValue": value} for key, value in (parameters or {}).items()
    ]
    if template is None:
        values.append({"ParameterKey": "StackPrefix", "ParameterValue": stack})
    tags: list[TagTypeDef] = [{"Key": "sensorcast:stack", "Value": stack}]
    async with asyncio.timeout(within):
        found = await _settled(cloudformation, stack, poll)
        if found is not None and found["StackStatus"] in NEVER_MADE:
            await cloudformation.delete_stack(StackName=stack)
            found = await _settled(cloudformation, stack, poll)
        seen = set() if found is None else {event["EventId"] for event in await _events(cloudformation, stack)}
        if found is None:
            await cloudformation.create_stack(
                StackName=stack,
                TemplateBody=body,
                Parameters=values,
                Tags=tags,
                Capabilities=["CAPABILITY_NAMED_IAM"],
            )
        else:
            values += await _kept(cloudformation, found, body, given={each["ParameterKey"] for each in values})
            if not await _update(cloudformation, stack, body, values, tags):
                return _outputs(found)
        found = await _settled(cloudformation, stack, poll)
    if found is None or found["StackStatus"] not in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
        raise await _failure(cloudformation, stack, found, seen)
    return _outputs(found)


async def _kept(
    cloudformation: "CloudFormationClient", found: "StackTypeDef", body: str, *, given: set[str]
) -> list["ParameterTypeDef"]:
    """Parameters that keep their value: without this, CloudFormation takes the template's default for each left out."""
    declared = {
        each["ParameterKey"] for each in (await cloudformation.validate_template(TemplateBody=body))["Parameters"]
    }
    before = {each["ParameterKey"] for each in found.get("Parameters", [])}
    return [{"ParameterKey": key, "UsePreviousValue": True} for key in sorted((before & declared) - given)]


async def _update(
    cloudformation: "CloudFormationClient",
    stack: str,
    body: str,
    values: Sequence["ParameterTypeDef"],
    tags: Sequence["TagTypeDef"],
) -> bool:
    """Start an update; False when there is nothing to update."""
    try:
        await cloudformation.update_stack(
            StackName=stack,
            TemplateBody=body,
            Parameters=values,
            Tags=tags,
            Capabilities=["CAPABILITY_NAMED_IAM"],
        )
    except ClientError as error:
        if "No updates are to be performed" in str(error):
            return False
        raise
    return True


async def _settled(cloudformation: "CloudFormationClient", stack: str, poll: float) -> "StackTypeDef | None":
    """The stack once nothing is in progress; `None` if there is none."""
    while True:
        try:
            found = (await cloudformation.describe_stacks(StackName=stack))["Stacks"][0]
        except ClientError as error:
            if "does not exist" in str(error):
                return None
            raise
        if found["StackStatus"] == "DELETE_COMPLETE":
            return None
        if not found["StackStatus"].endswith("_IN_PROGRESS"):
            return found
        await asyncio.sleep(poll)


async def _events(cloudformation: "CloudFormationClient", stack: str) -> list["StackEventTypeDef"]:
    events: list[StackEventTypeDef] = []
    async for page in cloudformation.get_paginator("describe_stack_events").paginate(StackName=stack):
        events += page["StackEvents"]
    return events


async def _failure(
    cloudformation: "CloudFormationClient", stack: str, found: "StackTypeDef | None", seen: set[str]
) -> StackFailed:
    """Say which resource failed first since the events in `seen`."""
    if found is None:
        return StackFailed(stack=stack, status="DELETE_COMPLETE", resource=None, reason="it is gone")
    new = [event for event in await _events(cloudformation, stack) if event["EventId"] not in seen]
    for event in reversed(new):  # oldest first: the later ones are its consequences
        resource = event.get("LogicalResourceId")
        if event.get("ResourceStatus", "").endswith("_FAILED") and resource != stack:
            return StackFailed(
                stack=stack,
                status=found["StackStatus"],
                resource=resource,
                reason=event.get("ResourceStatusReason", "no reason given"),
            )
    reason = found.get("StackStatusReason") or "no reason given"
    return StackFailed(stack=stack, status=found["StackStatus"], resource=None, reason=reason)


def _outputs(found: "StackTypeDef") -> dict[str, str]:
    return {output["OutputKey"]: output["OutputValue"] for output in found.get("Outputs", [])}
