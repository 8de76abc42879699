"""The channels against real servers: mail, signed webhooks, chat; and where they refuse to go."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.policy import default

import pytest
from aiohttp import web
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from tests.servers.aws import AwsAccount

from sensorcast_alerter.notify.address_book import AddressBook
from sensorcast_alerter.notify.mail import MailServer, SesSender, SmtpSender
from sensorcast_alerter.notify.message import Message
from sensorcast_alerter.notify.outside import Outside, is_allowed
from sensorcast_alerter.notify.slack import SlackSender
from sensorcast_alerter.notify.webhook import WebhookSender, signature
from sensorcast_alerter.ports import Refused
from sensorcast_common.errors import Retryable
from sensorcast_common.recipient import Recipient
from sensorcast_common.tables.contacts import Contacts
from sensorcast_local.command import LOOPBACK, free_port

SECRET = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz"
NOW = 1_736_942_400_000
MAIL = Message(
    message_id="msg_1", tenant="acme", address="anna@example.com", subject="KRITISCH Kühlgut", text="9 C, über 8 C\n"
)
HOOK = Message(message_id="msg_1", tenant="acme", address="office", text='{"schema_version":1}')


def book(url: str) -> AddressBook:
    known = AddressBook()
    office = Recipient.model_validate(
        {
            "tenant": "acme",
            "recipient_id": "office",
            "name": "Office",
            "roles": ["manager"],
            "webhook": {"url": url, "secret": SECRET},
            "slack": url,
        }
    )
    known.follow(Contacts([office], [], []))
    return known


@dataclass(slots=True)
class Receiver:
    """A web server on loopback that keeps what it gets."""

    answer: int = 204
    headers: dict[str, str] = field(default_factory=dict)
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    url: str = ""

    async def handle(self, request: web.Request) -> web.Response:
        self.got.append((dict(request.headers), await request.read()))
        return web.Response(status=self.answer, headers=self.headers)

    @asynccontextmanager
    async def open(self) -> "AsyncIterator[Receiver]":
        app = web.Application()
        app.router.add_post("/alerts", self.handle)
        runner = web.AppRunner(app)
        await runner.setup()
        port = free_port()
        await web.TCPSite(runner, LOOPBACK, port).start()
        self.url = f"http://{LOOPBACK}:{port}/alerts"
        try:
            yield self
        finally:
            await runner.cleanup()


async def test_a_webhook_is_signed_over_id_time_and_body() -> None:
    async with Receiver().open() as receiver, Outside(allow_loopback=True).open() as outside:
        await WebhookSender(book(receiver.url), outside, clock=lambda: NOW).send(HOOK)
    ((headers, body),) = receiver.got
    assert body == HOOK.text.encode()
    assert (headers["webhook-id"], headers["webhook-timestamp"]) == ("msg_1", str(NOW // 1000))
    # From the command line: printf 'msg_1.1736942400.{"schema_version":1}' | openssl dgst -sha256 -binary \
    #     -hmac 012345678901234567890123 | base64
    assert headers["webhook-signature"] == "v1,1xZFLboJhNFJ1PfihuMMESt+m5BFy8ShwHyQ+ahmVKQ="
    assert headers["webhook-signature"] != signature(SECRET, message_id="msg_2", timestamp=NOW // 1000, body=body)


async def test_a_chat_message_is_posted_as_slack_reads_it() -> None:
    async with Receiver(answer=200).open() as receiver, Outside(allow_loopback=True).open() as outside:
        await SlackSender(book(receiver.url), outside).send(HOOK)
    assert json.loads(receiver.got[0][1]) == {"text": HOOK.text}


@pytest.mark.parametrize(
    ("answer", "error"), [(500, Retryable), (429, Retryable), (408, Retryable), (404, Refused), (410, Refused)]
)
async def test_what_a_receiver_answers_decides_whether_it_is_tried_again(answer: int, error: type[Exception]) -> None:
    async with (
        Receiver(answer=answer, headers={"Retry-After": "7"}).open() as receiver,
        Outside(allow_loopback=True).open() as outside,
    ):
        with pytest.raises(error, match=str(answer)) as caught:
            await WebhookSender(book(receiver.url), outside, clock=lambda: NOW).send(HOOK)
    if isinstance(caught.value, Retryable):
        assert caught.value.after == 7


async def test_a_redirect_is_not_followed() -> None:
    async with Receiver().open() as target:
        redirecting = Receiver(answer=307, headers={"Location": target.url})
        async with redirecting.open(), Outside(allow_loopback=True).open() as outside:
            with pytest.raises(Refused, match="307"):
                await WebhookSender(book(redirecting.url), outside, clock=lambda: NOW).send(HOOK)
    assert (len(redirecting.got), target.got) == (1, [])


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/",
        "https://127.0.0.1/",
        "https://localhost/",
        "https://2130706433/",
        "https://169.254.169.254/latest/meta-data/",
        "https://10.0.0.1/",
        "https://[::1]/",
        "https://[::ffff:10.0.0.1]/",
        "https://[fd00:ec2::254]/",
    ],
)
async def test_an_address_that_is_not_public_is_refused(url: str) -> None:
    async with Outside().open() as outside:
        with pytest.raises(Refused, match="the address is not"):
            await outside.post(url, b"{}", {})


def test_public_addresses_are_told_from_the_others() -> None:
    assert all(map(is_allowed, ("93.184.216.34", "2606:2800:220:1::1", "::ffff:93.184.216.34")))
    inside = ("100.64.0.1", "192.168.1.1", "0.0.0.0", "224.0.0.1", "64:ff9b::a00:1", "2002:a00:1::", "fe80::1%eth0")
    assert not any(map(is_allowed, inside))
    assert is_allowed("127.0.0.1", allow_loopback=True)
    assert not is_allowed("10.0.0.1", allow_loopback=True)


async def test_a_receiver_that_is_away_is_tried_again_and_one_that_is_gone_is_not() -> None:
    async with Outside(allow_loopback=True).open() as outside:
        with pytest.raises(Retryable, match="connection"):
            await WebhookSender(book(f"http://{LOOPBACK}:9/"), outside, clock=lambda: NOW).send(HOOK)
        with pytest.raises(Refused, match="no webhook any more"):
            await WebhookSender(AddressBook(), outside, clock=lambda: NOW).send(HOOK)
        with pytest.raises(Refused, match="no chat webhook any more"):
            await SlackSender(AddressBook(), outside).send(HOOK)


class Mailbox:
    """Keeps what an SMTP server gets, or answers what it is told to."""

    def __init__(self) -> None:
        self.got: list[Envelope] = []
        self.answer = "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - as aiosmtpd calls it
        self.got.append(envelope)
        return self.answer


@pytest.fixture
async def mailbox() -> AsyncIterator[tuple[Mailbox, SmtpSender]]:
    mailbox, port = Mailbox(), free_port()
    controller = Controller(mailbox, hostname=LOOPBACK, port=port)
    await asyncio.to_thread(controller.start)
    server = MailServer(host=LOOPBACK, port=port, tls=False, starttls=None)
    yield mailbox, SmtpSender(server, sender="Sensorcast <alerts@example.com>", clock=lambda: NOW)
    await asyncio.to_thread(controller.stop)


async def test_a_mail_goes_out_by_smtp(mailbox: tuple[Mailbox, SmtpSender]) -> None:
    box, sender = mailbox
    await sender.send(MAIL)
    (envelope,) = box.got
    assert (envelope.mail_from, envelope.rcpt_tos) == ("alerts@example.com", ["anna@example.com"])
    assert isinstance(envelope.content, bytes)
    mail = message_from_bytes(envelope.content, policy=default)
    assert (mail["Subject"], mail["Message-ID"]) == ("KRITISCH Kühlgut", "<msg_1@example.com>")
    assert mail["Date"] == "Wed, 15 Jan 2025 12:00:00 +0000"
    body = mail.get_body()
    assert body is not None
    assert body.get_content().strip() == MAIL.text.strip()


@pytest.mark.parametrize(("answer", "error"), [("451 later", Retryable), ("554 never", Refused)])
async def test_what_a_mail_server_answers_decides_whether_it_is_tried_again(
    mailbox: tuple[Mailbox, SmtpSender], answer: str, error: type[Exception]
) -> None:
    box, sender = mailbox
    box.answer = answer
    with pytest.raises(error, match=answer[:3]):
        await sender.send(MAIL)


async def test_a_mail_server_without_tls_gets_nothing_where_tls_is_needed(
    mailbox: tuple[Mailbox, SmtpSender],
) -> None:
    box, sender = mailbox
    server = MailServer(host=LOOPBACK, port=sender._server.port, tls=False, starttls=True)
    with pytest.raises(Retryable, match="SMTP"):
        await SmtpSender(server, sender="alerts@example.com", clock=lambda: NOW).send(MAIL)
    assert box.got == []


async def test_a_mail_goes_out_by_ses_once_its_sender_is_verified(any_account: AwsAccount) -> None:
    async with any_account.aws.client("sesv2") as ses:
        sender = SesSender(ses, sender="alerts@example.com")
        await ses.create_email_identity(EmailIdentity="alerts@example.com")
        await sender.send(MAIL)


async def test_ses_that_is_away_is_to_be_tried_again() -> None:
    nowhere = AwsAccount(
        endpoint_url="http://127.0.0.1:9", account_id="1" * 12, access_key="1" * 12, secret_key="secret"
    )
    async with nowhere.aws.client("sesv2") as ses:
        with pytest.raises(Retryable, match="SES"):
            await SesSender(ses, sender="alerts@example.com").send(MAIL)
