"""Fixes: putting right what findings say how to put right.

Owns: which fixes are made together, and making them until nothing is left to fix.
Does not know: the checks, or files.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from remit.diagnostics.edits import Edit, edit_bytes, without_overlaps
from remit.diagnostics.findings import Diagnostic, Diagnostics
from remit.diagnostics.positions import Source

PASSES_MAX: Final = 1_000
"""A pass makes up to as many fixes as a collector keeps; so many passes are for files that nobody wrote by hand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fixed:
    """A file with its fixes made; ``made`` are the findings that they put right, in the order in which they were."""

    raw: bytes
    made: tuple[Diagnostic, ...]


def apply_fixes(raw: bytes, source: Source, findings: Iterable[Diagnostic]) -> Fixed:
    """Return the bytes with the fixes of findings made, once. Of two that overlap the first is made.

    Args:
        raw: The bytes that ``source`` was decoded from.
        source: The text that the findings are about; findings about others are passed over.
        findings: In any order; those without a fix are passed over.

    Raises:
        UsageError: there are fixes, and the bytes are not UTF-8.
    """
    by_edit: dict[Edit, Diagnostic] = {}
    for finding in findings:
        if finding.fix is not None and finding.path == source.path:
            start, end = source.offset(finding.fix.span.start), source.offset(finding.fix.span.end)
            replacement = _with_line_ends(finding.fix.replacement, source.text)
            by_edit.setdefault(Edit(start=start, end=end, replacement=replacement), finding)
    edits = without_overlaps(by_edit)
    if not edits:
        return Fixed(raw=raw, made=())
    return Fixed(raw=edit_bytes(raw, source, edits), made=tuple(by_edit[edit] for edit in edits))


def _with_line_ends(replacement: str, text: str) -> str:
    """Return a replacement with the line ends that the text has."""
    if "\n" not in replacement or "\r\n" not in text:
        return replacement
    return replacement.replace("\r\n", "\n").replace("\n", "\r\n")


def fix_until_done(raw: bytes, check: Callable[[bytes], tuple[Source | None, Diagnostics]]) -> Fixed:
    """Return the bytes with every fix made, also those that show only after others. Made again, it changes nothing.

    Fixes that would lead back to where they began are not made.

    Args:
        raw: The file's bytes.
        check: Reads bytes and returns their text and findings.

    Raises:
        UsageError: there are fixes, and the bytes are not UTF-8.
    """
    made: list[Diagnostic] = []
    seen = {raw}
    current = raw
    for _ in range(PASSES_MAX):
        source, findings = check(current)
        if source is None:
            break
        fixed = apply_fixes(current, source, findings)
        if fixed.raw == current:
            break
        if fixed.raw in seen:
            return Fixed(raw=raw, made=())
        seen.add(fixed.raw)
        current = fixed.raw
        made += fixed.made
    return Fixed(raw=current, made=tuple(made))
