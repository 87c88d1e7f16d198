"""A registry of invariants of one's own.

Owns: the form of its file: an id a line; blank lines, and what stands behind ``#``, say nothing.
Does not know: what the ids mean, and who asks.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from remit.errors import UsageError

REGISTRY_BYTES_MAX: Final = 1024 * 1024
"""Largest registry: twenty thousand ids, which nobody could tell apart."""


def read_registry(path: Path) -> frozenset[str]:
    """Return the ids of a registry.

    Raises:
        UsageError: the file cannot be read, is no text, or holds no id.
    """
    try:
        with path.open("rb") as file:
            text = file.read(REGISTRY_BYTES_MAX + 1).decode("utf-8-sig")
    except OSError as error:
        why = error.strerror or "an error"
        raise UsageError(f"expected a registry of invariants in {path}, an id a line, got an error: {why}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"expected a registry of invariants in {path}, an id a line in UTF-8, got others") from error
    if len(text) > REGISTRY_BYTES_MAX:
        raise UsageError(f"expected at most {REGISTRY_BYTES_MAX} bytes in the registry {path}, got more; shorten it")
    ids = frozenset(line.partition("#")[0].strip() for line in text.splitlines()) - {""}
    if not ids:
        raise UsageError(f"expected invariants in the registry {path}, got none; write an id a line")
    return ids
