"""A wrong broker setting is told with its variable's name."""

from pathlib import Path

import pytest

from sensorcast_common.mqtt import MqttSettings
from sensorcast_common.settings import ServiceSettings, SettingsError, load


class BrokerSettings(MqttSettings, ServiceSettings):
    """As a service inherits them."""


@pytest.mark.parametrize(
    ("url", "host", "port", "tls"),
    [
        ("mqtt://broker", "broker", 1883, False),
        ("mqtts://broker", "broker", 8883, True),
        ("mqtts://broker:443/", "broker", 443, True),
        ("mqtt://[::1]:1884", "::1", 1884, False),
    ],
)
def test_address_is_taken_apart(url: str, host: str, port: int, tls: bool) -> None:
    settings = MqttSettings(mqtt_url=url)
    assert (settings.mqtt_host, settings.mqtt_port, settings.mqtt_tls) == (host, port, tls)


@pytest.mark.parametrize(
    "env",
    [
        {"SENSORCAST_MQTT_URL": "broker:1883"},
        {"SENSORCAST_MQTT_URL": "http://broker"},
        {"SENSORCAST_MQTT_URL": "mqtt://broker:99999"},
        {"SENSORCAST_MQTT_URL": "mqtt://user:word@broker"},
        {"SENSORCAST_MQTT_CLIENT_ID": ""},
        {"SENSORCAST_MQTT_VERSION": "3.1"},
        {"SENSORCAST_MQTT_RECEIVE_MAXIMUM": "0"},
        {"SENSORCAST_MQTT_CA_FILE": "/nowhere/ca.pem", "SENSORCAST_MQTT_URL": "mqtts://broker"},
        {"SENSORCAST_MQTT_PASSWORD": "hidden-word"},
        {"SENSORCAST_MQTT_ALPN": "x-amzn-mqtt-ca"},
    ],
    ids=lambda env: next(iter(env)) + "=" + next(iter(env.values())),
)
def test_wrong_setting_names_its_variable(env: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=next(iter(env))) as caught:
        load(BrokerSettings)
    assert "word" not in str(caught.value).replace("PASSWORD", "").replace("password", "")


def test_certificate_needs_its_key(tmp_path: Path) -> None:
    certificate = tmp_path / "client.pem"
    certificate.write_text("")
    with pytest.raises(ValueError, match="MQTT_KEY_FILE"):
        MqttSettings(mqtt_url="mqtts://broker", mqtt_cert_file=certificate)


def test_password_comes_from_a_file_and_is_masked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = tmp_path / "password"
    secret.write_text("hidden-word\n")
    monkeypatch.setenv("SENSORCAST_MQTT_USERNAME", "ingest")
    monkeypatch.setenv("SENSORCAST_MQTT_PASSWORD_FILE", str(secret))
    settings = load(BrokerSettings)
    assert settings.mqtt_password is not None
    assert settings.mqtt_password.get_secret_value() == "hidden-word"
    assert "hidden-word" not in str(settings.masked())
