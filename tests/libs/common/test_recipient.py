"""Recipients are reached when they want to be; what is wrong with one is said by the name of its field."""

import re
from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from sensorcast_common.escalation import Escalation
from sensorcast_common.invalid import first_problem
from sensorcast_common.recipient import Recipient, Span
from sensorcast_common.silence import Silence

SECRET = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz"


def recipient(**fields: object) -> Recipient:
    given = {"tenant": "acme", "recipient_id": "anna", "name": "Anna", "roles": ["manager"], "sms": "+4915112345678"}
    return Recipient.model_validate({**given, **fields})


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("local", "inside"),
    [
        ("2025-01-17T21:59", False),  # a Friday
        ("2025-01-17T22:00", True),
        ("2025-01-18T05:59", True),
        ("2025-01-18T06:00", False),
        ("2025-01-18T23:00", False),  # it does not start on Saturdays
        ("2025-01-19T03:00", False),
        ("2025-01-20T03:00", False),  # nor on Sundays
        ("2025-01-20T22:30", True),
    ],
)
def test_a_span_past_midnight_belongs_to_the_day_it_starts_on(local: str, inside: bool) -> None:
    span = Span.model_validate({"start": "22:00", "end": "06:00", "days": ["mon", "tue", "wed", "thu", "fri"]})
    assert span.holds(datetime.fromisoformat(local)) is inside


def test_hours_are_those_of_the_recipients_time_zone_in_summer_too() -> None:
    one = recipient(timezone="Europe/Berlin", schedule=[{"start": "08:00", "end": "16:00"}])
    assert one.on_duty(utc("2025-01-15T07:00"))
    assert not one.on_duty(utc("2025-01-15T06:59"))
    assert one.on_duty(utc("2025-07-15T06:00"))
    assert not one.on_duty(utc("2025-07-15T14:00"))


def test_who_is_concerned_is_told_by_device_label_and_severity() -> None:
    one = recipient(device="truck-*", labels={"site": "north*"}, min_severity="warning")
    assert one.concerns(device="truck-1", labels={"site": "north-2"}, severity="critical")
    assert not one.concerns(device="fridge-1", labels={"site": "north-2"}, severity="critical")
    assert not one.concerns(device="truck-1", labels={}, severity="critical")
    assert not one.concerns(device="truck-1", labels={"site": "north-2"}, severity="info")
    assert not recipient(enabled=False).concerns(device="truck-1", labels={}, severity="critical")


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"sms": None}, "sms, email, webhook or slack: at least one"),
        ({"sms": "015112345678"}, "sms: "),
        ({"email": "anna@localhost"}, "email: "),
        ({"timezone": "Europe/Bonn"}, "timezone: .*Europe/Bonn"),
        ({"quiet_hours": {"start": "22:00", "end": "22:00"}}, "quiet_hours: .*end: 22:00 must differ"),
        ({"schedule": [{"start": "8:00", "end": "16:00"}]}, "schedule.0.start: "),
        ({"webhook": {"url": "ftp://example.com", "secret": SECRET}}, "webhook.url: .*https"),
        ({"webhook": {"url": "https://a:b@example.com", "secret": SECRET}}, "webhook.url: .*password"),
        ({"webhook": {"url": "https://example.com", "secret": "whsec_c2hvcnQ="}}, "webhook.secret: .*24 to 64"),
        ({"roles": []}, "roles: "),
        ({"language": "fr"}, "language: "),
    ],
)
def test_what_is_wrong_is_said_by_its_field(fields: dict[str, object], problem: str) -> None:
    with pytest.raises(ValidationError) as caught:
        recipient(**fields)
    assert re.search(problem, first_problem(caught.value))


def test_an_escalation_starts_at_once_and_goes_on() -> None:
    given = {"tenant": "acme", "escalation_id": "default"}
    with pytest.raises(ValidationError, match="must be 0"):
        Escalation.model_validate({**given, "steps": [{"after_minutes": 5}]})
    with pytest.raises(ValidationError, match="must grow"):
        Escalation.model_validate({**given, "steps": [{"after_minutes": 0}, {"after_minutes": 0}]})
    with pytest.raises(ValidationError, match="vehicle"):
        Escalation.model_validate({**given, "steps": [{"channels": ["mqtt"]}]})


def test_a_silence_says_what_it_silences_and_when() -> None:
    given = {
        "tenant": "acme",
        "silence_id": "defrost",
        "device": "fridge-*",
        "start": "2025-01-15T10:00:00Z",
        "end": "2025-01-15T12:00:00+01:00",
        "created_by": "anna",
        "reason": "defrosting",
    }
    silence = Silence.model_validate(given)

    def silenced(device: str, at: str) -> bool:
        return silence.silences(rule_id="chilled", device=device, metric="temperature", labels={}, at=utc(at))

    assert silenced("fridge-1", "2025-01-15T10:00")
    assert not silenced("fridge-1", "2025-01-15T11:00")
    assert not silenced("truck-1", "2025-01-15T10:00")
    with pytest.raises(ValidationError, match="must be after start"):
        Silence.model_validate({**given, "end": "2025-01-15T09:00:00Z"})
    with pytest.raises(ValidationError, match="say what is silenced"):
        Silence.model_validate({**given, "device": "*"})
