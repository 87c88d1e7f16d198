"""Findings as text, for terminals and for tools.

Owns: both forms. Whatever comes from a file is made harmless for terminals first.
Does not know: colours, files or streams.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Final

from remit.diagnostics.codes import CODES
from remit.diagnostics.findings import Diagnostic, Diagnostics, Severity
from remit.diagnostics.positions import Source, Span

EXCERPT_WIDTH_MAX: Final = 110
"""Longest shown part of a source line; a longer line is cut around the finding."""

_TAB: Final = "    "


_JOINERS: Final = "\N{ZERO WIDTH NON-JOINER}\N{ZERO WIDTH JOINER}"
_AS_EMOJI: Final = "\N{VARIATION SELECTOR-16}"
"""Makes the sign before it a picture, which is as wide as two letters."""

_JOINING: Final = re.compile(rf"(?<=[^\x00-\x7f])[{_JOINERS}](?=[^\x00-\x7f])")


def render_plain(findings: Iterable[Diagnostic]) -> str:
    """Return one line for each finding: ``file:line:column CODE message``.

    A finding that is no error says so before its message.
    """
    return "".join(f"{_headline(finding)}\n" for finding in findings)


def render_excerpts(findings: Iterable[Diagnostic], sources: Mapping[str, Source]) -> str:
    """Return each finding with the line it is about, a caret under the place, related places and the fix.

    Args:
        findings: In the order to show.
        sources: The texts by path; a finding whose text is missing is shown without excerpt.
    """
    shown = list(findings)
    hidden = {path: _Hidden(source, _concealed(shown, path)) for path, source in sources.items()}
    return "\n".join(_block(finding, hidden.get(finding.path)) for finding in shown)


def excerpts_of(findings: Iterable[Diagnostic], source: Source) -> list[str]:
    """Return for each finding of one text the line it is about, with a caret under the place, and nothing else.

    What one finding conceals is concealed in all.
    """
    shown = list(findings)
    hidden = _Hidden(source, _concealed(shown, source.path))
    return ["".join(f"{line}\n" for line in _excerpt(hidden, finding.span)) for finding in shown]


def render_summary(diagnostics: Diagnostics) -> str:
    """Return a last line such as ``2 errors, 1 warning``; ``no findings`` if there are none."""
    return diagnostics.totals()


def to_json(diagnostics: Diagnostics) -> dict[str, object]:
    """Return all findings as JSON data."""
    return diagnostics.to_json()


def harmless(text: str) -> str:
    """Return the text with characters that steer terminals or hide text replaced by ``\N{REPLACEMENT CHARACTER}``.

    A joiner between letters that are not ASCII stays: Persian, Hindi and emoji are written with it.
    """
    if text.isascii() and text.isprintable():
        return text
    joining = {found.start() for found in _JOINING.finditer(text)}
    return "".join(
        character
        if character == " " or unicodedata.category(character)[0] not in "CZ" or index in joining
        else "\N{REPLACEMENT CHARACTER}"
        for index, character in enumerate(text)
    )


def _headline(finding: Diagnostic) -> str:
    severity = "" if finding.severity is Severity.ERROR else f"{finding.severity.value}: "
    return harmless(f"{finding.path}:{finding.span.start} {finding.code} {severity}{finding.message}")


def _concealed(findings: list[Diagnostic], path: str) -> list[Span]:
    return [finding.span for finding in findings if finding.path == path and _conceals(finding.code)]


class _Hidden:
    """A source that shows no line with what is concealed, whichever finding the line is shown for."""

    def __init__(self, source: Source, concealed: list[Span]) -> None:
        self._source = source
        self._concealed = concealed

    def line(self, number: int) -> str:
        line = self._source.line(number)
        for span in self._concealed:
            if span.start.line <= number <= span.end.line:
                first = span.start.column - 1 if number == span.start.line else 0
                last = span.end.column - 1 if number == span.end.line else len(line)
                line = line[:first] + "*" * (last - first) + line[last:]
        return line


def _block(finding: Diagnostic, source: _Hidden | None) -> str:
    lines = [_headline(finding)]
    if source is not None:
        lines += _excerpt(source, finding.span)
        for related in finding.related:
            lines.append(f"  {harmless(related.message)}, line {related.span.start.line}:")
            lines += _excerpt(source, related.span)
    if finding.fix is not None:
        lines.append(f"  fix: {harmless(finding.fix.message)}")
    return "".join(f"{line}\n" for line in lines)


def _excerpt(source: _Hidden, span: Span) -> list[str]:
    line = source.line(span.start.line)
    first = span.start.column - 1
    last = span.end.column - 1 if span.end.line == span.start.line else len(line)
    last = max(last, first + 1)
    cut = max(0, min(first - EXCERPT_WIDTH_MAX // 3, len(line) - EXCERPT_WIDTH_MAX))
    shown = line[cut : cut + EXCERPT_WIDTH_MAX]
    before, marked = shown[: first - cut], shown[first - cut : last - cut]
    number = str(span.start.line)
    margin = " " * len(number)
    carets = "^" * max(1, _width(marked))
    return [
        f"  {number} | {harmless(shown.replace(chr(9), _TAB))}".rstrip(),
        f"  {margin} | {' ' * _width(before)}{carets}",
    ]


def _width(text: str) -> int:
    return sum(_columns(character) for character in text)


def _columns(character: str) -> int:
    if character == "\t":
        return len(_TAB)
    if character == _AS_EMOJI:
        return 1
    if character in _JOINERS or unicodedata.category(character) in {"Mn", "Me"}:
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _conceals(code: str) -> bool:
    explanation = CODES.get(code)
    return explanation is not None and explanation.conceals
