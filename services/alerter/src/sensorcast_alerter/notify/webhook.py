"""Signed JSON to a recipient's webhook, as the Standard Webhooks specification has it.

Headers: `webhook-id`, the same at every try; `webhook-timestamp`, seconds since 1970; `webhook-signature`, `v1,` and
the base64 of HMAC-SHA256 over `{id}.{timestamp}.{body}`. A receiver refuses an old timestamp, and an id that it has
seen before.
"""

import base64
import hashlib
import hmac

from sensorcast_alerter.notify.address_book import AddressBook
from sensorcast_alerter.notify.message import Message
from sensorcast_alerter.notify.outside import Outside
from sensorcast_alerter.ports import Refused
from sensorcast_common.clock import Clock


class WebhookSender:
    """Signs and posts.

    Args:
        book: Where address and secret are known; they are kept nowhere else.
        outside: Posts.
        clock: The present.
    """

    def __init__(self, book: AddressBook, outside: Outside, *, clock: Clock) -> None:
        self._book = book
        self._outside = outside
        self._clock = clock

    async def send(self, message: Message) -> None:
        """Return once the receiver has answered with 2xx.

        Raises:
            Refused: The recipient has no webhook any more, or the receiver will not take this.
            Retryable: The receiver is away or busy.
        """
        recipient = self._book.recipient(message.tenant, message.address)
        if recipient is None or recipient.webhook is None:
            raise Refused("the recipient has no webhook any more")
        body = message.text.encode()
        timestamp = self._clock() // 1000
        headers = {
            "Content-Type": "application/json",
            "webhook-id": message.message_id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": signature(
                recipient.webhook.secret, message_id=message.message_id, timestamp=timestamp, body=body
            ),
        }
        await self._outside.post(recipient.webhook.url, body, headers)


def signature(secret: str, *, message_id: str, timestamp: int, body: bytes) -> str:
    """The header `webhook-signature`.

    Args:
        secret: `whsec_` and base64.
        message_id: The header `webhook-id`.
        timestamp: The header `webhook-timestamp`, seconds since 1970.
        body: Exactly what is sent.
    """
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = b".".join((message_id.encode(), str(timestamp).encode(), body))
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
