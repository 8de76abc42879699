"""Groups subscribers and publishers for a broker to include."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from faststream._internal.broker.router import BrokerRouter
from faststream._internal.constants import EMPTY

from faststream_sqs.broker.registrator import SQSRegistrator
from faststream_sqs.config import SQSBrokerConfig

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from fast_depends.dependencies import Dependant
    from faststream._internal.types import BrokerMiddleware, CustomCallable
    from faststream.middlewares import AckPolicy


class SQSRouter(SQSRegistrator, BrokerRouter[Any, SQSBrokerConfig]):
    """Subscribers and publishers whose queue and topic names share a prefix."""

    def __init__(
        self,
        prefix: str = "",
        *,
        dependencies: Sequence[Dependant] = (),
        middlewares: Sequence[BrokerMiddleware[Any, Any]] = (),
        routers: Iterable[SQSRegistrator] = (),
        parser: CustomCallable | None = None,
        decoder: CustomCallable | None = None,
        ack_policy: AckPolicy = EMPTY,
        include_in_schema: bool | None = None,
    ) -> None:
        super().__init__(
            handlers=(),
            config=SQSBrokerConfig(
                prefix=prefix,
                ack_policy=ack_policy,
                broker_dependencies=dependencies,
                broker_middlewares=middlewares,
                broker_parser=parser,
                broker_decoder=decoder,
                include_in_schema=include_in_schema,
            ),
            routers=routers,
        )
