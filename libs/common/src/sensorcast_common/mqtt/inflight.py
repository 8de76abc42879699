"""What has been received on one connection and not been acknowledged yet."""

from collections import deque
from collections.abc import Callable


class Ticket:
    """Some messages that are acknowledged together.

    Args:
        mids: Packet identifiers of those with QoS 1, in the order of receipt.
        size: Bytes of the payloads.
    """

    __slots__ = ("count", "done", "mids", "size")

    def __init__(self, mids: list[int], *, count: int, size: int) -> None:
        self.mids = mids
        self.count = count
        self.size = size
        self.done = False


class InFlight:
    """Lets PUBACKs go out in the order in which the PUBLISH packets came in, as [MQTT-4.6.0-2] demands.

    Args:
        send: Sends PUBACKs for packet identifiers.
    """

    def __init__(self, send: Callable[[list[int]], None]) -> None:
        self._send = send
        self._tickets: deque[Ticket] = deque()
        self.messages = 0
        self.size = 0

    def received(self, *, count: int, size: int) -> None:
        """Count messages that have come in."""
        self.messages += count
        self.size += size

    def hand_out(self, ticket: Ticket) -> None:
        """Take note of messages that somebody works on; call in the order of receipt."""
        self._tickets.append(ticket)

    def settle(self, ticket: Ticket) -> None:
        """Acknowledge what `ticket` holds, as soon as all that came before it is settled too."""
        if ticket.done:
            return
        ticket.done = True
        mids: list[int] = []
        while self._tickets and self._tickets[0].done:
            head = self._tickets.popleft()
            mids += head.mids
            self.messages -= head.count
            self.size -= head.size
        if mids:
            self._send(mids)
