"""Alerts to vehicles over MQTT, QoS 1.

They are not retained: a topic keeps one message, and a device may have several incidents, so that the last message
would hide the others and outlive them. A vehicle that must not miss one while it is offline keeps a persistent session.
"""

import asyncio

import aiomqtt

from sensorcast_alerter.notify.message import Message
from sensorcast_common import logs
from sensorcast_common.backoff import Backoff
from sensorcast_common.errors import Retryable
from sensorcast_common.mqtt import MqttSettings, mqtt_client

log = logs.logger(__name__)


class MqttSender:
    """Keeps a connection to the broker while `run` runs, and publishes through it.

    Args:
        settings: How to reach the broker.
        backoff: Between two attempts to connect.
    """

    def __init__(self, settings: MqttSettings, *, backoff: Backoff | None = None) -> None:
        self._settings = settings
        self._backoff = backoff or Backoff(first=0.5, longest=30.0)
        self._client: aiomqtt.Client | None = None

    @property
    def connected(self) -> bool:
        """Whether the broker is there."""
        return self._client is not None

    async def run(self) -> None:
        """Connect, and connect again whenever the connection is lost, until cancelled.

        Raises:
            OSError: A certificate or key file cannot be used.
        """
        while True:
            client = mqtt_client(self._settings)
            try:
                async with client:
                    self._client = client
                    self._backoff.reset()
                    log.info("connected to the broker of alerts")
                    await _until_lost(client)
            except aiomqtt.MqttError as error:
                self._client = None
                wait = self._backoff.next()
                log.warning("broker of alerts is away", reason=str(error), next_try_in_s=round(wait, 1))
                await asyncio.sleep(wait)
            finally:
                self._client = None

    async def send(self, message: Message) -> None:
        """Return once the broker has acknowledged the message.

        Raises:
            Retryable: The broker is away or does not take it.
        """
        client = self._client
        if client is None:
            raise Retryable("the MQTT broker is away")
        try:
            await client.publish(message.address, message.text.encode(), qos=1)
        except aiomqtt.MqttError as error:
            raise Retryable(f"MQTT: {error}") from error


async def _until_lost(client: aiomqtt.Client) -> None:
    """Return, or raise `aiomqtt.MqttError`, once the connection is lost; nothing is subscribed, so nothing arrives."""
    async for message in client.messages:
        del message
