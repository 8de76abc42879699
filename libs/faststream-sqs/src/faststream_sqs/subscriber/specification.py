"""How a subscriber appears in the AsyncAPI document."""

from __future__ import annotations

from faststream._internal.endpoint.subscriber import SubscriberSpecification
from faststream.specification.asyncapi.utils import resolve_payloads
from faststream.specification.schema import Message, Operation, SubscriberSpec
from faststream.specification.schema.bindings import ChannelBinding, OperationBinding
from faststream.specification.schema.bindings import sqs as sqs_bindings

from faststream_sqs.config import SQSBrokerConfig
from faststream_sqs.queues import queue_name
from faststream_sqs.subscriber.config import SQSSubscriberSpecificationConfig


class SQSSubscriberSpecification(SubscriberSpecification[SQSBrokerConfig, SQSSubscriberSpecificationConfig]):
    """Describes one subscriber."""

    __slots__ = ()

    @property
    def address(self) -> str:
        """Bare name of the queue, prefix included."""
        return f"{self._outer_config.prefix}{queue_name(self.config.queue)}"

    @property
    def channel_labels(self) -> list[str]:
        """A subscriber has one channel."""
        return [self.address]

    def get_schema(self) -> dict[str, SubscriberSpec]:
        """The channel with its messages."""
        queue = {
            "name": self.address,
            "fifoQueue": False,
            "visibilityTimeout": self.config.visibility_timeout,
            "receiveMessageWaitTime": self.config.wait_time,
        }
        return {
            self.name: SubscriberSpec(
                address=self.address,
                description=self.description,
                operation=Operation(
                    message=Message(title=f"{self.name}:Message", payload=resolve_payloads(self.get_payloads())),
                    bindings=OperationBinding(sqs=sqs_bindings.OperationBinding()),
                ),
                bindings=ChannelBinding(sqs=sqs_bindings.ChannelBinding(queue=queue)),
            )
        }
