"""How the live view connects to the broker: without a session, under an id that no other replica has."""

import secrets

import aiomqtt

from sensorcast_api.stream.mqtt_feed import MAX_QUEUED, Connect
from sensorcast_common.mqtt import MqttSettings, mqtt_client
from sensorcast_common.mqtt.client import tls_context


def connector(settings: MqttSettings, *, purpose: str = "live") -> Connect:
    """Makes a connection each time it is called.

    Args:
        settings: How to reach the broker.
        purpose: Part of the client id, since the broker ends a connection when another comes under its id.

    Raises:
        OSError: A certificate or key file cannot be used; better said at the start than at each attempt.
    """
    tls_context(settings)
    client_id = f"{settings.mqtt_client_id[:96]}-{purpose}-{secrets.token_hex(6)}"

    def connect() -> aiomqtt.Client:
        return mqtt_client(settings, client_id=client_id, max_queued_incoming_messages=MAX_QUEUED)

    return connect
