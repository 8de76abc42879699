"""Keeps back what a silence or maintenance window covers, until it ends."""

from collections.abc import Sequence

from sensorcast_alerter.notify.address_book import AddressBook
from sensorcast_alerter.notify.draft import Draft, Held, Hold, Sifted
from sensorcast_common.clock import rfc3339


class SilenceStage:
    """Asks the address book for a silence of each draft's incident.

    Args:
        book: Where silences are known.
    """

    def __init__(self, book: AddressBook) -> None:
        self._book = book

    def __call__(self, drafts: Sequence[Draft], now: int) -> Sifted:
        """Hand on what no silence covers."""
        remaining, held = [], []
        for draft in drafts:
            silence = self._book.silence(draft.incident, now)
            if silence is None:
                remaining.append(draft)
            else:
                words = f"{silence.silence_id} by {silence.created_by} until {rfc3339(silence.end)}: {silence.reason}"
                held.append(Hold(draft, Held.SILENCED, words))
        return Sifted(remaining, held)
