"""What docs/notifications.md shows, works."""

import re
from pathlib import Path

from sensorcast_alerter.contacts_file import parse_contacts
from sensorcast_alerter.notify.draft import Held
from sensorcast_alerter.notify.webhook import signature

DOC = (Path(__file__).parents[3] / "docs" / "notifications.md").read_text(encoding="utf-8")


def block(language: str) -> str:
    (found,) = re.findall(rf"```{language}\n(.*?)```", DOC, re.DOTALL)
    return str(found)


def test_the_file_of_contacts_is_sound() -> None:
    contacts = parse_contacts(block("yaml"), by="anna")
    assert [each.recipient_id for each in contacts.recipients] == ["driver-7", "anna", "quality"]
    assert len(contacts.escalations[0].steps) == 3
    assert [each.device for each in contacts.silences] == ["fridge-3"]


def test_the_receiver_knows_what_is_genuine() -> None:
    secret, body, now = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz", b'{"schema_version":1}', 1_736_942_400
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(now),
        "webhook-signature": signature(secret, message_id="msg_1", timestamp=now, body=body),
    }
    names: dict[str, object] = {}
    exec(compile(block("python"), "docs/notifications.md", "exec"), names)
    is_genuine = names["is_genuine"]
    assert callable(is_genuine)
    assert is_genuine(headers, body, secret=secret, now=now + 299)
    assert not is_genuine(headers, body, secret=secret, now=now + 301)
    assert not is_genuine(headers, body + b" ", secret=secret, now=now)
    assert not is_genuine(headers | {"webhook-id": "msg_2"}, body, secret=secret, now=now)


def test_the_stages_are_named() -> None:
    stages = re.findall(r"^\| ([a-z]+) \|", DOC, re.MULTILINE)
    for held in Held:
        stage = {"no_channel": "available", "off_duty": "mute", "quiet_hours": "mute"}.get(held, held.partition("_")[0])
        words = {"silenced": "silence", "inhibited": "inhibit", "cap": "caps"}.get(stage, stage)
        assert words in stages or words == "over", held
