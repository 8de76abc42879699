"""The MQTT side: how to reach the broker, a client for those who publish, a source for those who must not lose."""

from sensorcast_common.mqtt.client import mqtt_client
from sensorcast_common.mqtt.message import MessageBatch, MqttMessage
from sensorcast_common.mqtt.settings import MqttSettings
from sensorcast_common.mqtt.source import MqttSource, SubscriptionRefused

__all__ = ["MessageBatch", "MqttMessage", "MqttSettings", "MqttSource", "SubscriptionRefused", "mqtt_client"]
