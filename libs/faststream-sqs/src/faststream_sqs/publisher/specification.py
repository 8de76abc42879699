"""How a publisher appears in the AsyncAPI document."""

from __future__ import annotations

from dataclasses import dataclass

from faststream._internal.configs import PublisherSpecificationConfig
from faststream._internal.endpoint.publisher import PublisherSpecification
from faststream.specification.asyncapi.utils import resolve_payloads
from faststream.specification.schema import Message, Operation, PublisherSpec
from faststream.specification.schema.bindings import ChannelBinding, OperationBinding
from faststream.specification.schema.bindings import sqs as sqs_bindings

from faststream_sqs.config import SQSBrokerConfig
from faststream_sqs.queues import queue_name
from faststream_sqs.response import Kind  # noqa: TC001 - a dataclass field
from faststream_sqs.topics import topic_name


@dataclass(kw_only=True)
class SQSPublisherSpecificationConfig(PublisherSpecificationConfig):
    """What the document needs to know."""

    destination: str
    kind: Kind


class SQSPublisherSpecification(PublisherSpecification[SQSBrokerConfig, SQSPublisherSpecificationConfig]):
    """Describes one publisher."""

    __slots__ = ()

    @property
    def address(self) -> str:
        """Bare name of the queue or topic, prefix included."""
        bare = queue_name if self.config.kind == "queue" else topic_name
        return f"{self._outer_config.prefix}{bare(self.config.destination)}"

    @property
    def name(self) -> str:
        """The key of the channel."""
        return self.config.title_ or f"{self.address}:Publisher"

    def get_schema(self) -> dict[str, PublisherSpec]:
        """The channel with its message; a topic has no binding, as FastStream knows none for SNS."""
        is_queue = self.config.kind == "queue"
        queue = ChannelBinding(sqs=sqs_bindings.ChannelBinding(queue={"name": self.address, "fifoQueue": False}))
        return {
            self.name: PublisherSpec(
                address=self.address,
                description=self.config.description_,
                operation=Operation(
                    message=Message(
                        title=f"{self.name}:Message", payload=resolve_payloads(self.get_payloads(), "Publisher")
                    ),
                    bindings=OperationBinding(sqs=sqs_bindings.OperationBinding()) if is_queue else None,
                ),
                bindings=queue if is_queue else None,
            )
        }
