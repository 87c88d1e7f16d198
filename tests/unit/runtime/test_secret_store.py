"""Secrets come from a private file or the environment, and from nowhere else."""

from __future__ import annotations

from pathlib import Path

import pytest

from remit.errors import NotFoundError, SettingsInvalidError
from remit.ids import TenantId
from remit.runtime.secret_store import SecretStore

ACME = TenantId("acme")
OTHER = TenantId("other")


def private_file(folder: Path, text: str) -> Path:
    path = folder / "secrets.json"
    path.write_text(text)
    path.chmod(0o600)
    return path


def test_secret_of_environment_is_found_by_tenant_and_name() -> None:
    """Dots and dashes of a name are underscores in the variable."""
    store = SecretStore({"acme__stripe_api_key": "sk_test_1"}, None)

    assert store.resolve(ACME, "stripe.api-key") == "sk_test_1"


def test_secret_of_file_wins_over_environment(tmp_path: Path) -> None:
    """What an operator wrote down for the tenant is what counts."""
    store = SecretStore({"acme__key": "environment"}, private_file(tmp_path, '{"acme": {"key": "file"}}'))

    assert store.resolve(ACME, "key") == "file"


def test_secret_of_other_tenant_is_not_found() -> None:
    """A tenant's name is part of the look-up: there is no default tenant for secrets."""
    store = SecretStore({"acme__key": "value"}, None)

    with pytest.raises(NotFoundError) as caught:
        store.resolve(OTHER, "key")

    assert "REMIT_SECRET_OTHER__KEY" in caught.value.message
    assert "value" not in caught.value.message


def test_secrets_file_readable_by_others_is_refused(tmp_path: Path) -> None:
    """A file that others can read is no secret any more."""
    path = private_file(tmp_path, '{"acme": {"key": "file"}}')
    path.chmod(0o644)

    with pytest.raises(SettingsInvalidError, match="chmod 600"):
        SecretStore({}, path).resolve(ACME, "key")


@pytest.mark.parametrize(
    "text", ['{"acme": "key"}', '["acme"]', '{"acme": {"key": 1}}'], ids=["flat", "list", "number"]
)
def test_secrets_file_of_wrong_shape_is_refused(tmp_path: Path, text: str) -> None:
    """The message shows the shape that is expected."""
    with pytest.raises(SettingsInvalidError, match="tenant"):
        SecretStore({}, private_file(tmp_path, text)).resolve(ACME, "key")


def test_secrets_file_with_duplicate_names_is_refused(tmp_path: Path) -> None:
    """The file is strict JSON: which of two values counts must never be a guess."""
    path = private_file(tmp_path, '{"acme": {"key": "a", "key": "b"}}')

    with pytest.raises(SettingsInvalidError):
        SecretStore({}, path).resolve(ACME, "key")


def test_unreadable_secrets_file_is_told_without_its_content(tmp_path: Path) -> None:
    """What is no JSON may be a part of a secret: the message has the place, and not what stands there."""
    path = private_file(tmp_path, '{"acme": {"key": canary}}')

    with pytest.raises(SettingsInvalidError, match="line 1, column 18") as caught:
        SecretStore({}, path).resolve(ACME, "key")

    assert "'c'" not in str(caught.value)


def test_changed_secrets_file_is_read_again(tmp_path: Path) -> None:
    """A rotated secret is used by the next call, without a restart."""
    path = private_file(tmp_path, '{"acme": {"key": "old"}}')
    store = SecretStore({}, path)
    store.resolve(ACME, "key")

    path.write_text('{"acme": {"key": "rotated"}}')

    assert store.resolve(ACME, "key") == "rotated"
    assert store.known_values() == {"old", "rotated"}
