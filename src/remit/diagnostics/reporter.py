"""The reporter: how a check of one text reports by offset.

Owns: turning offsets into spans and codes into severities.
Does not know: the checks.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from remit.diagnostics.codes import CODES, Explanation
from remit.diagnostics.findings import Diagnostic, Diagnostics, Fix, Related, Severity
from remit.diagnostics.positions import Source, Span

_LINE_END: Final = "\N{RETURN SYMBOL}"
_SHOWN_MAX: Final = 200
"""So much of a replacement is shown; all of it is written."""

_NO_RELATED: Final[Mapping[str, tuple[int, int]]] = MappingProxyType({})


class Reporter:
    """Reports findings of one source into a collector.

    Args:
        source: The text that findings are about.
        diagnostics: Where they go.
        codes: The table of codes, which gives each its severity.
    """

    __slots__ = ("_codes", "diagnostics", "source")

    def __init__(self, source: Source, diagnostics: Diagnostics, *, codes: Mapping[str, Explanation] = CODES) -> None:
        self.source = source
        self.diagnostics = diagnostics
        self._codes = codes

    def report(
        self,
        code: str,
        message: str,
        *,
        at: tuple[int, int],
        related: Mapping[str, tuple[int, int]] = _NO_RELATED,
        replacement: str | None = None,
        severity: Severity | None = None,
    ) -> None:
        """Report one finding.

        Args:
            code: A code of the table.
            message: Expected what, got what, what to do.
            at: Offsets where it starts and ends.
            related: Other places by what they are.
            replacement: What to write at ``at`` instead, if that alone puts it right.
            severity: Another one than the table's.
        """
        severity = severity or severity_of(code, self._codes)
        if not self.diagnostics.has_room(severity):
            self.diagnostics.omit(severity)
            return
        span = self._span(at)
        fix = None if replacement is None else Fix(message=_asked(replacement), span=span, replacement=replacement)
        self.diagnostics.add(
            Diagnostic(
                code=code,
                message=message,
                path=self.source.path,
                span=span,
                severity=severity,
                related=tuple(Related(message=what, span=self._span(where)) for what, where in related.items()),
                fix=fix,
            )
        )

    def _span(self, at: tuple[int, int]) -> Span:
        return self.source.span(*at)


def _asked(replacement: str) -> str:
    """Return in words what a replacement does; line ends are shown, a long text is cut."""
    if not replacement:
        return "remove it"
    shown = replacement.replace("\r\n", _LINE_END).replace("\n", _LINE_END)
    return f"write {shown}" if len(shown) <= _SHOWN_MAX else f"write {shown[:_SHOWN_MAX]}…"


def severity_of(code: str, codes: Mapping[str, Explanation] = CODES) -> Severity:
    """Return the severity of a code; a code that the table lacks is an error."""
    explanation = codes.get(code)
    return Severity.ERROR if explanation is None else explanation.severity
