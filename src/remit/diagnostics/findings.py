"""Findings: what is wrong with a text, where, and how it can be put right.

Owns: ``Diagnostic`` and the collector ``Diagnostics``.
Does not know: which checks exist. A check reports; it never raises because a text is wrong.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from remit.diagnostics.positions import FILE_START, Span

FINDINGS_MAX: Final = 200
"""Most errors, and most other findings, kept of one collector: nobody reads more, and 4 MB could cause a million."""


class Severity(StrEnum):
    """How bad: an ``error`` blocks, a ``warning`` is likely a mistake, a ``note`` only informs."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True, kw_only=True)
class Related:
    """Another place that explains a finding, such as where a key was first used."""

    message: str
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Fix:
    """A replacement that puts a finding right: ``replacement`` instead of what ``span`` holds."""

    message: str
    span: Span
    replacement: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnostic:
    """One finding.

    ``code`` is stable and listed in ``remit.diagnostics.codes``; ``message`` says what was expected, what was found and
    what to do; ``path`` is the file as the user named it.
    """

    code: str
    message: str
    path: str
    span: Span = FILE_START
    severity: Severity = Severity.ERROR
    related: tuple[Related, ...] = ()
    fix: Fix | None = None

    def to_json(self) -> dict[str, object]:
        """Return the finding as JSON data; the keys are always the same."""
        fix = self.fix
        return {
            "code": self.code,
            "severity": self.severity.value,
            "message": self.message,
            "path": self.path,
            **_span_to_json(self.span),
            "related": [{"message": related.message, **_span_to_json(related.span)} for related in self.related],
            "fix": None
            if fix is None
            else {"message": fix.message, "replacement": fix.replacement, **_span_to_json(fix.span)},
        }


class Diagnostics:
    """All findings of one or more texts, each once, in reading order.

    Beyond ``findings_max`` errors, and as many others, they are counted and no longer kept; see ``omitted_count``.
    """

    def __init__(self, findings: Iterable[Diagnostic] = (), *, findings_max: int = FINDINGS_MAX) -> None:
        self._findings: dict[tuple[str, Span, str, str], Diagnostic] = {}
        self._findings_max = findings_max
        self._kept = {True: 0, False: 0}
        self.omitted_count = 0
        self.omitted_error_count = 0
        self.extend(findings)

    def add(self, finding: Diagnostic) -> None:
        """Keep a finding, unless the same one is there."""
        key = (finding.path, finding.span, finding.code, finding.message)
        if key in self._findings:
            return
        if self.has_room(finding.severity):
            self._kept[finding.severity is Severity.ERROR] += 1
            self._findings[key] = finding
        else:
            self.omit(finding.severity)

    def has_room(self, severity: Severity) -> bool:
        """Whether another finding of this severity would be kept; for those that are not, ``omit`` is enough."""
        return self._kept[severity is Severity.ERROR] < self._findings_max

    def omit(self, severity: Severity) -> None:
        """Count a finding that is not kept."""
        self.omitted_count += 1
        self.omitted_error_count += severity is Severity.ERROR

    def extend(self, findings: Iterable[Diagnostic]) -> None:
        """Keep several findings; what another collector omitted is counted here too."""
        for finding in findings:
            self.add(finding)
        if isinstance(findings, Diagnostics):
            self.omitted_count += findings.omitted_count
            self.omitted_error_count += findings.omitted_error_count

    @property
    def is_full(self) -> bool:
        """Whether further errors would only be counted; long checks stop then."""
        return not self.has_room(Severity.ERROR)

    @property
    def has_errors(self) -> bool:
        """Whether any finding blocks."""
        return self.error_count > 0

    @property
    def error_count(self) -> int:
        """Return how many findings block, with those that were omitted."""
        return self.omitted_error_count + self.count(Severity.ERROR)

    def count(self, severity: Severity) -> int:
        """Return how many kept findings have this severity."""
        return sum(finding.severity is severity for finding in self._findings.values())

    def summary(self) -> str:
        """Return how many findings of which severity there are, and the first error: enough for a message."""
        first = next((finding for finding in self if finding.severity is Severity.ERROR), None)
        shown = "" if first is None else f"; first {first.path}:{first.span.start} {first.code} {first.message}"
        return self.totals() + shown

    def totals(self) -> str:
        """Return how many findings of which severity there are, such as ``2 errors, 1 warning``."""
        counts = (
            (self.error_count, "error"),
            (self.count(Severity.WARNING), "warning"),
            (self.count(Severity.NOTE), "note"),
        )
        parts = [f"{count} {word}{'s' if count != 1 else ''}" for count, word in counts if count]
        omitted = f" ({self.omitted_count} not shown)" if self.omitted_count else ""
        return (", ".join(parts) or "no findings") + omitted

    def to_json(self) -> dict[str, object]:
        """Return all findings as JSON data."""
        return {
            "errors": self.error_count,
            "warnings": self.count(Severity.WARNING),
            "omitted": self.omitted_count,
            "findings": [finding.to_json() for finding in self],
        }

    def __iter__(self) -> Iterator[Diagnostic]:
        return iter(sorted(self._findings.values(), key=_reading_order))

    def __len__(self) -> int:
        return len(self._findings)


def _reading_order(finding: Diagnostic) -> tuple[str, Span, str, str]:
    return finding.path, finding.span, finding.code, finding.message


def _span_to_json(span: Span) -> dict[str, object]:
    return {
        "line": span.start.line,
        "column": span.start.column,
        "end_line": span.end.line,
        "end_column": span.end.column,
    }
