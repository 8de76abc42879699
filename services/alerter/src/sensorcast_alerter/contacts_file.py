"""Reads recipients and escalations from YAML, and says what is wrong with them by the name of the field.

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
```
"""

from collections import Counter
from typing import Final, NamedTuple, TypeVar

import yaml
from pydantic import ValidationError

from sensorcast_common.escalation import Escalation
from sensorcast_common.names import is_name
from sensorcast_common.recipient import Recipient
from sensorcast_common.versioned import Versioned

ThingT = TypeVar("ThingT", bound=Versioned)

_PARTS: Final = frozenset({"tenant", "recipients", "escalations"})


class ContactsFileError(Exception):
    """The file is not one of contacts; a line for each thing that is wrong."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))


class ContactsFile(NamedTuple):
    """What a file says."""

    recipients: list[Recipient]
    escalations: list[Escalation]


def parse_contacts(text: str) -> ContactsFile:
    """The contacts of a file; all of them are sound, or none is returned.

    Raises:
        ContactsFileError: Something is wrong; each line names the entry and the field, and never a value, since some
            are secret.
    """
    try:
        document: object = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ContactsFileError([f"not YAML: {error}"]) from error
    if not isinstance(document, dict) or not {"recipients", "escalations"} & document.keys():
        raise ContactsFileError(["recipients: expected a list under this name, or under escalations"])
    problems = [f"{name}: unknown field" for name in document if name not in _PARTS]
    tenant = document.get("tenant")
    if tenant is not None and not (isinstance(tenant, str) and is_name(tenant)):
        problems.append(f"tenant: {tenant!r} is not a name")
    found = ContactsFile(
        _things(document, "recipients", "recipient_id", Recipient, tenant, problems),
        _things(document, "escalations", "escalation_id", Escalation, tenant, problems),
    )
    if problems:
        raise ContactsFileError(problems)
    return found


def _things(
    document: dict[str, object], part: str, id_field: str, model: type[ThingT], tenant: object, problems: list[str]
) -> list[ThingT]:
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
                things.append(model.model_validate({"tenant": tenant, **entry} if tenant is not None else entry))
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
