"""What an SMS is likely to cost: its parts, and what a part costs in the country it goes to.

The prices are a table that whoever runs the alerter keeps, with its date: AWS publishes them by country and carrier,
and changes them. What was really spent, AWS alone knows (the metric `SMSMonthToDateSpentUSD` in CloudWatch).
"""

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Final, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from sensorcast_alerter.notify.country import country_of
from sensorcast_alerter.notify.sms_parts import parts
from sensorcast_common.invalid import first_problem

UNKNOWN: Final = "unknown"

Country = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]


class PriceTable(BaseModel):
    """A file of prices.

    Attributes:
        as_of: When they were looked up.
        dollars_per_part: By ISO 3166 code of the country.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    as_of: date
    dollars_per_part: dict[Country, Annotated[float, Field(ge=0, le=10)]]


class SmsCost(NamedTuple):
    """One SMS.

    Attributes:
        country: ISO 3166 code of its number, or `unknown`.
        parts: How many it takes.
        dollars: What they cost; `None` where the table lacks the country.
    """

    country: str
    parts: int
    dollars: float | None


class Tariff:
    """Estimates by a table; without one, parts are all that is known.

    Args:
        dollars_per_part: By country.
    """

    def __init__(self, dollars_per_part: Mapping[str, float] = MappingProxyType({})) -> None:
        self.dollars_per_part = dollars_per_part

    def of(self, number: str, text: str) -> SmsCost:
        """The cost of sending `text` to a number in E.164."""
        country, count = country_of(number) or UNKNOWN, parts(text)
        price = self.dollars_per_part.get(country)
        return SmsCost(country, count, None if price is None else count * price)


def price_table(path: Path) -> PriceTable:
    """Read a table, such as `{"as_of": "2026-01-31", "dollars_per_part": {"DE": 0.1}}`.

    Raises:
        ValueError: It cannot be read, or is no such table; the message names file and field.
    """
    try:
        return PriceTable.model_validate_json(path.read_text(encoding="utf-8"))
    except ValidationError as error:
        raise ValueError(f"{path}: {first_problem(error)}") from error
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: {error}") from error
