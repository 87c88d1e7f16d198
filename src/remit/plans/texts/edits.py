"""Edits: changing some characters of a file and no other byte.

Owns: putting replacements into the bytes that were read.
Does not know: why. A byte-order mark, line ends and whatever else stands in the file stay as they are.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterable
from dataclasses import dataclass

from remit.errors import UsageError
from remit.plans.texts.text import PlanText


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Edit:
    """``replacement`` instead of what stands from ``start`` up to, not including, ``end``.

    Offsets are those of the text as it is read (``PlanText.text``).
    """

    start: int
    end: int
    replacement: str


def apply_edits(raw: bytes, text: PlanText, edits: Iterable[Edit]) -> bytes:
    """Return the file's bytes with edits made; of two that overlap the one that begins first is made.

    Args:
        raw: The bytes that ``text`` was read from.
        text: The text as it was read.
        edits: In any order.

    Raises:
        UsageError: the bytes are not UTF-8, so that a place in the text has none in them.
    """
    mark = codecs.BOM_UTF8 if raw.startswith(codecs.BOM_UTF8) else b""
    try:
        written = raw[len(mark) :].decode()
    except UnicodeDecodeError as error:
        raise UsageError(
            f"expected UTF-8 in {text.source.path}, got byte 0x{raw[error.start]:02x} at byte {error.start}; "
            "save the file as UTF-8 before changing it"
        ) from error
    assert len(written) == len(text.source.text), "the text was read from other bytes"
    parts: list[str] = []
    done = 0
    for edit in sorted(set(edits)):
        start, end = text.written(edit.start), text.written(edit.end)
        if start < done:
            continue
        parts += [written[done:start], edit.replacement]
        done = end
    parts.append(written[done:])
    return mark + "".join(parts).encode()
