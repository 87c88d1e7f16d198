"""A trace as lines: spans below each other, with times, verdicts and redacted values.

Owns: the layout of ``runs trace``. Does not know: what a span means, nor what was redacted.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import orjson
from rich.text import Text

from remit.cli.output import STYLES, clock_time, duration, stdout, usd
from remit.core.canonical import JsonValue
from remit.diagnostics.rendering import harmless
from remit.runtime.spans import Span, Trace

VALUE_CHARACTERS_MAX: Final = 400
INDENT: Final = "   "

SHOWN: Final = {
    "run": ("definition_version", "policy_digest", "trigger", "input", "output"),
    "step": ("tool", "arguments", "output", "evidence", "adopted_from"),
    "attempt": ("delivery_class", "idempotency_key", "effect"),
    "approval": ("approval_id", "rule_id", "because", "decided_by", "digest"),
    "wait": ("source", "for", "correlation", "due_at"),
    "settlement": ("outcome", "decided_by"),
}
"""The attributes that people read; ``--format json`` has them all."""


def print_trace(trace: Trace) -> None:
    """Print every span with its attributes."""
    console = stdout()
    parents: dict[str, tuple[int, Span]] = {}
    for span in trace.spans:
        depth, parent = (-1, None) if span.parent is None else parents[span.parent]
        parents[span.key] = (depth + 1, span)
        console.print(_headline(span, depth + 1), soft_wrap=True)
        for line in _details(span, parent, INDENT * (depth + 2)):
            console.print(line, soft_wrap=True)
    if trace.erased:
        console.print(Text(f"{trace.erased} entries are erased: what they told is not here", style="yellow"))


def _headline(span: Span, depth: int) -> Text:
    line = Text(INDENT * depth)
    name = span.name if span.name.startswith(span.kind) else f"{span.kind} {span.name}"
    line.append(f"{harmless(name)}  ", style="bold")
    line.append(span.status, style=STYLES.get(span.status, ""))
    if span.started_at is not None:
        line.append(f"  {clock_time(span.started_at)}", style="dim")
    if span.duration_ms is not None:
        line.append(f"  {duration(span.duration_ms / 1000)}")
    if span.cost_usd_micros:
        line.append(f"  {usd(span.cost_usd_micros)}", style="cyan")
    return line


def _details(span: Span, parent: Span | None, indent: str) -> Iterator[Text]:
    """Yield what a span knows and the one that it is inside of does not say already."""
    known = {} if parent is None else dict(_values(parent))
    for name, value in _values(span):
        if value in (None, "") or known.get(name) == value:
            continue
        text = value if isinstance(value, str) else orjson.dumps(value).decode()
        shown = harmless(text)
        if len(shown) > VALUE_CHARACTERS_MAX:
            shown = f"{shown[:VALUE_CHARACTERS_MAX]}… (--format json shows all)"
        yield Text.assemble((f"{indent}{name.replace('_', ' ')}  ", "dim"), shown)


def _values(span: Span) -> Iterator[tuple[str, JsonValue]]:
    yield "checks", span.verdict
    for name in SHOWN[span.kind]:
        yield name, span.attributes.get(name)
    yield "receipt", span.receipt_id
    yield "failed", f"{span.reason}: {span.message}" if span.reason else None
