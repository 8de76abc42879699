"""Traces: which way a reading took, and how long each step did."""

from sensorcast_common.tracing.spans import MOST_LINKS, Tracing, link_to, traceparent_of
from sensorcast_common.tracing.traceparent import TRACEPARENT, is_sampled, packed, unpacked

__all__ = (
    "MOST_LINKS",
    "TRACEPARENT",
    "Tracing",
    "is_sampled",
    "link_to",
    "packed",
    "traceparent_of",
    "unpacked",
)
