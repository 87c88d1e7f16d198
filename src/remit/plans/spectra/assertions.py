"""Assertions: what a verifier looks up in the files of a task.

Owns: their four forms.
Does not know: files.
"""

from __future__ import annotations

import re
from typing import Final

from remit.plans.spectra.pieces import Piece
from remit.plans.spectra.record import Assertion, AssertionKind
from remit.plans.texts import PlanReporter

_FORMS: Final = (
    (
        AssertionKind.GREP,
        re.compile(r'(GREP)([ \t]+[^\s"]+[ \t]+"[^"]+"[ \t]+)(NOT_EXISTS|EXISTS)', re.IGNORECASE),
    ),
    (
        AssertionKind.CALLSITE,
        re.compile(r'(CALLSITE)([ \t]+[^\s"]+[ \t]+)(NOT_ONLY_IN)([ \t]+[^\s"]+[ \t]+)(EXISTS)', re.IGNORECASE),
    ),
    (
        AssertionKind.COUNT,
        re.compile(r'(COUNT)([ \t]+[^\s"]+[ \t]+"[^"]+"[ \t]+)(MIN)([ \t]+[0-9]+)', re.IGNORECASE),
    ),
    (AssertionKind.NOT_EXISTS, re.compile(r'(NOT_EXISTS)([ \t]+[^\s"]+[ \t]+"[^"]+")', re.IGNORECASE)),
)
"""The forms: every other group is a word of the format, in capitals."""

_QUOTED: Final = re.compile(r"(?<=\s)'([^'\"]+)'(?=\s|$)")
_SHAPES: Final = {
    AssertionKind.GREP: 'GREP <file> "<pattern>" EXISTS or NOT_EXISTS',
    AssertionKind.CALLSITE: "CALLSITE <function> NOT_ONLY_IN <directory> EXISTS",
    AssertionKind.COUNT: 'COUNT <file> "<pattern>" MIN <number>',
    AssertionKind.NOT_EXISTS: 'NOT_EXISTS <file> "<pattern>"',
}


def read_assertion(content: Piece, reporter: PlanReporter) -> Assertion:
    """Read one assertion; one of no known form is told and kept."""
    bare = content.without_markup()
    kind, meant = _read(bare.text)
    if meant == bare.text:
        return Assertion(kind=kind, text=bare.text, at=bare.place)
    word = bare.text.partition(" ")[0].upper()
    shape = _SHAPES.get(AssertionKind(word)) if word in AssertionKind.__members__ else None
    expected = shape or f"an assertion ({', '.join(_SHAPES.values())})"
    reporter.report(
        "SPECTRA_ASSERTION_INVALID",
        f"expected {expected}, got {bare.text!r}; it is kept as text, and nothing is looked up",
        at=bare.place,
        replacement=meant,
    )
    return Assertion(kind=None, text=bare.text, at=bare.place)


def _read(text: str) -> tuple[AssertionKind | None, str | None]:
    """Return the form of an assertion and how it is written, however its words and quotes are; else ``None``."""
    for kind, form in _FORMS:
        found = form.fullmatch(_QUOTED.sub(r'"\1"', text) if '"' not in text else text)
        if found is not None:
            words = (part if index % 2 else part.upper() for index, part in enumerate(found.groups()))
            return kind, "".join(words)
    return None, None
