"""Settings are read once, at the edge, and wrong ones fail there."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from remit.errors import SettingsInvalidError
from remit.settings import Settings


def test_settings_without_environment_are_the_documented_defaults() -> None:
    """An empty environment is a laptop: embedded database, loopback, tenant ``default``."""
    settings = Settings.from_environment({})

    assert settings == Settings()
    assert settings.host == "127.0.0.1"
    assert settings.database_url is None


def test_settings_collect_secrets_without_showing_them() -> None:
    """Secrets are kept apart from what a representation prints."""
    settings = Settings.from_environment({"REMIT_SECRET_ACME__KEY": "hunter2", "PATH": "/bin"})

    assert settings.secrets == {"acme__key": "hunter2"}
    assert "hunter2" not in repr(settings)


def test_settings_take_folders_and_numbers() -> None:
    """Texts of the environment become typed values."""
    settings = Settings.from_environment({"REMIT_DATA_DIR": "/data", "REMIT_PORT": "0", "REMIT_LEASE_SECONDS": "60"})

    assert settings.data_dir == Path("/data")
    assert settings.port == 0
    assert settings.lease == timedelta(seconds=60)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("REMIT_PORT", "http"),
        ("REMIT_PORT", "70000"),
        ("REMIT_ALLOW_UNSAFE", "perhaps"),
        ("REMIT_LEASE_SECONDS", "0"),
        ("REMIT_HEARTBEAT_SECONDS", "10"),
        ("REMIT_LOG_LEVEL", "loud"),
    ],
)
def test_settings_out_of_range_are_refused(name: str, value: str) -> None:
    """A wrong value stops the process before it does anything."""
    with pytest.raises(SettingsInvalidError):
        Settings.from_environment({name: value})
