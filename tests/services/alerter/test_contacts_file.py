"""A file of contacts is taken whole or not at all, and what is wrong is named, without the secrets in it."""

import asyncio
from pathlib import Path

import pytest
from tests.servers.aws import AwsAccount
from tests.servers.tables import table_in
from typer.testing import CliRunner

from sensorcast_alerter.contacts_command import app
from sensorcast_alerter.contacts_file import ContactsFileError, parse_contacts
from sensorcast_common.names import Names

GOOD = """
tenant: demo
recipients:
  - recipient_id: anna
    name: Anna
    roles: [manager]
    sms: "+4915112345678"
    quiet_hours: {start: "22:00", end: "06:00"}
  - {recipient_id: erp, name: ERP, roles: [compliance], webhook: {url: "https://e.example.com", secret: SECRET}}
escalations:
  - escalation_id: default
    steps: [{roles: [driver]}, {after_minutes: 10, roles: [manager]}]
    repeat_minutes: 30
silences:
  - {silence_id: defrost, device: fridge-3, start: 2026-01-31T08:00:00Z, end: "2026-01-31T10:00:00+01:00", reason: ice}
""".replace("SECRET", "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("recipients: [", "not YAML"),
        ("people: []", "recipients: expected a list"),
        ("recipients: {}", "recipients: expected a list"),
        ("tenant: a/b\nrecipients: []", "tenant: 'a/b' is not a name"),
        ("recipients: [4]", r"recipients\[0\]: expected fields"),
        (GOOD.replace("+49", "0049"), r"recipients\[0\] \(anna\).sms: String should match"),
        (GOOD.replace("22:00", "25:00"), r"recipients\[0\] \(anna\).quiet_hours.start: "),
        (GOOD.replace("whsec_", ""), r"recipients\[1\] \(erp\).webhook.secret: "),
        (GOOD.replace("https://", "ftp://"), r"recipients\[1\] \(erp\).webhook.url: expected https://"),
        (GOOD.replace("after_minutes: 10", "after_minutes: 0"), r"escalations\[0\] \(default\).steps: after_minutes"),
        (GOOD.replace("erp", "anna"), "recipient_id: 'anna' is there 2 times"),
        (GOOD.replace("10:00:00+01:00", "09:00:00+01:00"), r"silences\[0\] \(defrost\).end: must be after start"),
        (GOOD.replace("device: fridge-3, ", ""), r"silences\[0\] \(defrost\).device, metric, rule or labels: say what"),
        (GOOD.replace(", reason: ice", ""), r"silences\[0\] \(defrost\).reason: Field required"),
        (GOOD.replace('"2026-01-31T10:00:00+01:00"', "tomorrow"), r"silences\[0\] \(defrost\).end: "),
        (GOOD.replace("name: Anna", "name: Anna\n    version: 2"), r"recipients\[0\] \(anna\).version: is counted"),
    ],
)
def test_what_is_wrong_is_named(text: str, problem: str) -> None:
    with pytest.raises(ContactsFileError, match=problem) as caught:
        parse_contacts(text, by="anna")
    assert "MDEyMzQ1" not in str(caught.value)


def test_a_silence_names_who_wants_it() -> None:
    (silence,) = parse_contacts(GOOD, by="anna").silences
    assert (silence.created_by, silence.start.hour, silence.end.hour) == ("anna", 8, 9)
    named = GOOD.replace("silence_id: defrost", "silence_id: defrost, created_by: workshop")
    assert parse_contacts(named, by="anna").silences[0].created_by == "workshop"


async def test_the_command_applies_and_lists(account: AwsAccount, tmp_path: Path) -> None:
    file = tmp_path / "contacts.yaml"
    file.write_text(GOOD, encoding="utf-8")

    async def run(*arguments: str) -> list[str]:
        result = await asyncio.to_thread(CliRunner().invoke, app, [*arguments], env=account.env)
        assert result.exit_code == 0, result.output
        return result.output.splitlines()

    async with table_in(account, Names().table_contacts):
        assert await run("apply", str(file)) == [
            "demo/anna: created, version 1",
            "demo/erp: created, version 1",
            "demo/default: created, version 1",
            "demo/defrost: created, version 1",
        ]
        file.write_text(GOOD.replace("name: Anna", "name: Anna B."), encoding="utf-8")
        assert (await run("apply", str(file)))[:2] == [
            "demo/anna: changed, version 2",
            "demo/erp: unchanged, version 1",
        ]
        listed = await run("ls", "--tenant", "demo")
    assert listed == ["anna  v2  Anna B.  manager  sms", "erp  v1  ERP  compliance  webhook"]
