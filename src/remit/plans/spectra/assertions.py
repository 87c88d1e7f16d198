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
    (AssertionKind.GREP, re.compile(r'GREP[ \t]+[^\s"]+[ \t]+"[^"]+"[ \t]+(?:NOT_EXISTS|EXISTS)')),
    (AssertionKind.CALLSITE, re.compile(r'CALLSITE[ \t]+[^\s"]+[ \t]+NOT_ONLY_IN[ \t]+[^\s"]+[ \t]+EXISTS')),
    (AssertionKind.COUNT, re.compile(r'COUNT[ \t]+[^\s"]+[ \t]+"[^"]+"[ \t]+MIN[ \t]+[0-9]+')),
    (AssertionKind.NOT_EXISTS, re.compile(r'NOT_EXISTS[ \t]+[^\s"]+[ \t]+"[^"]+"')),
)
_SHAPES: Final = {
    AssertionKind.GREP: 'GREP <file> "<pattern>" EXISTS or NOT_EXISTS',
    AssertionKind.CALLSITE: "CALLSITE <function> NOT_ONLY_IN <directory> EXISTS",
    AssertionKind.COUNT: 'COUNT <file> "<pattern>" MIN <number>',
    AssertionKind.NOT_EXISTS: 'NOT_EXISTS <file> "<pattern>"',
}


def read_assertion(content: Piece, reporter: PlanReporter) -> Assertion:
    """Read one assertion; one of no known form is told and kept."""
    bare = content.without_markup()
    for kind, form in _FORMS:
        if form.fullmatch(bare.text):
            return Assertion(kind=kind, text=bare.text, at=bare.place)
    word = bare.text.partition(" ")[0].upper()
    shape = _SHAPES.get(AssertionKind(word)) if word in AssertionKind.__members__ else None
    expected = shape or f"an assertion ({', '.join(AssertionKind)})"
    reporter.report("SPECTRA_ASSERTION_INVALID", f"expected {expected}, got {bare.text!r}", at=content.place)
    return Assertion(kind=None, text=bare.text, at=bare.place)
