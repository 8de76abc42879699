"""Whether the broker of the vehicles and the mail service let us in."""

from typing import TYPE_CHECKING, Final

import aiomqtt
import aiosmtplib
from botocore.exceptions import BotoCoreError, ClientError

from sensorcast_alerter.doctor.finding import Finding, bad, doubtful, good, of_error
from sensorcast_alerter.notify.mail import MailServer
from sensorcast_common.mqtt import MqttSettings, mqtt_client

if TYPE_CHECKING:
    from types_aiobotocore_sesv2 import SESV2Client

_TIMEOUT: Final = 10.0


async def check_mqtt(settings: MqttSettings) -> Finding:
    """Log in to the broker, beside the alerter that may be connected."""
    where = f"MQTT broker {settings.mqtt_host}:{settings.mqtt_port}"
    try:
        async with mqtt_client(settings, client_id=f"{settings.mqtt_client_id}-doctor"):
            return good(f"{where}: logged in")
    except aiomqtt.MqttError as error:
        return bad(f"{where}: {error}", "check SENSORCAST_MQTT_URL, user, password and certificates")
    except OSError as error:
        return bad(f"{where}: {error}", "check the certificate files")


async def check_smtp(server: MailServer) -> Finding:
    """Log in to the mail server, and send nothing."""
    where = f"mail server {server.host}:{server.port}"
    client = aiosmtplib.SMTP(
        hostname=server.host,
        port=server.port,
        use_tls=server.tls,
        start_tls=server.starttls,
        username=server.username,
        password=server.password,
        timeout=_TIMEOUT,
    )
    try:
        async with client:
            return good(f"{where}: logged in")
    except (aiosmtplib.SMTPException, OSError) as error:
        return bad(f"{where}: {type(error).__name__}", "check SENSORCAST_SMTP_URL, user and password")


async def check_ses(ses: "SESV2Client", sender: str) -> list[Finding]:
    """Whether SES sends for us, to anybody, from this address or its domain."""
    findings = []
    try:
        account = await ses.get_account()
    except (ClientError, BotoCoreError) as error:
        findings.append(of_error("SES", error, permission="ses:GetAccount"))
    else:
        if not account.get("SendingEnabled", False):
            findings.append(bad("SES: sending is paused", "see the SES console, Account dashboard"))
        elif account.get("ProductionAccessEnabled", False):
            findings.append(good("SES: out of the sandbox"))
        else:
            advice = "ask for production access: SES console, Account dashboard"
            findings.append(doubtful("SES sandbox: only verified addresses are reached", advice))
    return [*findings, await _identity(ses, sender)]


async def _identity(ses: "SESV2Client", sender: str) -> Finding:
    domain = sender.rpartition("@")[2].rstrip(">")
    address = sender.rpartition("<")[2].rstrip(">")
    for identity in (address, domain):
        try:
            if (await ses.get_email_identity(EmailIdentity=identity)).get("VerifiedForSendingStatus", False):
                return good(f"SES: {identity} may send")
        except ses.exceptions.NotFoundException:
            continue
        except (ClientError, BotoCoreError) as error:
            return of_error("SES identity", error, permission="ses:GetEmailIdentity")
    return bad(f"SES: neither {address} nor {domain} is verified", "verify one: SES console, Identities")
