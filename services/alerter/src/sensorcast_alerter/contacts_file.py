"""Reads recipients, escalations and silences from YAML, and says what is wrong with them by the name of the field.

```yaml
tenant: demo
recipients:
  - recipient_id: anna
    name: Anna, night shift
    roles: [manager]
    sms: "+4915112345678"
    timezone: Europe/Berlin
    quiet_hours: {start: "22:00", end: "06:00"}
escalations:
  - escalation_id: default
    steps:
      - {roles: [driver]}
      - {after_minutes: 10, roles: [manager]}
    repeat_minutes: 30
silences:
  - {silence_id: defrost-3, device: fridge-3, start: 2026-01-31T08:00Z, end: 2026-01-31T09:00Z, reason: defrosting}
```
"""

from collections import Counter
from collections.abc import Mapping
from typing import Final, NamedTuple, TypeVar

import yaml
from pydantic import ValidationError

from sensorcast_common.escalation import Escalation
from sensorcast_common.names import is_name
from sensorcast_common.recipient import Recipient
from sensorcast_common.silence import Silence
from sensorcast_common.versioned import Versioned

ThingT = TypeVar("ThingT", bound=Versioned)

_LISTS: Final = frozenset({"recipients", "escalations", "silences"})


class ContactsFileError(Exception):
    """The file is not one of contacts; a line for each thing that is wrong."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))


class ContactsFile(NamedTuple):
    """What a file says."""

    recipients: list[Recipient]
    escalations: list[Escalation]
    silences: list[Silence]


def parse_contacts(text: str, *, by: str) -> ContactsFile:
    """The contacts of a file; all of them are sound, or none is returned.

    Args:
        text: YAML.
        by: Who wants the silences, where the file does not say.

    Raises:
        ContactsFileError: Something is wrong; each line names the entry and the field, and never a value, since some
            are secret.
    """
    try:
        document: object = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ContactsFileError([f"not YAML: {error}"]) from error
    if not isinstance(document, dict) or not _LISTS & document.keys():
        raise ContactsFileError(["recipients: expected a list under this name, or under escalations or silences"])
    problems = [f"{name}: unknown field" for name in document if name not in {"tenant", *_LISTS}]
    tenant = document.get("tenant")
    if tenant is not None and not (isinstance(tenant, str) and is_name(tenant)):
        problems.append(f"tenant: {tenant!r} is not a name")
    given = {"tenant": tenant} if tenant is not None else {}
    found = ContactsFile(
        _things(document, "recipients", "recipient_id", Recipient, given, problems),
        _things(document, "escalations", "escalation_id", Escalation, given, problems),
        _things(document, "silences", "silence_id", Silence, given | {"created_by": by}, problems),
    )
    if problems:
        raise ContactsFileError(problems)
    return found


def _things(
    document: Mapping[str, object],
    part: str,
    id_field: str,
    model: type[ThingT],
    given: Mapping[str, object],
    problems: list[str],
) -> list[ThingT]:
    """The things of one list, with what is `given` where they do not say otherwise; problems go to `problems`."""
    entries = document.get(part, [])
    if not isinstance(entries, list):
        problems.append(f"{part}: expected a list")
        return []
    things: list[ThingT] = []
    for at, entry in enumerate(entries):
        name = entry.get(id_field) if isinstance(entry, dict) else None
        place = f"{part}[{at}] ({name})" if isinstance(name, str) else f"{part}[{at}]"
        if not isinstance(entry, dict):
            problems.append(f"{place}: expected fields")
        elif "version" in entry:
            problems.append(f"{place}.version: is counted when it is stored; leave it out")
        else:
            try:
                things.append(model.model_validate({**given, **entry}))
            except ValidationError as error:
                problems += [f"{place}.{line}" for line in _lines(error)]
    problems += [f"{part}: tenant {each.tenant!r} is not a name" for each in things if not is_name(each.tenant)]
    counted = Counter((each.tenant, str(getattr(each, id_field))) for each in things)
    problems += [f"{id_field}: {name!r} is there {n} times" for (_, name), n in counted.items() if n > 1]
    return things


def _lines(error: ValidationError) -> list[str]:
    return [
        f"{'.'.join(str(part) for part in problem['loc'])}: {problem['msg'].removeprefix('Value error, ')}".lstrip(": ")
        for problem in error.errors(include_url=False, include_input=False)
    ]
