"""Keeps back what goes by a way that this alerter has not: mail where no mail is set up."""

from collections.abc import Collection, Sequence

from sensorcast_alerter.notify.draft import Draft, Held, Hold, Sifted
from sensorcast_common.notice import Channel


class AvailableStage:
    """Knows the channels that are open.

    Args:
        channels: Those.
    """

    def __init__(self, channels: Collection[Channel]) -> None:
        self._channels = frozenset(channels)

    def __call__(self, drafts: Sequence[Draft], now: int) -> Sifted:
        """Hand on what can be sent."""
        del now
        return Sifted(
            [draft for draft in drafts if draft.channel in self._channels],
            [
                Hold(draft, Held.NO_CHANNEL, f"{draft.channel} is not set up")
                for draft in drafts
                if draft.channel not in self._channels
            ],
        )
