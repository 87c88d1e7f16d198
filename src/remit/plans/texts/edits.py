"""Edits of plan documents: places in the text as it is read become places in the file.

Owns: the way through repaired mojibake.
Does not know: how bytes are changed (``diagnostics.edits`` does), or why.
"""

from __future__ import annotations

from collections.abc import Iterable

from remit.diagnostics import Edit, edit_bytes
from remit.plans.texts.text import PlanText


def apply_edits(raw: bytes, text: PlanText, edits: Iterable[Edit]) -> bytes:
    """Return the file's bytes with edits made; of two that overlap the one that begins first is made.

    Args:
        raw: The bytes that ``text`` was read from.
        text: The text as it was read.
        edits: In any order; offsets are those of ``text.text``.

    Raises:
        UsageError: the bytes are not UTF-8, so that a place in the text has none in them.
    """
    written = [
        Edit(start=text.written(edit.start), end=text.written(edit.end), replacement=edit.replacement) for edit in edits
    ]
    return edit_bytes(raw, text.source, written)
