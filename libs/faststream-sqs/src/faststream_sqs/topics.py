"""Finds the ARN of an SNS topic by its name, without a permission to create or list topics."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from faststream_sqs.engine.calls import error_code
from faststream_sqs.errors import TopicNotFoundError

if TYPE_CHECKING:
    from types_aiobotocore_sns.client import SNSClient
    from types_aiobotocore_sts.client import STSClient

_MISSING = frozenset({"NotFound", "NotFoundException", "ResourceNotFoundException", "TopicNotFound"})
_UNTOLD = frozenset({"AuthorizationError", "AuthorizationErrorException", "AccessDenied", "AccessDeniedException"})


async def topic_arn(*, sts: STSClient, name: str, region: str) -> str:
    """The ARN a topic of this name has in the caller's account; `GetCallerIdentity` needs no permission."""
    identity = await sts.get_caller_identity()
    partition = identity["Arn"].split(":")[1]
    return f"arn:{partition}:sns:{region}:{identity['Account']}:{name}"


async def check_topic(*, sns: SNSClient, arn: str, name: str) -> None:
    """Make sure that a topic exists.

    Raises:
        TopicNotFoundError: It does not. A caller who may not ask learns it when publishing.
    """
    try:
        await sns.get_topic_attributes(TopicArn=arn)
    except ClientError as error:
        if error_code(error) in _MISSING:
            raise TopicNotFoundError(name) from error
        if error_code(error) not in _UNTOLD:
            raise


def topic_name(topic: str) -> str:
    """The bare name in a topic's name or ARN."""
    return topic.rpartition(":")[2]
