"""Expressions inside documents: each is compiled once to find its mistakes, with the place inside the string.

Owns: the way from an expression's offset to a place in the file, and going on behind a mistake.
Does not know: CEL, or which steps an expression may use (the compile checks do).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from remit.core.canonical import JsonValue
from remit.core.expressions import compile_expression, compile_template
from remit.diagnostics import Reporter
from remit.errors import ExpressionError
from remit.plans.documents import Invalid, Mapping, Node, Scalar, Sequence, plain_value
from remit.plans.documents.alignment import place_within
from remit.plans.fields import wrong_type

_OPEN: Final = "${{"
_CLOSE: Final = "}}"
_WORD: Final = re.compile(r"\w+")
_CHARACTER: Final = re.compile(r" \(character \d+\)$")


def condition_of(reporter: Reporter, node: Node, *, roots: frozenset[str]) -> str | None:
    """Return the text of a condition without ``${{ }}``; ``None`` if it is none, which is reported."""
    if isinstance(node, Scalar) and isinstance(node.value, bool):
        return "true" if node.value else "false"
    if not isinstance(node, Scalar) or not isinstance(node.value, str):
        wrong_type(reporter, node, "a condition")
        return None
    try:
        return compile_expression(node.value, roots=roots).text
    except ExpressionError as error:
        _report(reporter, node, error, before=0)
        return None


def template_of(reporter: Reporter, node: Node, *, roots: frozenset[str]) -> JsonValue:
    """Return a template as its JSON value; every expression in it that does not compile is reported."""
    for scalar in strings_in(node):
        _check_string(reporter, scalar, roots)
    return plain_value(node)


def strings_in(node: Node) -> Iterator[Scalar]:
    """Yield all string values of a tree, in document order; its depth is limited."""
    match node:
        case Scalar(value=str()):
            yield node
        case Sequence(items=items):
            for item in items:
                yield from strings_in(item)
        case Mapping(entries=entries):
            for entry in entries.values():
                yield from strings_in(entry.value)
        case Scalar() | Invalid():
            return


def _check_string(reporter: Reporter, scalar: Scalar, roots: frozenset[str]) -> None:
    """Report each expression of a string that does not compile; behind a mistake the rest is looked at alone."""
    text, before = scalar.value, 0
    while isinstance(text, str) and _OPEN in text:  # bound: the text gets shorter each time
        try:
            compile_template(text, roots=roots)
        except ExpressionError as error:
            at = _report(reporter, scalar, error, before=before)
            close = text.find(_CLOSE, at)
            end = len(text) if close < 0 else close + len(_CLOSE)
            text, before = text[end:], before + end
        else:
            return


def _report(reporter: Reporter, scalar: Scalar, error: ExpressionError, *, before: int) -> int:
    """Report an expression at the place inside the string where it goes wrong; return the offset of that."""
    offset = error.fields.get("offset")
    at = offset if isinstance(offset, int) else 0
    word = _WORD.match(str(scalar.value), before + at)
    end = word.end() if word else before + at + 1
    found = place_within(reporter.source.text, scalar, before + at, end)
    reporter.report("EXPRESSION_INVALID", _CHARACTER.sub("", error.message), at=found)
    return at
