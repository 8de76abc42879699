"""An aiomqtt client as the settings say: TLS, version, session."""

import ssl
from typing import Final

import aiomqtt
import paho.mqtt.client as paho
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from sensorcast_common.mqtt.settings import MqttSettings

_VERSIONS: Final = {"5": aiomqtt.ProtocolVersion.V5, "3.1.1": aiomqtt.ProtocolVersion.V311}
OPERATION_TIMEOUT: Final = 10.0
"""Seconds that the broker may take to answer."""


def tls_context(settings: MqttSettings) -> ssl.SSLContext | None:
    """The TLS context for `mqtts://`, else nothing.

    Raises:
        OSError: A file cannot be read or holds no certificate or key (`ssl.SSLError` is an `OSError`).
    """
    if not settings.mqtt_tls:
        return None
    try:
        context = ssl.create_default_context(cafile=settings.mqtt_ca_file)
    except OSError as error:
        raise OSError(f"MQTT_CA_FILE: {settings.mqtt_ca_file}: {error}") from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if settings.mqtt_cert_file is not None:
        try:
            context.load_cert_chain(settings.mqtt_cert_file, settings.mqtt_key_file)
        except OSError as error:
            raise OSError(f"MQTT_CERT_FILE, MQTT_KEY_FILE: {settings.mqtt_cert_file}: {error}") from error
    if settings.mqtt_alpn is not None:
        context.set_alpn_protocols([settings.mqtt_alpn])
    return context


def mqtt_client(
    settings: MqttSettings,
    *,
    persistent: bool = False,
    client_id: str | None = None,
    max_queued_incoming_messages: int | None = None,
) -> aiomqtt.Client:
    """A client that connects inside `async with`, once.

    Args:
        settings: How to reach the broker.
        persistent: Whether the broker keeps the session, with what was not acknowledged, while the client is away.
        client_id: Overrides the one in the settings, e.g. for a second connection of one process.
        max_queued_incoming_messages: As aiomqtt's; what does not fit is discarded.

    Raises:
        OSError: A certificate or key file cannot be used.
    """
    is_mqtt5 = settings.mqtt_version == "5"
    properties: Properties | None = None
    if is_mqtt5:
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]  # paho has no type there
        properties.SessionExpiryInterval = settings.mqtt_session_expiry if persistent else 0
        properties.ReceiveMaximum = settings.mqtt_receive_maximum
    password = settings.mqtt_password
    return aiomqtt.Client(
        settings.mqtt_host,
        settings.mqtt_port,
        identifier=client_id or settings.mqtt_client_id,
        username=settings.mqtt_username,
        password=None if password is None else password.get_secret_value(),
        protocol=_VERSIONS[settings.mqtt_version],
        clean_session=None if is_mqtt5 else not persistent,
        clean_start=(not persistent) if is_mqtt5 else paho.MQTT_CLEAN_START_FIRST_ONLY,
        properties=properties,
        keepalive=settings.mqtt_keepalive,
        tls_context=tls_context(settings),
        timeout=OPERATION_TIMEOUT,
        max_queued_incoming_messages=max_queued_incoming_messages,
    )
