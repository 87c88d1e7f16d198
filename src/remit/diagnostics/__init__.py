"""One engine for all findings in texts: positions, codes, rendering, fixes."""

from remit.diagnostics.codes import CODES, Explanation
from remit.diagnostics.findings import Diagnostic, Diagnostics, Fix, Related, Severity
from remit.diagnostics.positions import Position, Source, Span
from remit.diagnostics.rendering import render_excerpts, render_plain, render_summary, to_json
from remit.diagnostics.reporter import Reporter

__all__ = [
    "CODES",
    "Diagnostic",
    "Diagnostics",
    "Explanation",
    "Fix",
    "Position",
    "Related",
    "Reporter",
    "Severity",
    "Source",
    "Span",
    "render_excerpts",
    "render_plain",
    "render_summary",
    "to_json",
]
