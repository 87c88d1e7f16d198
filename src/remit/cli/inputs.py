"""JSON that people hand to a command: a file, standard input, or the text itself.

Owns: reading it strictly and with a limit, and an error that names file, line and column.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

from remit.core.canonical import JsonValue
from remit.core.strict_json import parse
from remit.errors import InputInvalidError, JsonSyntaxError

JSON_BYTES_MAX: Final = 1_000_000
STDIN: Final = "-"


def read_json(source: str | None, *, default: JsonValue) -> JsonValue:
    """Return the value of ``source``: a path, ``-`` for standard input, or JSON text that begins with a bracket.

    Raises:
        JsonSyntaxError: it is not strict JSON; the message begins with ``file:line:column``.
        InputInvalidError: the file cannot be read.
    """
    if source is None:
        return default
    name, raw = _read(source)
    try:
        return parse(raw, bytes_max=JSON_BYTES_MAX)
    except JsonSyntaxError as error:
        place = f"{name}:{error.fields.get('line', 1)}:{error.fields.get('column', 1)}"
        raise JsonSyntaxError(f"{place} {error.message}", **error.fields) from error


def _read(source: str) -> tuple[str, bytes]:
    if source == STDIN:
        return "standard input", sys.stdin.buffer.read(JSON_BYTES_MAX + 1)
    if source.lstrip()[:1] in {"{", "["}:
        return "input", source.encode("utf-8", "surrogatepass")
    try:
        with Path(source).open("rb") as file:
            return source, file.read(JSON_BYTES_MAX + 1)
    except OSError as error:
        raise InputInvalidError(f"expected a JSON file, '-' or JSON text, got {source!r}: {error.strerror}") from error
