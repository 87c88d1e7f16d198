"""Findings as workflow commands of GitHub Actions: each becomes an annotation at its line.

Owns: the form of the commands, and what must be escaped in them.
Does not know: which checks ran, or that a workflow runs.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from remit.diagnostics.findings import Diagnostic, Severity
from remit.diagnostics.rendering import harmless

_COMMANDS: Final = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "notice"}


def render_github(findings: Iterable[Diagnostic]) -> str:
    """Return one command for each finding, such as ``::error file=a.md,line=3,title=TASK_ID_DUPLICATE::message``."""
    return "".join(f"{_command(finding)}\n" for finding in findings)


def _command(finding: Diagnostic) -> str:
    start, end = finding.span.start, finding.span.end
    properties = {"file": finding.path, "line": str(start.line), "endLine": str(end.line)}
    # Columns of a place that goes over several lines are refused.
    if start.line == end.line:
        properties |= {"col": str(start.column), "endColumn": str(end.column)}
    properties["title"] = finding.code
    written = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    return f"::{_COMMANDS[finding.severity]} {written}::{_text(_message(finding))}"


def _message(finding: Diagnostic) -> str:
    """Return the message with the lines that an annotation has no other place for."""
    lines = [finding.message]
    lines += [f"{related.message}, line {related.span.start.line}" for related in finding.related]
    if finding.fix is not None:
        lines.append(f"fix: {finding.fix.message}")
    return "\n".join(harmless(line) for line in lines)


def _text(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _text(text).replace(":", "%3A").replace(",", "%2C")
