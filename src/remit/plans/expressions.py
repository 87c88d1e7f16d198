"""Expressions inside documents: taking them out of their strings, and the way back to a place in the file.

Owns: ``${{ }}`` around conditions, and finding several mistakes in one string.
Does not know: which names an expression may use (the compile checks do, and compile each of them).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from remit.core.canonical import JsonValue
from remit.core.expressions import compile_expression
from remit.core.placeholders import Placeholder, split
from remit.diagnostics import Reporter
from remit.errors import ExpressionError
from remit.plans.documents import Invalid, Mapping, Node, Scalar, Sequence, plain_value, shorten
from remit.plans.documents.alignment import place_within
from remit.plans.fields import wrong_type

_OPEN: Final = "${{"
_CUTS_MAX: Final = 3
_FOREIGN: Final = re.compile(
    r"(?<![${])\{\{-?\s*(?:steps|parameters|input|run|output|event)\b[^{}]*\}\}|\A\$(?:\.[A-Za-z_]|\[)[\w.\[\]'\"*]*\Z"
)
_WORD: Final = re.compile(r"\w+")
_CHARACTER: Final = re.compile(r" \(character \d+\)$")


def condition_of(reporter: Reporter, node: Node) -> str | None:
    """Return the text of a condition without ``${{ }}``; ``None`` if it is none, which is reported.

    Whether it compiles is for the compile checks.
    """
    if isinstance(node, Scalar) and isinstance(node.value, bool):
        return "true" if node.value else "false"
    if not isinstance(node, Scalar) or not isinstance(node.value, str):
        wrong_type(reporter, node, "a condition")
        return None
    try:
        return unwrapped(node.value).text
    except ExpressionError as error:
        report_expression(reporter, node, error.message, offset=_offset_of(error))
        return None


def unwrapped(text: str) -> Placeholder:
    """Return the expression in a condition's text, bare or in ``${{ }}``, and where it begins.

    Raises:
        ExpressionError: a placeholder is not closed.
    """
    inside = Placeholder(text, 0)
    if text.lstrip().startswith(_OPEN):
        parts = split(text)
        placeholders = [part for part in parts if isinstance(part, Placeholder)]
        has_rest = any(part.strip() for part in parts if isinstance(part, str))
        if len(placeholders) == 1 and not has_rest:
            inside = placeholders[0]
    stripped = inside.text.strip()
    return Placeholder(stripped, inside.offset + inside.text.find(stripped))


def template_of(reporter: Reporter, node: Node, *, roots: frozenset[str]) -> JsonValue:
    """Return a template as its JSON value.

    The compile checks find the first mistake of each string; in strings with several expressions all are found here.
    """
    for scalar in strings_in(node):
        if reporter.diagnostics.is_full:
            break
        _report_foreign(reporter, scalar)
        if isinstance(scalar.value, str) and scalar.value.count(_OPEN) > 1:
            _check_string(reporter, scalar, scalar.value, roots)
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


def report_expression(reporter: Reporter, scalar: Scalar, message: str, *, offset: int) -> None:
    """Report an expression that does not compile, at the place inside its string where it goes wrong."""
    reporter.report(
        "EXPRESSION_INVALID", _CHARACTER.sub("", message), at=place_of_word(reporter.source.text, scalar, offset)
    )


def place_of_word(text: str, scalar: Scalar, offset: int) -> tuple[int, int]:
    """Return the place of the word, or the one character, at an offset of a string."""
    word = _WORD.match(str(scalar.value), offset)
    return place_within(text, scalar, offset, word.end() if word else offset + 1)


def _report_foreign(reporter: Reporter, scalar: Scalar) -> None:
    """Report what other template languages would replace, and this one sends as it stands."""
    found = _FOREIGN.search(str(scalar.value))
    if found is not None:
        reporter.report(
            "TEMPLATE_FOREIGN",
            f"expected ${{{{ … }}}} around an expression, got {shorten(found.group())}, which stays as it is; "
            "write ${{ steps.<id>.output.<field> }}, ${{ input.<name> }} or ${{ output.<field> }}",
            at=place_within(reporter.source.text, scalar, *found.span()),
        )


def _check_string(reporter: Reporter, scalar: Scalar, text: str, roots: frozenset[str]) -> None:
    for placeholder in _placeholders(text):
        if reporter.diagnostics.is_full:
            return
        try:
            compile_expression(placeholder.text, roots=roots)
        except ExpressionError as error:
            offset = placeholder.offset + _offset_of(error)
            report_expression(reporter, scalar, error.message, offset=offset)


def _placeholders(text: str) -> list[Placeholder]:
    """Return the expressions of a string, without one that is not closed and what follows it."""
    for _ in range(_CUTS_MAX):
        try:
            return [part for part in split(text) if isinstance(part, Placeholder)]
        except ExpressionError as error:
            text = text[: text.rfind(_OPEN, 0, _offset_of(error) + len(_OPEN))]
    return []


def _offset_of(error: ExpressionError) -> int:
    offset = error.fields.get("offset")
    return offset if isinstance(offset, int) else 0
