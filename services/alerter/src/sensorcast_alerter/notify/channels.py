"""Opens the channels that the settings ask for."""

from typing import Final

from sensorcast_alerter.notify.address_book import AddressBook
from sensorcast_alerter.notify.mail import SesSender, SmtpSender
from sensorcast_alerter.notify.mqtt import MqttSender
from sensorcast_alerter.notify.outside import Outside
from sensorcast_alerter.notify.slack import SlackSender
from sensorcast_alerter.notify.sms import SmsSender
from sensorcast_alerter.notify.webhook import WebhookSender
from sensorcast_alerter.ports import Sender
from sensorcast_alerter.settings import AlerterSettings
from sensorcast_common.aws import Aws
from sensorcast_common.clock import Clock
from sensorcast_common.lifecycle import Lifecycle
from sensorcast_common.notice import Channel

AT_ONCE: Final = 4
"""Messages that a channel sends at once; MQTT keeps their order and sends one."""

SMS_AT_ONCE: Final = 16
"""When a site fails, everybody's SMS is due at once; SNS takes 20 a second unless it was asked for more."""


async def open_channels(
    settings: AlerterSettings, life: Lifecycle, *, aws: Aws, book: AddressBook, clock: Clock
) -> dict[Channel, tuple[Sender, int]]:
    """The channels, each with how many messages it sends at once; they close with `life`."""
    sns = await life.enter(aws.client("sns"))
    outside = await life.enter(Outside(allow_loopback=settings.webhook_allow_loopback).open())
    senders: dict[Channel, tuple[Sender, int]] = {
        Channel.SMS: (SmsSender(sns, sender_id=settings.sms_sender_id), SMS_AT_ONCE),
        Channel.WEBHOOK: (WebhookSender(book, outside, clock=clock), AT_ONCE),
        Channel.SLACK: (SlackSender(book, outside), AT_ONCE),
    }
    sender = settings.email_from
    if settings.email == "ses" and sender is not None:
        senders[Channel.EMAIL] = (SesSender(await life.enter(aws.client("sesv2")), sender=sender), AT_ONCE)
    elif settings.email == "smtp" and sender is not None:
        senders[Channel.EMAIL] = (SmtpSender(settings.mail_server, sender=sender, clock=clock), AT_ONCE)
    if settings.alert_mqtt:
        mqtt = MqttSender(settings)
        life.background("alerts on MQTT", mqtt.run)
        senders[Channel.MQTT] = (mqtt, 1)
    return senders
