"""What a validation error says, in one line that names the field."""

from collections.abc import Sequence

from pydantic import ValidationError

from sensorcast_common.condition import KINDS


def plain_location(loc: Sequence[int | str]) -> list[str]:
    """The parts of a field's name as a person wrote it: without the kind that pydantic puts after `condition`."""
    parts = [str(part) for part in loc]
    return [part for at, part in enumerate(parts) if not (part in KINDS and at and parts[at - 1] == "condition")]


def first_problem(error: ValidationError, *, within: str = "") -> str:
    """The first thing that was wrong: `field: message`, without the value, which may be a secret.

    Args:
        error: Of pydantic.
        within: What the fields are part of; `message` stands for the whole where no field is to blame.
    """
    problem = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(part for part in (within, *plain_location(problem["loc"])) if part != "")
    return f"{where or 'message'}: {problem['msg']}"
