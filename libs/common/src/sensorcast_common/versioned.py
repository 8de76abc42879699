"""What all things have that people write and the stores keep: an owner and a version."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Identifier = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]


class Versioned(BaseModel):
    """The base of recipients, escalations and silences.

    Attributes:
        tenant: Whose.
        version: Counts the changes, from 1.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    tenant: str
    version: Annotated[int, Field(ge=1)] = 1
