"""Mails: through Amazon SES, or through a mail server by SMTP."""

from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from typing import TYPE_CHECKING, Final

import aiosmtplib
from botocore.exceptions import BotoCoreError, ClientError

from sensorcast_alerter.notify.message import Message
from sensorcast_alerter.ports import Refused
from sensorcast_common.clock import Clock, from_millis
from sensorcast_common.errors import Retryable

if TYPE_CHECKING:
    from types_aiobotocore_sesv2 import SESV2Client

_TIMEOUT: Final = 20.0
_CHARSET: Final = "UTF-8"


class SesSender:
    """Sends through SES.

    Args:
        client: SES, API version 2.
        sender: The From address; SES must have verified it or its domain.
    """

    def __init__(self, client: "SESV2Client", *, sender: str) -> None:
        self._client = client
        self._sender = sender

    async def send(self, message: Message) -> None:
        """Return once SES has accepted the mail.

        Raises:
            Refused: The address is not one.
            Retryable: SES is away or throttles, or what it objects to can be mended in the account.
        """
        try:
            await self._client.send_email(
                FromEmailAddress=self._sender,
                Destination={"ToAddresses": [message.address]},
                Content={
                    "Simple": {
                        "Subject": {"Data": message.subject, "Charset": _CHARSET},
                        "Body": {"Text": {"Data": message.text, "Charset": _CHARSET}},
                    }
                },
            )
        except self._client.exceptions.BadRequestException as error:
            raise Refused(f"SES: {error.response['Error'].get('Message', 'bad request')}") from error
        except ClientError as error:
            raise Retryable(f"SES: {error.response['Error']['Code']}") from error
        except BotoCoreError as error:
            raise Retryable(f"SES: {type(error).__name__}") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class MailServer:
    """How a mail server is reached.

    Attributes:
        host: Name or address.
        port: TCP port.
        tls: Whether TLS begins with the connection; otherwise STARTTLS is asked for, and needed unless on loopback.
        starttls: Whether STARTTLS must succeed; `None` uses it where the server offers it.
        username: Sent with the password, where the server asks.
        password: See `username`.
    """

    host: str
    port: int
    tls: bool
    starttls: bool | None
    username: str | None = None
    password: str | None = None


class SmtpSender:
    """Sends through a mail server.

    Args:
        server: Which.
        sender: The From address.
        clock: The present, for the header `Date`.
    """

    def __init__(self, server: MailServer, *, sender: str, clock: Clock) -> None:
        self._server = server
        self._sender = sender
        self._clock = clock

    async def send(self, message: Message) -> None:
        """Return once the server has accepted the mail.

        Raises:
            Refused: The server will never take it (5xx about this mail).
            Retryable: The server is away, busy (4xx), or does not let us in.
        """
        server = self._server
        try:
            await aiosmtplib.send(
                self._mail(message),
                sender=parseaddr(self._sender)[1],
                recipients=[message.address],
                hostname=server.host,
                port=server.port,
                use_tls=server.tls,
                start_tls=server.starttls,
                username=server.username,
                password=server.password,
                timeout=_TIMEOUT,
            )
        except aiosmtplib.SMTPRecipientsRefused as error:
            codes = [each.code for each in error.recipients]
            raise (Refused if min(codes) >= 500 else Retryable)(f"SMTP: recipient refused, {codes[0]}") from error
        except aiosmtplib.SMTPAuthenticationError as error:
            raise Retryable(f"SMTP: login refused, {error.code}") from error
        except aiosmtplib.SMTPResponseException as error:
            raise (Refused if error.code >= 500 else Retryable)(f"SMTP: {error.code}") from error
        except (aiosmtplib.SMTPException, OSError) as error:
            raise Retryable(f"SMTP: {type(error).__name__}") from error

    def _mail(self, message: Message) -> EmailMessage:
        mail = EmailMessage()
        mail["From"] = self._sender
        mail["To"] = message.address
        mail["Subject"] = message.subject
        mail["Date"] = format_datetime(from_millis(self._clock()))
        mail["Message-ID"] = f"<{message.message_id}@{parseaddr(self._sender)[1].partition('@')[2]}>"
        mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no holiday notices in return
        mail.set_content(message.text)
        return mail
