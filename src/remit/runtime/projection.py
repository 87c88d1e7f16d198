"""The spans of a run in the making: begun, ended, failed and used, under the step they belong to.

Owns: how spans hang together, and which one of a step is open. Does not know: what the facts mean (``trace``).
"""

from __future__ import annotations

from typing import Protocol

from remit.core.canonical import JsonValue
from remit.core.definition import EventStep, RunnableStep, SignalStep, Step, TimerStep, ToolStep
from remit.core.facts import (
    AttemptFailed,
    EffectParked,
    StepFailed,
    Usage,
)
from remit.core.program import Program
from remit.ports.store import LoadedRun
from remit.runtime.spans import ATTRIBUTES, Span, SpanKind


class Redaction(Protocol):
    """What a trace may show of values that came from outside."""

    def arguments(self, step: ToolStep, value: JsonValue) -> JsonValue:
        """Return a call's arguments, redacted."""
        ...

    def output(self, step: Step, value: JsonValue) -> JsonValue:
        """Return a step's output, redacted; mapped, if the step maps it."""
        ...

    def value(self, value: JsonValue) -> JsonValue:
        """Return any other value (inputs, correlations), redacted."""
        ...

    def text(self, text: str) -> str:
        """Return a message or reason, redacted."""
        ...


class Projection:
    """A trace in the making."""

    def __init__(self, run: LoadedRun, program: Program, redact: Redaction) -> None:
        self.program = program
        self.redact = redact
        self.at = run.created_at
        self.children: dict[str, list[Span]] = {}
        self.attempts: dict[str, Span] = {}
        self.open: dict[str, Span] = {}
        self.senders: dict[str, str | None] = {}
        definition = program.definition
        self.run = self.begin(None, "run", "run", name=definition.name, status="pending")
        self.run.attributes |= {
            "definition": definition.name,
            "definition_version": definition.version,
            "definition_digest": run.definition_digest,
            "policy_digest": run.policy_digest,
            "principal_id": run.principal_id,
            "trigger": run.trigger,
        }
        self.steps = {step_id: self._pending_step(compiled.step) for step_id, compiled in program.steps.items()}

    def settle_status(self) -> None:
        """Say of a run that goes on whether an action is under way or everything waits."""
        if self.run.status == "running" and not any(span.status == "running" for span in self.attempts.values()):
            self.run.status = "waiting"

    def in_order(self, parent: str | None = None) -> list[Span]:
        """Return the spans below a parent, each followed by its own children."""
        found: list[Span] = []
        for span in self.children.get(parent or "", []):
            found += [span, *self.in_order(span.key)]
        return found

    def begin(self, parent: Span | None, kind: SpanKind, key: str, *, name: str, status: str) -> Span:
        """Begin a span below another one; without a parent it is the run's."""
        siblings = self.children.setdefault("" if parent is None else parent.key, [])
        span = Span(
            key=key if parent is None else f"{parent.key}/{key}",
            parent=None if parent is None else parent.key,
            kind=kind,
            name=name,
            status=status,
            started_at=self.at,
            attributes=dict.fromkeys(ATTRIBUTES[kind]),
        )
        siblings.append(span)
        return span

    def _pending_step(self, step: RunnableStep) -> Span:
        span = self.begin(self.run, "step", step.id, name=step.id, status="pending")
        span.started_at = None
        span.attributes["step_kind"] = kind_of(step)
        if isinstance(step, ToolStep):
            span.attributes |= {"tool": step.tool, "tool_version": step.tool_version}
        return span

    def end(self, span: Span, status: str) -> None:
        """End a span in a status."""
        span.status = status
        span.ended_at = self.at

    def fail(self, span: Span, fact: AttemptFailed | StepFailed | EffectParked, status: str) -> None:
        """End a span with what a fact says of its failure."""
        self.end(span, status)
        span.reason = self.redact.text(fact.reason)
        span.message = self.redact.text(fact.message)

    def begin_attempt(self, step_id: str, number: int) -> None:
        """Begin a step's attempt with this number."""
        span = self.begin(
            self.steps[step_id], "attempt", f"attempt-{number}", name=f"attempt {number}", status="running"
        )
        span.attributes["number"] = number
        self.attempts[step_id] = span
        self.steps[step_id].status = "running"

    def take_message(self, step_id: str, message_id: str | None) -> None:
        """Note which message ended a step's wait, and who sent it."""
        if message_id is not None:
            sender = self.senders.get(message_id)
            self.steps[step_id].attributes |= {"message_id": self.redact.value(message_id), "sent_by": sender}

    def begin_wait(self, step_id: str, kind: SpanKind, *, parent: Span, name: str) -> Span:
        """Begin what a step waits for; a step waits for one thing at a time."""
        number = 1 + sum(span.kind == kind for span in self.children.get(parent.key, []))
        status = {"approval": "pending", "settlement": "unknown"}.get(kind, "waiting")
        span = self.begin(parent, kind, f"{kind}-{number}", name=name, status=status)
        self.open[step_id] = span
        self.steps[step_id].status = "unknown" if kind == "settlement" else "waiting"
        return span

    def end_wait(self, step_id: str, status: str) -> Span | None:
        """End what a step waits for, and return it; ``None`` if it waits for nothing."""
        span = self.open.pop(step_id, None)
        if span is not None:
            self.end(span, status)
        return span

    def use(self, step_id: str, usage: Usage) -> None:
        """Add what an action used to its attempt, its step and the run."""
        for span in (self.attempts.get(step_id), self.steps[step_id], self.run):
            if span is not None:
                span.active_ms += usage.duration_ms
                span.tokens += usage.tokens
                span.cost_usd_micros += usage.cost_usd_micros


def kind_of(step: RunnableStep) -> str:
    """Return the kind of a step, as traces name it."""
    match step:
        case ToolStep():
            return "tool"
        case TimerStep():
            return "timer"
        case SignalStep():
            return "signal"
        case EventStep():
            return "event"
