"""What SMS are likely to cost: parts by their alphabet, prices by country, counted by what came of the try."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.services.alerter.observations import NUMBER, limit_rule, reading
from tests.services.alerter.room import Room

from sensorcast_alerter.notify.sms_parts import parts
from sensorcast_alerter.notify.tariff import PriceTable, SmsCost, Tariff, price_table
from sensorcast_alerter.ports import Refused
from sensorcast_alerter.settings import AlerterSettings
from sensorcast_common.errors import Retryable
from sensorcast_common.settings import SettingsError, load


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", 1),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("€" * 80, 1),
        ("€" * 81, 2),
        # 76 euro signs take 152 septets; the next one does not fit into the one that is left.
        ("€" * 152, 2),
        ("€" * 153, 3),
        ("я" * 70, 1),
        ("я" * 71, 2),
        ("я" * 134, 2),
        ("я" * 135, 3),
        ("a" * 69 + "я", 1),
        ("a" * 70 + "я", 2),
        ("😀" * 35, 1),
        ("😀" * 66, 2),
        ("😀" * 67, 3),
    ],
)
def test_a_text_takes_the_parts_of_its_alphabet(text: str, expected: int) -> None:
    assert parts(text) == expected


@given(st.text(max_size=700), st.text(max_size=50))
def test_a_longer_text_never_takes_fewer_parts(text: str, more: str) -> None:
    assert parts(text + more) >= parts(text)


def test_a_country_without_a_price_has_parts_alone() -> None:
    tariff = Tariff({"DE": 0.1})
    assert tariff.of(NUMBER, "a" * 161) == SmsCost("DE", 2, 0.2)
    assert tariff.of("+390612345678", "a") == SmsCost("IT", 1, None)
    assert tariff.of("+99912345678", "a") == SmsCost("unknown", 1, None)


async def test_what_was_accepted_is_counted_as_spent_and_tries_are_counted_by_outcome() -> None:
    room = Room(limit_rule(), tariff=Tariff({"DE": 0.1}))
    await room.sweep()
    room.telephone.raises = Retryable("SNS is away")
    await room.take(reading("00:01", 9))
    room.telephone.raises = None
    await room.sweep("00:02")
    assert count(room, "parts_total", country="DE", outcome="failed") == 1
    assert count(room, "parts_total", country="DE", outcome="accepted") == 1
    assert count(room, "cost_dollars_total", country="DE") == pytest.approx(0.1)
    room.telephone.raises = Refused("opted out")
    await room.play(reading("00:03", 5), reading("00:04", 9))
    assert count(room, "parts_total", country="DE", outcome="refused") == 1
    assert count(room, "cost_dollars_total", country="DE") == pytest.approx(0.1)


def count(room: Room, name: str, **labels: str) -> float:
    return room.registry.get_sample_value(f"sensorcast_alerter_sms_{name}", labels) or 0.0


def test_a_price_table_is_read_and_its_faults_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "prices.json"
    file.write_text(json.dumps({"as_of": "2026-01-31", "dollars_per_part": {"DE": 0.1}}))
    monkeypatch.setenv("SENSORCAST_SMS_PRICE_FILE", str(file))
    assert load(AlerterSettings).sms_price_file == file
    assert price_table(file).dollars_per_part == {"DE": 0.1}
    file.write_text(json.dumps({"as_of": "2026-01-31", "dollars_per_part": {"Germany": 0.1}}))
    with pytest.raises(SettingsError, match=r"SENSORCAST_SMS_PRICE_FILE: .*prices.json: dollars_per_part.Germany"):
        load(AlerterSettings)
    monkeypatch.setenv("SENSORCAST_SMS_PRICE_FILE", str(tmp_path / "absent.json"))
    with pytest.raises(SettingsError, match=r"SENSORCAST_SMS_PRICE_FILE: .*absent.json"):
        load(AlerterSettings)


def test_every_priced_country_is_shown_from_nought_on() -> None:
    room = Room(limit_rule())
    table = PriceTable.model_validate({"as_of": "2026-01-31", "dollars_per_part": {"DE": 0.1, "FR": 0.07}})
    room.metrics.expect_sms(table, monthly_dollars=50)
    assert room.registry.get_sample_value("sensorcast_alerter_sms_cost_dollars_total", {"country": "FR"}) == 0
    assert room.registry.get_sample_value("sensorcast_alerter_sms_monthly_dollars") == 50
    assert room.registry.get_sample_value("sensorcast_alerter_sms_prices_timestamp_seconds") == 1_769_817_600
