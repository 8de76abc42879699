"""An SMS fits one part of the GSM-7 alphabet and says what, where, which limit and when."""

from string import Formatter
from typing import get_args
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.services.alerter.observations import at

from sensorcast_alerter.notify.gsm7 import ONE_PART, gsm7, septets
from sensorcast_alerter.notify.text import sms_text
from sensorcast_alerter.notify.words import LANGUAGES, words
from sensorcast_common.clock import from_millis
from sensorcast_common.condition import Side
from sensorcast_common.identity import new_id
from sensorcast_common.incident import Basis, Incident, IncidentState
from sensorcast_common.notice import Occasion

BERLIN = ZoneInfo("Europe/Berlin")
UTC = ZoneInfo("UTC")
TOLD = words("en").head


def incident(**changes: object) -> Incident:
    fields: dict[str, object] = {
        "tenant": "acme",
        "incident_id": new_id(),
        "rule_id": "chilled",
        "rule_version": 1,
        "rule_name": "Chilled goods",
        "severity": "critical",
        "device": "truck-07",
        "metric": "temperature",
        "unit": "Cel",
        "state": IncidentState.OPEN,
        "basis": Basis.OBSERVED,
        "side": "above",
        "threshold": 8.0,
        "opened_at": from_millis(at("23:30")),
        "observed_at": from_millis(at("23:30")),
        "value": 9.256,
        "reason": "outside",
    }
    return Incident.model_validate(fields | changes)


def test_times_are_of_the_time_zone_and_carry_its_name() -> None:
    assert sms_text([incident()], timezone=BERLIN) == (
        "CRITICAL Chilled goods: truck-07 temperature 9.26 C, above limit 8 C since 16 Jan 00:30 CET"
    )


def test_without_an_expected_time_the_horizon_is_told() -> None:
    predicted = incident(
        basis=Basis.PREDICTED, observed_at=None, probability=0.875, expires_at=from_millis(at("01:00")), side="below"
    )
    assert sms_text([predicted], timezone=UTC).endswith("now 9.26 C, 88% likely below limit 8 C by 15 Jan 01:00 UTC")


def test_a_prediction_never_says_that_it_is_certain() -> None:
    predicted = incident(
        basis=Basis.PREDICTED, observed_at=None, probability=1.0, expires_at=from_millis(at("01:00")), side="above"
    )
    assert ", >99% likely above limit" in sms_text([predicted], timezone=UTC)


def test_a_long_rule_name_is_cut_and_the_facts_stay() -> None:
    text = sms_text([incident(rule_name="Schränke mit Käse [Übersee] " * 4)], timezone=UTC)
    assert septets(text) <= ONE_PART
    assert text.endswith(".: truck-07 temperature 9.26 C, above limit 8 C since 15 Jan 23:30 UTC")


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("Käse für Groß-Öl", "Käse für Groß-Öl"),
        ("Kühlhaus 2 °C", "Kühlhaus 2 ?C"),
        ("Čerstvé", "Cerstvé"),
        ("été", "été"),
        ("冷蔵", "??"),
        ("[a] {b} €", "[a] {b} €"),
    ],
)
def test_letters_that_the_alphabet_lacks_are_replaced(text: str, sent: str) -> None:
    assert gsm7(text) == sent


def test_extended_characters_take_two() -> None:
    assert septets("a€") == 3


name = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}", fullmatch=True)


@given(
    rule_name=st.text(min_size=1, max_size=80),
    device=name,
    metric=name,
    unit=st.sampled_from(["Cel", "%RH", "/", "beat/min", "m3/s", "cd/m2"]),
    value=st.floats(allow_nan=False, allow_infinity=False),
    threshold=st.floats(allow_nan=False, allow_infinity=False),
    basis=st.sampled_from(list(Basis)),
    expected=st.booleans(),
)
def test_any_incident_fits_one_part(expected: bool, **changes: object) -> None:
    moment = from_millis(at("12:34"))
    changes |= {"probability": 1.0, "expected_at": moment if expected else None, "expires_at": moment}
    text = sms_text([incident(**changes)], timezone=ZoneInfo("America/Argentina/ComodRivadavia"))
    assert gsm7(text) == text
    assert septets(text) <= ONE_PART
    assert "limit" in text
    assert "15 Jan" in text
    assert str(changes["device"])[:3] in text


