"""Secrets from the environment or a file, per tenant.

Owns: where a tenant's secret is looked for. Values are read at each use of a file that changed, never stored elsewhere.
The file is JSON, ``{"tenant": {"name": "value"}}``, and must not be readable by others.
"""

from __future__ import annotations

import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from remit.core.strict_json import parse
from remit.errors import JsonSyntaxError, NotFoundError, SettingsInvalidError
from remit.ids import TenantId

FILE_BYTES_MAX: Final = 1_000_000


class SecretStore:
    """Implements ``ports.secrets.Secrets``.

    Args:
        environment: ``<tenant>__<name>`` in lower case, dots and dashes as underscores, to value.
        path: The secrets file, or ``None``.
    """

    def __init__(self, environment: Mapping[str, str], path: Path | None) -> None:
        self._environment = environment
        self._path = path
        self._file: tuple[float, dict[str, dict[str, str]]] | None = None
        self._known: set[str] = set()

    def resolve(self, tenant_id: TenantId, name: str) -> str:
        """Return a tenant's secret; the file wins. ``NotFoundError`` says where it was looked for."""
        value = self._from_file().get(tenant_id, {}).get(name)
        variable = f"{tenant_id}__{name}".lower().replace(".", "_").replace("-", "_")
        if value is None:
            value = self._environment.get(variable)
        if value is None:
            place = f"REMIT_SECRET_{variable.upper()}" + ("" if self._path is None else f" or {self._path}")
            raise NotFoundError(f"expected secret {name!r} of tenant {tenant_id!r} in {place}, found none", secret=name)
        self._known.add(value)
        return value

    def known_values(self) -> frozenset[str]:
        """Return the values that were resolved so far."""
        return frozenset(self._known)

    def _from_file(self) -> dict[str, dict[str, str]]:
        if self._path is None:
            return {}
        try:
            status = self._path.stat()
        except FileNotFoundError:
            return {}
        if self._file is not None and self._file[0] == status.st_mtime_ns:
            return self._file[1]
        if status.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise SettingsInvalidError(
                f"expected {self._path} to be readable by its owner alone; run: chmod 600 {self._path}"
            )
        checked = _checked(_parsed(self._path), self._path)
        self._file = (status.st_mtime_ns, checked)
        return checked


def _parsed(path: Path) -> object:
    try:
        return parse(path.read_bytes(), bytes_max=FILE_BYTES_MAX)
    except JsonSyntaxError as error:
        # Its message quotes what it found: here that may be a part of a secret. And it is no caller's fault.
        line, column = error.fields.get("line"), error.fields.get("column")
        raise SettingsInvalidError(f"expected {path} to hold strict JSON, see line {line}, column {column}") from None


def _checked(content: object, path: Path) -> dict[str, dict[str, str]]:
    message = f'expected {path} to hold {{"tenant": {{"name": "value"}}}}'
    if not isinstance(content, dict):
        raise SettingsInvalidError(message)
    for entries in content.values():
        if not isinstance(entries, dict) or not all(isinstance(value, str) for value in entries.values()):
            raise SettingsInvalidError(message)
    return content
