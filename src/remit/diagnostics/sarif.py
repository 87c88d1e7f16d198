"""Findings as SARIF 2.1.0, the format that code hosts and editors take from checkers.

Owns: the form of the log. Columns count Unicode code points, as everywhere in Remit, and the log says so.
Does not know: which checks ran.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import PurePath
from typing import Final
from urllib.parse import quote

from remit.diagnostics.codes import Explanation
from remit.diagnostics.findings import Diagnostic, Diagnostics, Fix, Severity
from remit.diagnostics.positions import Span
from remit.diagnostics.rendering import harmless

SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"

_LEVELS: Final = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "note"}

_BLOCKS: Final = {
    Severity.ERROR: "It blocks.",
    Severity.WARNING: "It is likely a mistake, and blocks with --strict.",
    Severity.NOTE: "It informs, and never blocks.",
}

_LINK: Final = re.compile(r"\[(?=[^\[\]]*\]\()")
"""Begins what SARIF reads as a link. A document's text must not become one, to wherever it says."""

Json = dict[str, object]


def to_sarif(diagnostics: Diagnostics, *, paths: Iterable[str], codes: Mapping[str, Explanation], version: str) -> Json:
    """Return all findings as one SARIF log with one run.

    Args:
        diagnostics: The findings, of any number of files.
        paths: The files that were checked, also those without findings.
        codes: The table of codes; each that occurs becomes a rule.
        version: The version of Remit.
    """
    used = sorted({finding.code for finding in diagnostics})
    indexes = {code: index for index, code in enumerate(used)}
    driver: Json = {
        "name": "remit",
        "semanticVersion": version,
        "rules": [_rule(code, codes.get(code)) for code in used],
    }
    run: Json = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "artifacts": [{"location": {"uri": uri_of(path)}} for path in dict.fromkeys(paths)],
        "results": [_result(finding, indexes[finding.code]) for finding in diagnostics],
    }
    if diagnostics.omitted_count:
        run["invocations"] = [_cut_short(diagnostics.omitted_count)]
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def uri_of(path: str) -> str:
    """Return a path as the reference that SARIF wants: relative paths stay relative."""
    pure = PurePath(path)
    return pure.as_uri() if pure.is_absolute() else quote(pure.as_posix())


def _rule(code: str, explanation: Explanation | None) -> Json:
    rule: Json = {"id": code}
    if explanation is not None:
        level, blocks = _LEVELS[explanation.severity], _BLOCKS[explanation.severity]
        rule["shortDescription"] = {"text": _escaped(explanation.text.partition(". ")[0].removesuffix(".") + ".")}
        rule["fullDescription"] = {"text": _escaped(explanation.text)}
        markdown = f"**{code}** · {explanation.group} · {level}\n\n{explanation.text}\n\n{blocks}"
        rule["help"] = {"text": _escaped(f"{explanation.text} {blocks}"), "markdown": _braces_doubled(markdown)}
        rule["defaultConfiguration"] = {"level": level}
        rule["properties"] = {"group": explanation.group, "tags": ["remit", explanation.group]}
    return rule


def _result(finding: Diagnostic, index: int) -> Json:
    result: Json = {
        "ruleId": finding.code,
        "ruleIndex": index,
        "level": _LEVELS[finding.severity],
        "message": {"text": _escaped(finding.message)},
        "locations": [{"physicalLocation": _place(finding.path, finding.span)}],
    }
    if finding.related:
        result["relatedLocations"] = [
            {
                "id": number,
                "message": {"text": _escaped(related.message)},
                "physicalLocation": _place(finding.path, related.span),
            }
            for number, related in enumerate(finding.related, start=1)
        ]
    if finding.fix is not None:
        result["fixes"] = [_fix(finding.path, finding.fix)]
    return result


def _place(path: str, span: Span) -> Json:
    return {"artifactLocation": {"uri": uri_of(path)}, "region": _region(span)}


def _region(span: Span) -> Json:
    return {
        "startLine": span.start.line,
        "startColumn": span.start.column,
        "endLine": span.end.line,
        "endColumn": span.end.column,
    }


def _fix(path: str, fix: Fix) -> Json:
    replacement: Json = {"deletedRegion": _region(fix.span), "insertedContent": {"text": fix.replacement}}
    change: Json = {"artifactLocation": {"uri": uri_of(path)}, "replacements": [replacement]}
    return {"description": {"text": _escaped(fix.message)}, "artifactChanges": [change]}


def _cut_short(omitted_count: int) -> Json:
    message = f"{omitted_count} more findings are not shown; correct these first"
    notification: Json = {"level": "warning", "message": {"text": message}}
    return {"executionSuccessful": True, "toolExecutionNotifications": [notification]}


def _escaped(text: str) -> str:
    """Return a text as a message: one line that hides nothing, with no link, and no braces that stand for arguments."""
    return _braces_doubled(_LINK.sub(r"\\[", harmless(text)))


def _braces_doubled(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")