@given(
    language=st.sampled_from(LANGUAGES),
    occasion=st.sampled_from([each for each in Occasion if each in TOLD]),
    rule_name=st.text(min_size=1, max_size=80),
    device=name,
    metric=name,
    unit=st.sampled_from(["Cel", "%RH", "/", "beat/min", "m3/s", "cd/m2"]),
    value=st.floats(allow_nan=False, allow_infinity=False),
    threshold=st.floats(allow_nan=False, allow_infinity=False),
    severity=st.sampled_from(["info", "warning", "critical"]),
    basis=st.sampled_from(list(Basis)),
    side=st.sampled_from(get_args(Side)),
    count=st.sampled_from([1, 2, 200]),
    group=st.text(min_size=1, max_size=64),
    expected=st.booleans(),
    linked=st.booleans(),
)
def test_any_message_fits_one_part_in_any_language(
    language: str, occasion: Occasion, count: int, group: str, expected: bool, linked: bool, **changes: object
) -> None:
    moment = from_millis(at("12:34"))
    changes |= {"probability": 0.999, "expected_at": moment if expected else None, "resolved_at": moment}
    link = "https://sensorcast.example.com/incidents/01a20cb7-ed2a-7486-bebf-59e87f7a4a19" if linked else None
    text = sms_text(
        [incident(**changes)] * count,
        occasion=occasion,
        timezone=ZoneInfo("America/Argentina/ComodRivadavia"),
        language=language,
        group=group,
        link=link,
    )
    assert gsm7(text) == text
    assert septets(text) <= ONE_PART
    assert "15" in text
    assert str(changes["device"])[:3] in text
    assert count == 1 or str(count) in text


def test_a_link_is_there_where_there_is_room_and_the_name_makes_room_for_it() -> None:
    link = "https://cold.example.com/incidents/01a20cb7-ed2a-7486-bebf-59e87f7a4a19"
    one = sms_text([incident(rule_name="Chilled goods of the north")], timezone=UTC, link=link)
    assert one == f"CRITICAL Chilled..: truck-07 temperature 9.26 C, above limit 8 C since 15 Jan 23:30 UTC {link}"
    assert link not in sms_text([incident(device="t" * 40)], timezone=UTC, link=link)


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "CRITICAL: 5 alerts at Süd, one truck-07 temperature 9.26 C, above limit 8 C since 15 Jan 23:30 UTC"),
        ("de", "KRITISCH: 5 Alarme bei Süd, einer truck-07 temperature 9,26 C, über Grenze 8 C seit 15. Jan 23:30 UTC"),
    ],
)
def test_several_share_a_message_that_names_their_number(language: str, text: str) -> None:
    assert sms_text([incident()] * 5, timezone=UTC, language=language, group="Süd") == text


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_words_everything(language: str) -> None:
    english, other = words("en").model_dump(), words(language).model_dump()
    assert len(other["months"]) == 12
    for part, texts in english.items():
        if isinstance(texts, dict):
            assert other[part].keys() == texts.keys(), part
            for key, template in texts.items():
                fields = {field for _, field, _, _ in Formatter().parse(template) if field}
                assert {field for _, field, _, _ in Formatter().parse(other[part][key]) if field} == fields, key


@pytest.mark.parametrize(
    ("side", "facts"),
    [
        ("rising", "9.26 C, rising faster than 8 C/min since 15 Jan 23:30 UTC"),
        ("silent", "no reading since 15 Jan 23:30 UTC"),
        ("stuck", "stuck at 9.26 C since 15 Jan 23:30 UTC"),
        ("kinetic", "mean kinetic temperature above 8 C since 15 Jan 23:30 UTC"),
    ],
)
def test_each_kind_of_breach_has_its_words(side: str, facts: str) -> None:
    assert sms_text([incident(side=side)], timezone=UTC).endswith(f"truck-07 temperature {facts}")
