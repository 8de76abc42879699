"""Publishes a payload once more where its device published it, so that ingest reads it as any other."""

import asyncio

import aiomqtt

from sensorcast_api.stream.mqtt_feed import Connect

PATIENCE_SECONDS = 10.0


class BrokerAway(Exception):  # noqa: N818 - what is the matter, told to the one who asked
    """The broker did not take the message; nothing has changed."""


class MqttResend:
    """Sends over a connection of its own, which is open only meanwhile.

    Args:
        connect: Makes the connection.
    """

    def __init__(self, connect: Connect) -> None:
        self._connect = connect

    async def publish(self, topic: str, payload: bytes) -> None:
        """Publish at QoS 1 and wait until the broker has taken it.

        Raises:
            BrokerAway: It has not.
        """
        try:
            async with asyncio.timeout(PATIENCE_SECONDS), self._connect() as client:
                await client.publish(topic, payload, qos=1)
        except (aiomqtt.MqttError, OSError, TimeoutError) as error:
            raise BrokerAway(str(error) or type(error).__name__) from error
