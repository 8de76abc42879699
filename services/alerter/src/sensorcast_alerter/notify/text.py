"""The text of an SMS: what, where, which limit and when, in one part of 160 GSM-7 characters.

The alphabet is that of 3GPP TS 23.038, section 6.2.1; a single character outside of it makes a phone network send
UCS-2, of which a part holds 70.
"""

import unicodedata
from datetime import datetime, tzinfo
from typing import Final

from sensorcast_common.incident import Basis, Incident

ONE_PART: Final = 160

_BASIC: Final = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED: Final = frozenset("\f^{}\\[~]|€")
_UNITS: Final = {"Cel": "C", "%RH": "% RH", "/": ""}


def gsm7(text: str) -> str:
    """`text` in the GSM-7 alphabet: accents are dropped where the alphabet lacks the letter, the rest becomes `?`."""
    return "".join(_gsm7_character(character) for character in unicodedata.normalize("NFC", text))


def septets(text: str) -> int:
    """The length that counts toward a part; an extended character takes two."""
    return sum(2 if character in _EXTENDED else 1 for character in text)


def sms_text(incident: Incident, *, timezone: tzinfo) -> str:
    """The one part that tells of an incident.

    Device, value, limit and time are always whole, unless the device's name is longer than what they leave; the rule's
    name and the metric are cut first.
    """
    facts = _predicted(incident, timezone) if incident.basis is Basis.PREDICTED else _observed(incident, timezone)
    severity = incident.severity.upper()
    name, metric, device = gsm7(incident.rule_name), incident.metric, incident.device
    room = ONE_PART - septets(f"{severity} : {device} {metric} {facts}")
    name = _cut(name, room)
    room += 0 if name else 1
    if room < 0:
        metric = _cut(metric, len(metric) + room)
        room = ONE_PART - septets(f"{severity}: {device} {metric} {facts}")
        device = _cut(device, len(device) + min(0, room))
    head = f"{severity} {name}: " if name else f"{severity}: "
    where = f"{device} {metric}" if metric else device
    return f"{head}{where} {facts}"


def _gsm7_character(character: str) -> str:
    if character in _BASIC or character in _EXTENDED:
        return character
    base = unicodedata.normalize("NFKD", character)[0]
    return base if base in _BASIC else "?"


def _cut(text: str, room: int) -> str:
    """`text` in at most `room` septets, with dots where it was cut."""
    if septets(text) <= room:
        return text
    while text and septets(text) > room - 2:
        text = text[:-1]
    return f"{text.rstrip()}.." if text else ""


def _observed(incident: Incident, timezone: tzinfo) -> str:
    since = _time(incident.observed_at or incident.opened_at, timezone)
    return f"{_value(incident.value, incident.unit)}, {_limit(incident)} since {since}"


def _predicted(incident: Incident, timezone: tzinfo) -> str:
    if incident.expected_at is not None:
        when = f"about {_time(incident.expected_at, timezone)}"
    else:
        when = f"by {_time(incident.expires_at or incident.opened_at, timezone)}"
    return f"now {_value(incident.value, incident.unit)}, {_probability(incident)} likely {_limit(incident)} {when}"


def _probability(incident: Incident) -> str:
    """In percent; a forecast is never certain."""
    probability = incident.probability or 0.0
    return ">99%" if probability >= 0.995 else f"{probability:.0%}"


def _limit(incident: Incident) -> str:
    return f"{incident.side} limit {_value(incident.threshold, incident.unit)}"


def _value(value: float, unit: str) -> str:
    number = f"{value:.2f}".rstrip("0").rstrip(".") if value == 0 or 0.1 <= abs(value) < 1e6 else f"{value:.3g}"
    return f"{number} {gsm7(_UNITS.get(unit, unit))}".rstrip()


def _time(moment: datetime, timezone: tzinfo) -> str:
    return gsm7(f"{moment.astimezone(timezone):%d %b %H:%M %Z}")
