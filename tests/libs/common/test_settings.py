"""Settings come from the environment and from secret files, and errors name the variable."""

from pathlib import Path

import pytest
from pydantic import Field, SecretStr

from sensorcast_common.settings import ServiceSettings, SettingsError, load


class ExampleSettings(ServiceSettings):
    """Settings of a service that exists in this test only."""

    password: SecretStr
    limit: int = Field(default=3, ge=1)
    token: SecretStr | None = None


def test_a_secret_is_read_from_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = tmp_path / "password"
    secret.write_text("hunter2\n")
    monkeypatch.setenv("SENSORCAST_PASSWORD_FILE", str(secret))
    assert load(ExampleSettings).password.get_secret_value() == "hunter2"


def test_an_optional_secret_is_read_from_its_file_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "token").write_text("abc")
    monkeypatch.setenv("SENSORCAST_PASSWORD", "x")
    monkeypatch.setenv("SENSORCAST_TOKEN_FILE", str(tmp_path / "token"))
    token = load(ExampleSettings).token
    assert token is not None
    assert token.get_secret_value() == "abc"


def test_a_variable_wins_over_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "password").write_text("from file")
    monkeypatch.setenv("SENSORCAST_PASSWORD_FILE", str(tmp_path / "password"))
    monkeypatch.setenv("SENSORCAST_PASSWORD", "from variable")
    assert load(ExampleSettings).password.get_secret_value() == "from variable"


def test_a_missing_secret_file_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SENSORCAST_PASSWORD_FILE", str(tmp_path / "absent"))
    with pytest.raises(SettingsError, match="SENSORCAST_PASSWORD_FILE: No such file"):
        load(ExampleSettings)


def test_wrong_settings_are_named_and_secrets_are_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SENSORCAST_LIMIT", "0")
    monkeypatch.setenv("SENSORCAST_STACK", "Not A Stack")
    with pytest.raises(SettingsError) as caught:
        load(ExampleSettings)
    message = str(caught.value)
    assert "SENSORCAST_LIMIT: " in message
    assert "SENSORCAST_STACK: " in message
    assert "SENSORCAST_PASSWORD: Field required" in message


def test_masked_settings_hide_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SENSORCAST_PASSWORD", "hunter2")
    shown = load(ExampleSettings).masked()
    assert shown["SENSORCAST_PASSWORD"] == "**********"
    assert shown["SENSORCAST_LIMIT"] == 3
