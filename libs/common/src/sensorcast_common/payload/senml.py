"""SenML packs (RFC 8428): records resolved against the base fields before them.

What a reading cannot hold rejects the pack: strings (`vs`), data (`vd`) and sums (`s`). A boolean (`vb`) is stored as
0 or 1 with the unit `/`, which RFC 8428 names as that of a switch.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sensorcast_common.names import ReadingsTopic
from sensorcast_common.payload.numbers import finite
from sensorcast_common.payload.plain import check_claim
from sensorcast_common.payload.rejected import PayloadRejected, Reason, shown
from sensorcast_common.payload.senml_name import check_base_name, metric_of
from sensorcast_common.payload.times import senml_time
from sensorcast_common.payload.units import RATIO, unit_of
from sensorcast_common.reading import Reading, TsSource

_CBOR_LABELS: Final = {
    -1: "bver", -2: "bn", -3: "bt", -4: "bu", -5: "bv", -6: "bs",
    0: "n", 1: "u", 2: "v", 3: "vs", 4: "vb", 5: "s", 6: "t", 7: "ut", 8: "vd",
}  # fmt: skip
"""RFC 8428, table 4."""

_BASE: Final = frozenset({"bver", "bn", "bt", "bu", "bv", "bs"})
_KNOWN: Final = _BASE | {"n", "u", "v", "vs", "vb", "vd", "s", "t", "ut"}
_NOT_STORED: Final = {"vs": "a string", "vd": "data", "s": "a sum", "bs": "a base sum"}
_VERSIONS: Final = frozenset({*range(1, 11), 26})
"""10 is RFC 8428; 26 adds the feature bit of secondary units (RFC 9100)."""


def is_pack(documents: Sequence[object]) -> bool:
    """Tell a SenML pack from an array of plain objects: SenML names are strings, and plain fields are not."""
    return any(
        type(document) is dict and (type(document.get("n")) is str or type(document.get("bn")) is str)
        for document in documents
    )


def with_text_labels(documents: Sequence[object]) -> list[object]:
    """Records of a CBOR pack with the labels JSON has.

    Raises:
        PayloadRejected: `bad_shape`, `unknown_field` or `duplicate_field`.
    """
    records: list[object] = []
    for document in documents:
        if not isinstance(document, dict):
            raise PayloadRejected(Reason.BAD_SHAPE, f"record: {shown(document)} is not a map")
        record: dict[str, object] = {}
        for label, value in document.items():
            name = _CBOR_LABELS.get(label) if type(label) is int else label
            if type(name) is not str:
                raise PayloadRejected(Reason.UNKNOWN_FIELD, f"label: {shown(label)} is not one of SenML")
            if name in record:
                raise PayloadRejected(Reason.DUPLICATE_FIELD, f"{shown(name)}: appears as text and as number")
            record[name] = value
        records.append(record)
    return records


@dataclass(slots=True)
class _Base:
    """The base fields in force."""

    name: str = ""
    time: float = 0.0
    unit: object = None
    value: float = 0.0
    version: object = None

    def update(self, record: dict[str, object], topic: ReadingsTopic) -> None:
        """Take over the base fields that `record` brings."""
        if "bver" in record:
            version = record["bver"]
            if type(version) is not int or version not in _VERSIONS or self.version not in {None, version}:
                raise PayloadRejected(Reason.UNSUPPORTED_VERSION, f"bver: {shown(version)} is not supported here")
            self.version = version
        if "bn" in record:
            self.name = _text("bn", record["bn"])
            check_base_name(self.name, topic)
        if "bt" in record:
            self.time = finite("bt", record["bt"])
        if "bu" in record:
            self.unit = _text("bu", record["bu"])
        if "bv" in record:
            self.value = finite("bv", record["bv"])


def read_pack(
    records: Sequence[object],
    topic: ReadingsTopic,
    *,
    received_at: int,
    redelivered: bool,
    into: list[Reading],
) -> None:
    """Append the readings of a pack to `into`.

    Raises:
        PayloadRejected: With the code of the first rule that a record breaks.
    """
    base = _Base()
    for record in records:
        if type(record) is not dict:
            raise PayloadRejected(Reason.BAD_SHAPE, f"record: {shown(record)} is not an object")
        base.update(record, topic)
        if _holds_reading(record, topic):
            into.append(_reading(record, base, topic, received_at=received_at, redelivered=redelivered))


def _holds_reading(record: dict[str, object], topic: ReadingsTopic) -> bool:
    """Tell a record with a value from one that only sets base fields."""
    for field, what in _NOT_STORED.items():
        if field in record:
            raise PayloadRejected(Reason.UNSUPPORTED_VALUE, f"{field}: {what} is not stored as a reading")
    unknown = record.keys() - _KNOWN
    if unknown:
        check_claim(record, topic)
        vital = [name for name in unknown if name.endswith("_")]
        if vital:  # RFC 8428, section 4.4: whoever does not know such a field must not go on
            raise PayloadRejected(Reason.UNKNOWN_FIELD, f"{shown(min(vital))}: must be understood, and is not")
    if "v" in record and "vb" in record:
        raise PayloadRejected(Reason.UNSUPPORTED_VALUE, "v, vb: a record has one value")
    if "v" in record or "vb" in record or ("bv" in record and "n" in record):
        return True
    if "n" in record or "u" in record or "t" in record or not record.keys() & _BASE:
        raise PayloadRejected(Reason.MISSING_FIELD, "v: missing")
    if unknown:
        raise PayloadRejected(Reason.UNKNOWN_FIELD, f"{shown(min(unknown))}: unknown, and the record has no value")
    return False


def _reading(
    record: dict[str, object],
    base: _Base,
    topic: ReadingsTopic,
    *,
    received_at: int,
    redelivered: bool,
) -> Reading:
    metric = metric_of(base.name, _text("n", record.get("n", "")), topic)
    seconds = base.time + finite("t", record["t"]) if "t" in record else base.time
    ts, relative = senml_time(seconds, received_at)
    if "ut" in record:
        finite("ut", record["ut"])
    if "vb" in record:
        state = record["vb"]
        if type(state) is not bool:
            raise PayloadRejected(Reason.UNSUPPORTED_VALUE, f"vb: {shown(state)} is not a boolean")
        value, unit = float(state), RATIO
    else:
        value = base.value + finite("v", record["v"]) if "v" in record else base.value
        value = finite("v", value)
        unit = unit_of(metric, _text("u", record["u"]) if "u" in record else base.unit)
    # A relative time counts from the receipt, so the clock behind it is the server's.
    source = TsSource.SERVER if relative else TsSource.DEVICE
    return Reading(topic.tenant, topic.device, metric, ts, value, unit, received_at, source, redelivered)


def _text(field: str, sent: object) -> str:
    if type(sent) is not str:
        raise PayloadRejected(Reason.BAD_SHAPE, f"{field}: {shown(sent)} is not text")
    return sent
