"""The words of a language: templates from its file, and how it writes values, shares and times."""

import tomllib
from datetime import datetime, tzinfo
from functools import lru_cache
from importlib.resources import files
from typing import Final, get_args

from pydantic import BaseModel, ConfigDict

from sensorcast_alerter.notify.gsm7 import gsm7
from sensorcast_common.incident import Basis, Incident
from sensorcast_common.notice import Occasion
from sensorcast_common.recipient import Language

LANGUAGES: Final[tuple[str, ...]] = get_args(Language)
_FALLBACK: Final = "en"
_UNITS: Final = {"Cel": "C", "%RH": "% RH", "/": ""}
_RATES: Final = frozenset({"rising", "falling"})


class Words(BaseModel):
    """One language's file under `templates/`.

    Attributes:
        decimal: Between the whole and the rest of a number.
        months: Short names, January first.
        time: A moment: `{day}`, `{month}`, `{clock}`, `{zone}`.
        severity: Of each severity.
        head: How a message about each occasion begins.
        side: Which way a limit was left.
        facts: What is the matter, by kind of breach.
        sms: Text messages.
        email: Mails.
        slack: Chat messages.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    decimal: str
    months: list[str]
    time: str
    severity: dict[str, str]
    head: dict[str, str]
    side: dict[str, str]
    facts: dict[str, str]
    sms: dict[str, str]
    email: dict[str, str]
    slack: dict[str, str]

    def head_of(self, incident: Incident, occasion: Occasion) -> str:
        """How a message begins, e.g. `CRITICAL`."""
        return self.head[occasion].format(severity=self.severity[incident.severity])

    def facts_of(self, incident: Incident, occasion: Occasion, timezone: tzinfo) -> str:
        """What is the matter: value, limit and when; times by the clock of `timezone`."""
        unit = incident.unit
        filled = {
            "value": self.value(incident.value, unit),
            "threshold": self.value(incident.threshold, unit),
            "side": self.side.get(incident.side, incident.side),
            "since": self.moment(incident.observed_at or incident.opened_at, timezone),
            "when": self.moment(incident.expected_at or incident.expires_at or incident.opened_at, timezone),
            "until": self.moment(incident.resolved_at or incident.opened_at, timezone),
            "probability": self.probability(incident.probability or 0.0),
        }
        return self.facts[_kind(incident, occasion)].format_map(filled)

    def value(self, value: float, unit: str) -> str:
        """A number with its unit, as short as it can be read."""
        number = f"{value:.2f}".rstrip("0").rstrip(".") if value == 0 or 0.1 <= abs(value) < 1e6 else f"{value:.3g}"
        return f"{number.replace('.', self.decimal)} {gsm7(_UNITS.get(unit, unit))}".rstrip()

    def probability(self, probability: float) -> str:
        """In percent; a forecast is never certain."""
        return ">99%" if probability >= 0.995 else f"{probability:.0%}"

    def moment(self, moment: datetime, timezone: tzinfo) -> str:
        """Day and time on the clock of `timezone`, and which clock that is."""
        local = moment.astimezone(timezone)
        text = self.time.format(
            day=f"{local:%d}", month=self.months[local.month - 1], clock=f"{local:%H:%M}", zone=f"{local:%Z}"
        )
        return gsm7(text)


@lru_cache
def words(language: str) -> Words:
    """The words of a language; English where there is no file of it."""
    name = language if language in LANGUAGES else _FALLBACK
    text = (files("sensorcast_alerter.notify") / "templates" / f"{name}.toml").read_text(encoding="utf-8")
    return Words.model_validate(tomllib.loads(text))


def _kind(incident: Incident, occasion: Occasion) -> str:
    if occasion is Occasion.RESOLVED:
        return "over"
    if incident.basis is Basis.PREDICTED:
        return "predicted_about" if incident.expected_at is not None else "predicted_by"
    side = str(incident.side)
    if side in _RATES:
        return "rate"
    return side if side in ("silent", "stuck", "kinetic") else "limit"
