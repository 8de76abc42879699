"""How the live view connects to the broker: without a session, under an id that no other replica has."""

import secrets

import aiomqtt

from sensorcast_api.stream.mqtt_feed import MAX_QUEUED, Connect
from sensorcast_common.mqtt import MqttSettings, mqtt_client
from sensorcast_common.mqtt.client import tls_context


def connector(settings: MqttSettings) -> Connect:
    """Makes a connection each time it is called.

    Raises:
        OSError: A certificate or key file cannot be used; better said at the start than at each attempt.
    """
    tls_context(settings)
    client_id = f"{settings.mqtt_client_id[:96]}-live-{secrets.token_hex(6)}"

    def connect() -> aiomqtt.Client:
        return mqtt_client(settings, client_id=client_id, max_queued_incoming_messages=MAX_QUEUED)

    return connect
