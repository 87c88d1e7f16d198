"""Spans: the records of a trace, and a trace as a tree for people.

Owns: the fields and attributes of each kind of span (docs/reference/trace.md), and which rows a tree shows.
Does not know: facts, stores, terminals. Durations are milliseconds, costs millionths of a US dollar.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Final, Literal

import msgspec

from remit.core.canonical import JsonValue

SpanKind = Literal["run", "step", "attempt", "approval", "wait", "settlement"]

ATTRIBUTES: Final[dict[SpanKind, tuple[str, ...]]] = {
    "run": (
        "definition", "definition_version", "definition_digest", "policy_digest", "principal_id", "trigger", "input",
        "output", "cancel_requested_by",
    ),
    "step": (
        "step_kind", "tool", "tool_version", "arguments", "output", "evidence", "adopted_from", "message_id", "sent_by",
        "published",
    ),
    "attempt": (
        "number", "policy_digest", "delivery_class", "idempotency_key", "external_key", "intended_at", "effect",
    ),
    "approval": ("approval_id", "rule_id", "because", "digest", "approvers_required", "expires_at", "decided_by"),
    "wait": ("source", "for", "correlation", "due_at"),
    "settlement": ("outcome", "decided_by"),
}  # fmt: skip
"""The attributes of each kind of span, all of them always present."""


class Span(msgspec.Struct, kw_only=True):
    """One piece of work or waiting. Only the projection changes it.

    ``key`` is stable: the same journal gives the same keys, and a longer one adds to them. ``status`` is a state of the
    glossary (a run's, a step's, an approval's) or, for waits, ``waiting`` or ``ended``. ``active_ms`` is time inside
    actions; ``verdict`` names the pipeline's stages and what they said; ``reason`` is a stable code of failure.
    """

    key: str
    parent: str | None
    kind: SpanKind
    name: str
    status: str
    attributes: dict[str, JsonValue]
    started_at: datetime | None = None
    ended_at: datetime | None = None
    active_ms: int = 0
    tokens: int = 0
    cost_usd_micros: int = 0
    verdict: str = ""
    reason: str | None = None
    message: str = ""
    receipt_id: str | None = None

    @property
    def duration_ms(self) -> int | None:
        """Time from start to end, waiting included; ``None`` while it goes on."""
        if self.started_at is None or self.ended_at is None:
            return None
        return int((self.ended_at - self.started_at).total_seconds() * 1000)

    def trace_fields(self) -> dict[str, JsonValue]:
        """Return the span as flat JSON data with the same keys always: its own fields, and its attributes by name."""
        fields: dict[str, JsonValue] = {
            "event": f"remit.{self.kind}",
            "key": self.key,
            "parent": self.parent,
            "name": self.name,
            "status": self.status,
            "started_at": None if self.started_at is None else self.started_at.isoformat(),
            "ended_at": None if self.ended_at is None else self.ended_at.isoformat(),
            "duration_ms": self.duration_ms,
            "active_ms": self.active_ms,
            "tokens": self.tokens,
            "cost_usd_micros": self.cost_usd_micros,
            "verdict": self.verdict,
            "reason": self.reason,
            "message": self.message,
            "receipt_id": self.receipt_id,
        }
        return fields | {f"{self.kind}.{name}": value for name, value in self.attributes.items()}


class Trace(msgspec.Struct, frozen=True, kw_only=True):
    """All spans of one run, each after its parent, siblings in the order of the document or of time.

    ``erased`` counts the entries whose payload is gone: what they told is not in the spans.
    """

    tenant_id: str
    run_id: str
    correlation_id: str
    spans: tuple[Span, ...]
    erased: int = 0

    @property
    def run(self) -> Span:
        """The span of the run itself."""
        return self.spans[0]


class TreeRow(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a trace as a tree. ``duration_ms`` is ``None`` for what has not begun or goes on."""

    indent: int
    name: str
    status: str
    duration_ms: int | None
    cost_usd_micros: int
    note: str


def render_tree(trace: Trace) -> list[TreeRow]:
    """Return a trace as rows for a tree: the run, its steps, and what happened inside them.

    A step's only attempt is no row of its own: its line is the step's.
    """
    children: dict[str | None, list[Span]] = {}
    for span in trace.spans:
        children.setdefault(span.parent, []).append(span)
    return [_row_of(span, indent) for span, indent in _walk(children, None, 0)]


def _walk(children: dict[str | None, list[Span]], parent: str | None, indent: int) -> Iterator[tuple[Span, int]]:
    siblings = children.get(parent, [])
    attempts = [span for span in siblings if span.kind == "attempt"]
    for span in siblings:
        is_hidden = span.kind == "attempt" and len(attempts) == 1
        if not is_hidden:
            yield span, indent
        # Depth is that of the kinds of span: run, step, attempt, approval.
        yield from _walk(children, span.key, indent if is_hidden else indent + 1)


def _row_of(span: Span, indent: int) -> TreeRow:
    return TreeRow(
        indent=indent,
        name=span.name,
        status=span.status,
        duration_ms=span.duration_ms,
        cost_usd_micros=span.cost_usd_micros,
        note=", ".join(part for part in _notes_of(span) if part),
    )


def _notes_of(span: Span) -> Iterator[str]:
    attributes = span.attributes
    match span.kind:
        case "run":
            yield f"cancel asked by {attributes['cancel_requested_by']}" if attributes["cancel_requested_by"] else ""
        case "step":
            yield str(attributes["tool"] or "")
            yield f"outcome of {attributes['adopted_from']}" if attributes["adopted_from"] else ""
            yield f"receipt {span.receipt_id}" if span.receipt_id else ""
        case "attempt":
            yield f"effect {attributes['effect']}" if attributes["effect"] else ""
        case "approval" | "settlement":
            yield str(attributes.get("outcome") or "")
            yield f"by {attributes['decided_by']}" if attributes["decided_by"] else ""
        case "wait":
            yield f"until {attributes['due_at']}" if attributes["due_at"] else ""
    yield f"{span.reason}: {span.message}" if span.reason and span.message else span.reason or span.message
