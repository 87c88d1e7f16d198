"""One engine for all findings in texts: positions, codes, rendering, fixes."""

from remit.diagnostics.codes import CODES, Explanation
from remit.diagnostics.edits import Edit, edit_bytes
from remit.diagnostics.findings import Diagnostic, Diagnostics, Fix, Related, Severity
from remit.diagnostics.fixes import Fixed, apply_fixes, fix_until_done
from remit.diagnostics.github import render_github
from remit.diagnostics.positions import Position, Source, Span
from remit.diagnostics.rendering import excerpts_of, render_excerpts, render_plain, render_summary, to_json
from remit.diagnostics.reporter import Reporter
from remit.diagnostics.sarif import to_sarif

__all__ = [
    "CODES",
    "Diagnostic",
    "Diagnostics",
    "Edit",
    "Explanation",
    "Fix",
    "Fixed",
    "Position",
    "Related",
    "Reporter",
    "Severity",
    "Source",
    "Span",
    "apply_fixes",
    "edit_bytes",
    "excerpts_of",
    "fix_until_done",
    "render_excerpts",
    "render_github",
    "render_plain",
    "render_summary",
    "to_json",
    "to_sarif",
]
