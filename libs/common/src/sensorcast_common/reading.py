"""One measured value of one metric of one device."""

from enum import StrEnum
from typing import NamedTuple


class TsSource(StrEnum):
    """Who gave a reading its time."""

    DEVICE = "device"
    SERVER = "server"


class SeriesKey(NamedTuple):
    """What makes readings one series."""

    tenant: str
    device: str
    metric: str


class Reading(NamedTuple):
    """A validated reading.

    Attributes:
        tenant: From the topic, never from the payload.
        device: From the topic, never from the payload.
        metric: What was measured, e.g. `temperature`.
        ts: When, in milliseconds since 1970 UTC.
        value: A finite float64.
        unit: A SenML unit (RFC 8428, section 12.1), e.g. `Cel`.
        received_at: When ingest received it, in milliseconds since 1970 UTC.
        ts_source: Whether `ts` came from the device or is the time of receipt.
        redelivered: Whether the broker marked the message as sent before (MQTT's DUP flag), so that it may already
            be stored.
    """

    tenant: str
    device: str
    metric: str
    ts: int
    value: float
    unit: str
    received_at: int
    ts_source: TsSource = TsSource.DEVICE
    redelivered: bool = False

    @property
    def series(self) -> SeriesKey:
        """The series this reading belongs to."""
        return SeriesKey(self.tenant, self.device, self.metric)
