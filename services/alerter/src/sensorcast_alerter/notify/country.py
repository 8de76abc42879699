"""Keeps back SMS to countries that are not allowed: a mistyped number, or a rule that somebody abuses, costs money."""

from collections.abc import Collection, Sequence
from functools import lru_cache

import phonenumbers

from sensorcast_alerter.notify.draft import Draft, Held, Hold, Sifted
from sensorcast_common.notice import Channel


class CountryStage:
    """Looks at the country of each number; by number ranges, so that +1 is Canada or Jamaica as well.

    Args:
        allowed: ISO 3166 codes such as `DE`; empty allows every country.
    """

    def __init__(self, allowed: Collection[str]) -> None:
        self._allowed = frozenset(allowed)

    def __call__(self, drafts: Sequence[Draft], now: int) -> Sifted:
        """Hand on what goes to an allowed country."""
        del now
        if not self._allowed:
            return Sifted(drafts)
        remaining, held = [], []
        for draft in drafts:
            country = country_of(draft.address) if draft.channel is Channel.SMS else None
            if draft.channel is Channel.SMS and country not in self._allowed:
                held.append(Hold(draft, Held.COUNTRY, f"{country or 'unknown'} is not allowed"))
            else:
                remaining.append(draft)
        return Sifted(remaining, held)


@lru_cache(maxsize=10_000)
def country_of(number: str) -> str | None:
    """The ISO 3166 code of a number in E.164, or `None` where it belongs to none."""
    try:
        return phonenumbers.region_code_for_number(phonenumbers.parse(number))
    except phonenumbers.NumberParseException:
        return None
