"""The configuration of one subscriber."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from faststream._internal.configs import SubscriberSpecificationConfig, SubscriberUsecaseConfig
from faststream._internal.constants import EMPTY
from faststream.middlewares import AckPolicy

from faststream_sqs.config import SQSBrokerConfig

if TYPE_CHECKING:
    from faststream_sqs.backoff import Backoff
    from faststream_sqs.engine.options import ConsumerOptions


@dataclass(kw_only=True)
class SQSSubscriberSpecificationConfig(SubscriberSpecificationConfig):
    """What the AsyncAPI document needs to know."""

    queue: str
    visibility_timeout: int
    wait_time: int


@dataclass(kw_only=True)
class SQSSubscriberConfig(SubscriberUsecaseConfig):
    """Which queue, how much at once, and what becomes of failures."""

    _outer_config: SQSBrokerConfig = field(default_factory=SQSBrokerConfig)

    queue: str
    options: ConsumerOptions
    backoff: Backoff
    dead_letter_queue: str | None
    unwrap_sns: bool

    @property
    def ack_policy(self) -> AckPolicy:
        """The subscriber's policy, else the broker's, else: a failed message stays in the queue."""
        return chosen_ack_policy(self._ack_policy, self._outer_config)


def chosen_ack_policy(own: AckPolicy, config: SQSBrokerConfig) -> AckPolicy:
    """The policy that holds for a subscriber."""
    if own is not EMPTY:
        return own
    return AckPolicy.NACK_ON_ERROR if config.ack_policy is EMPTY else config.ack_policy
