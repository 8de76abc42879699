"""The configuration a broker shares with its subscribers and publishers."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

from faststream._internal.configs import (
    BrokerConfig,
    UnderlyingDriverAnnotation,
    UnderlyingDriverAnnotations,
)
from faststream._internal.parser import DefaultCodec
from faststream.exceptions import IncorrectState

from faststream_sqs.errors import Poison
from faststream_sqs.producer import SQSProducer

if TYPE_CHECKING:
    from collections.abc import Callable

    from faststream_sqs.connection import Connection


def _producer() -> SQSProducer:
    return SQSProducer(parser=None, decoder=None)


def _annotations() -> UnderlyingDriverAnnotations:
    # `annotations` reaches this module through the broker, so it is only there once the package is built
    from faststream_sqs import annotations
    from faststream_sqs.broker.broker import SQSBroker
    from faststream_sqs.message import SQSBatchMessage, SQSMessage

    module = annotations.__name__
    return MappingProxyType(
        {
            SQSBroker: UnderlyingDriverAnnotation(type_hint=annotations.SQSBroker, module=module, name="SQSBroker"),
            SQSMessage: UnderlyingDriverAnnotation(type_hint=annotations.SQSMessage, module=module, name="SQSMessage"),
            SQSBatchMessage: UnderlyingDriverAnnotation(
                type_hint=annotations.SQSBatchMessage, module=module, name="SQSBatchMessage"
            ),
        }
    )


@dataclass(kw_only=True)
class SQSBrokerConfig(BrokerConfig):
    """FastStream's configuration, with the failure policy and the connection."""

    producer: SQSProducer = field(default_factory=_producer)
    poison_on: tuple[type[BaseException], ...] = (Poison,)
    retry_after: Callable[[BaseException], float | None] | None = None
    default_driver_annotations: UnderlyingDriverAnnotations = field(default_factory=_annotations)
    _connection: Connection | None = field(default=None, init=False, repr=False)

    @property
    def connection(self) -> Connection:
        """The open connection."""
        if self._connection is None:
            raise IncorrectState("the broker is not connected; call connect() or start() first")
        return self._connection

    def connect(self, connection: Connection) -> None:
        """Use `connection` from now on."""
        self._connection = connection
        self.producer.connect(connection, self.fd_config._serializer, self.broker_codec or DefaultCodec())  # noqa: SLF001 - as FastStream's own brokers do

    def disconnect(self) -> None:
        """Use no connection any more."""
        self._connection = None
        self.producer.disconnect()
