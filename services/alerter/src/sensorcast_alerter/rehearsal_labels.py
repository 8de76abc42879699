"""The labels of the devices of a file of measurements, which a CSV cannot hold itself."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import yaml
from pydantic import TypeAdapter, ValidationError

from sensorcast_common.csv.fault import CsvFault
from sensorcast_common.invalid import first_problem
from sensorcast_common.rule import Rule

Labels = Mapping[tuple[str, str], Mapping[str, str]]
"""By tenant and device."""

_FILE: TypeAdapter[dict[str, dict[str, str]]] = TypeAdapter(dict[str, dict[str, str]])


def given_labels(pairs: Sequence[str], file: Path | None) -> tuple[dict[str, str], dict[str, dict[str, str]]]:
    """What the options say: labels of every device, and those of some.

    Args:
        pairs: Each as `name=value`.
        file: YAML, by device a mapping of labels.

    Raises:
        CsvFault: A pair is none, or the file is not such a mapping; the message names the option or the field.
    """
    everywhere: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not (name and equals and value):
            raise CsvFault(f"--label: {pair!r} is not of the form name=value")
        everywhere[name] = value
    if file is None:
        return everywhere, {}
    try:
        return everywhere, _FILE.validate_python(yaml.safe_load(file.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise CsvFault(f"{file}: {error}") from error
    except ValidationError as error:
        raise CsvFault(f"{file}: {first_problem(error)}") from error


def labels_of(
    devices: Iterable[tuple[str, str]], rules: Iterable[Rule], *, pairs: Sequence[str], file: Path | None
) -> Labels:
    """The labels of the devices, as the rules need them.

    Raises:
        CsvFault: A rule asks for a label that no device of the file has: nobody said what the devices are.
    """
    everywhere, some = given_labels(pairs, file)
    found = {key: {**everywhere, **some.get(key[1], {})} for key in devices}
    known = {name for labels in found.values() for name in labels}
    for rule in rules:
        missing = sorted(rule.labels.keys() - known)
        if missing and found:
            raise CsvFault(
                f"rule {rule.rule_id}: labels: no device has {', '.join(missing)}; "
                f"say with --label {missing[0]}=VALUE, or by device with --labels FILE, what the devices are"
            )
    return found
