"""The text of an SMS: what, where, which limit and when, in one part."""

from collections.abc import Sequence
from datetime import tzinfo

from sensorcast_alerter.notify.gsm7 import ONE_PART, cut, gsm7, septets
from sensorcast_alerter.notify.words import Words, words
from sensorcast_common.incident import Incident
from sensorcast_common.notice import Occasion


def sms_text(
    incidents: Sequence[Incident],
    *,
    occasion: Occasion = Occasion.OPENED,
    timezone: tzinfo,
    language: str = "en",
    group: str | None = None,
    link: str | None = None,
) -> str:
    """The one part that tells of one incident, or of several alike, of which the first stands for all.

    Device, value, limit and time are always whole, unless the device's name is longer than what they leave. The rule's
    name is cut first, then the link is left out, then the metric is cut.

    Args:
        incidents: What is told of; at least one.
        occasion: What happened to them.
        timezone: In which times are written.
        language: As in `words`.
        group: What several have in common.
        link: Where one reads more.
    """
    incident, told = incidents[0], words(language)
    fields = {
        "head": told.head_of(incident, occasion),
        "rule": " ".join(gsm7(incident.rule_name).split()),
        "count": str(len(incidents)),
        "group": " ".join(gsm7(group or incident.device).split()),
        "device": incident.device,
        "metric": incident.metric,
        "facts": told.facts_of(incident, occasion, timezone),
    }
    many = len(incidents) > 1
    if link is not None:
        text = _fitted(told, fields, many=many, room=ONE_PART - septets(f" {link}"), shorten=("rule",))
        if text is not None:
            return f"{text} {link}"
    text = _fitted(told, fields, many=many, room=ONE_PART, shorten=("rule", "metric", "group", "device"))
    return text if text is not None else cut(_filled(told, fields, many=many), ONE_PART)


def _fitted(told: Words, fields: dict[str, str], *, many: bool, room: int, shorten: Sequence[str]) -> str | None:
    """The text in at most `room` septets, some of its fields cut in this order; `None` where that is not enough."""
    fields = dict(fields)
    text = _filled(told, fields, many=many)
    for name in shorten:
        excess = septets(text) - room
        if excess <= 0:
            return text
        fields[name] = cut(fields[name], max(0, septets(fields[name]) - excess))
        text = _filled(told, fields, many=many)
    return text if septets(text) <= room else None


def _filled(told: Words, fields: dict[str, str], *, many: bool) -> str:
    """The template with its fields; the blanks around an empty field fall away."""
    text = told.sms["many" if many else "one"].format_map(fields)
    return " ".join(text.replace(" : ", ": ").split())
