"""Edits: changing some characters of a file and no other byte.

Owns: putting replacements into the bytes that were read.
Does not know: why. A byte-order mark, line ends and whatever else stands in the file stay as they are.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterable
from dataclasses import dataclass

from remit.diagnostics.positions import Source
from remit.errors import UsageError


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Edit:
    """``replacement`` instead of what stands from ``start`` up to, not including, ``end``; offsets of a text."""

    start: int
    end: int
    replacement: str


def edit_bytes(raw: bytes, source: Source, edits: Iterable[Edit]) -> bytes:
    """Return the file's bytes with edits made; of two that overlap the one that begins first is made.

    Args:
        raw: The bytes that ``source`` was decoded from.
        source: The file's text; only its length and path count.
        edits: In any order; offsets are those of ``source.text``.

    Raises:
        UsageError: the bytes are not UTF-8, so that a place in the text has none in them.
    """
    mark = codecs.BOM_UTF8 if raw.startswith(codecs.BOM_UTF8) else b""
    try:
        written = raw[len(mark) :].decode()
    except UnicodeDecodeError as error:
        raise UsageError(
            f"expected UTF-8 in {source.path}, got byte 0x{raw[len(mark) + error.start]:02x} at byte "
            f"{len(mark) + error.start}; save the file as UTF-8 before changing it"
        ) from error
    assert len(written) == len(source.text), "the text was read from other bytes"
    parts: list[str] = []
    done = 0
    for edit in without_overlaps(edits):
        parts += [written[done : edit.start], edit.replacement]
        done = edit.end
    parts.append(written[done:])
    return mark + "".join(parts).encode()


def without_overlaps(edits: Iterable[Edit]) -> list[Edit]:
    """Return edits in the order of their places, without those that reach into an earlier one.

    Two at the same place overlap, also if both only insert: nothing says which comes first.
    """
    kept: list[Edit] = []
    for edit in sorted(set(edits)):
        if not kept or (edit.start >= kept[-1].end and edit.start != kept[-1].start):
            kept.append(edit)
    return kept
