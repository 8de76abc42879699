"""What a validation error says, in one line that names the field."""

from pydantic import ValidationError


def first_problem(error: ValidationError, *, within: str = "") -> str:
    """The first thing that was wrong: `field: message`, without the value, which may be a secret.

    Args:
        error: Of pydantic.
        within: What the fields are part of; `message` stands for the whole where no field is to blame.
    """
    problem = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(str(part) for part in (within, *problem["loc"]) if part != "")
    return f"{where or 'message'}: {problem['msg']}"
