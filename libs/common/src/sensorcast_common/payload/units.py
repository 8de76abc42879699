"""SenML's units, and those a metric has when its device sends none.

Values are kept in the unit they were sent in; nothing is converted, so that what is stored is what was measured.
"""

from typing import Final

from sensorcast_common.payload.rejected import PayloadRejected, Reason, shown

_RFC_8428: Final = (
    "m kg g s A K cd mol Hz rad sr N Pa J W C V F Ohm S Wb T H Cel lm lx Bq Gy Sv kat m2 m3 l m/s m/s2 m3/s l/s "
    "W/m2 cd/m2 bit bit/s lat lon pH dB dBW Bspl count / % %RH %EL EL 1/s 1/min beat/min beats S/m"
)
_RFC_8798_PRIMARY: Final = "B VA VAs var vars J/m kg/m3 deg"
_RFC_8798_SECONDARY: Final = (
    "ms min h MHz kW kVA kvar Ah Wh kWh varh kvarh kVAh Wh/km KiB GB Mbit/s B/s MB/s mV mA dBm ug/m3 mm/h m/h ppm "
    "/100 /1000 hPa mm cm km km/h"
)

UNITS: Final = frozenset(f"{_RFC_8428} {_RFC_8798_PRIMARY} {_RFC_8798_SECONDARY}".split())
"""Section 12.1 of RFC 8428 and tables 1 and 2 of RFC 8798."""

RATIO: Final = "/"
"""A ratio; in RFC 8428 also the unit of a switch, which is 0 or 1."""

_OF_METRIC: Final = {
    "temperature": "Cel",
    "humidity": "%RH",
    "pressure": "Pa",
    "illuminance": "lx",
    "voltage": "V",
    "current": "A",
    "power": "W",
    "frequency": "Hz",
    "speed": "m/s",
    "battery": "%EL",
    "latitude": "lat",
    "longitude": "lon",
    "door": RATIO,
}

_MEANT: Final = {
    "C": "'C' is coulomb in SenML; degrees Celsius is 'Cel'",
    "°C": "degrees Celsius is 'Cel'",
    "degC": "degrees Celsius is 'Cel'",
    "celsius": "degrees Celsius is 'Cel'",
    "F": "SenML has no Fahrenheit ('F' is farad): send 'Cel' or 'K'",
    "°F": "SenML has no Fahrenheit: send 'Cel' or 'K'",
    "degF": "SenML has no Fahrenheit: send 'Cel' or 'K'",
    "percent": "a percentage of relative humidity is '%RH', of energy '%EL'",
    "lux": "lux is 'lx'",
    "bool": "a switch is '/', with 0 or 1",
}


def default_unit(metric: str) -> str | None:
    """The unit of a well-known metric, also as the last word of a longer name (`cabin_temperature`)."""
    found = _OF_METRIC.get(metric)
    if found is None:
        word = metric.replace(".", "_").replace("-", "_").replace(":", "_").rpartition("_")[2]
        found = _OF_METRIC.get(word)
    return found


def unit_of(metric: str, sent: object) -> str:
    """The unit to store: the one that was sent, or the metric's own when none was.

    Raises:
        PayloadRejected: `unknown_unit` or `missing_unit`.
    """
    if sent is None:
        known = default_unit(metric)
        if known is None:
            raise PayloadRejected(Reason.MISSING_UNIT, f"unit: {shown(metric)} has no unit of its own; send one")
        return known
    if type(sent) is not str or sent not in UNITS:
        hint = f": {_MEANT[sent]}" if type(sent) is str and sent in _MEANT else ""
        raise PayloadRejected(Reason.UNKNOWN_UNIT, f"unit: {shown(sent)} is not a SenML unit{hint}")
    if sent in {"C", "F"} and default_unit(metric) == "Cel":
        raise PayloadRejected(Reason.UNKNOWN_UNIT, f"unit: {shown(metric)} in {shown(sent)}: {_MEANT[sent]}")
    return sent
