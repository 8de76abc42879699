"""Chat messages to a Slack-compatible incoming webhook: Slack, Mattermost, Rocket.Chat."""

import json

from sensorcast_alerter.notify.address_book import AddressBook
from sensorcast_alerter.notify.message import Message
from sensorcast_alerter.notify.outside import Outside
from sensorcast_alerter.ports import Refused


class SlackSender:
    """Posts `{"text": ...}`.

    Args:
        book: Where the address is known; it is as secret as a password, and kept nowhere else.
        outside: Posts.
    """

    def __init__(self, book: AddressBook, outside: Outside) -> None:
        self._book = book
        self._outside = outside

    async def send(self, message: Message) -> None:
        """Return once the receiver has answered with 2xx.

        Raises:
            Refused: The recipient has no such webhook any more, or the receiver will not take this.
            Retryable: The receiver is away or busy.
        """
        recipient = self._book.recipient(message.tenant, message.address)
        if recipient is None or recipient.slack is None:
            raise Refused("the recipient has no chat webhook any more")
        body = json.dumps({"text": message.text}).encode()
        await self._outside.post(recipient.slack, body, {"Content-Type": "application/json"})
