"""An execution in lines for people: what came in, what was decided, what became durable, what was done outside.

Owns: the words. Does not know: what is right.
"""

from __future__ import annotations

import hashlib

import msgspec

from remit.core.events import Event
from remit.core.facts import Fact
from remit.testing.simulator.execution import Heard, Record, StoredEntry
from remit.testing.simulator.world import Effect

TEXT_CHARACTERS_MAX = 160


def timeline(record: Record) -> list[str]:
    """Return one line for each thing that happened, with virtual seconds."""
    return [f"{seconds:9.3f}  {_worded(kind, what)}" for seconds, kind, what in record.lines]


def trace_digest(record: Record) -> str:
    """Return one digest over the journal, the book and everything that was heard: equal for equal executions."""
    sha = hashlib.sha256()
    for entry in record.entries:
        sha.update(entry.append.payload)
        sha.update(entry.append.hash)
    for line in timeline(record):
        sha.update(line.encode())
    return sha.hexdigest()


def _worded(kind: str, what: object) -> str:
    match what:
        case StoredEntry():
            told = ", ".join(_fact(fact) for fact in what.facts) or "nothing new"
            return f"journal   entry {what.sequence} of epoch {what.epoch}: {told}"
        case (Effect() as effect, int()):
            return f"world     {effect.tool} did its work for {effect.step}, attempt {effect.attempt}"
        case (str() as worker, int() as epoch) if kind == "claim":
            return f"claim     {worker} owns the run, epoch {epoch}"
        case Heard():
            told = ", ".join(_fact(fact) for fact in what.facts) or "nothing follows"
            return f"event     {_short(what.event)} → {told}"
        case _:
            return f"{kind:9} {what}"


def _fact(fact: Fact) -> str:
    step = getattr(fact, "step", None)
    reason = getattr(fact, "reason", "")
    effect = getattr(fact, "effect", "none")
    attempt = getattr(fact, "attempt", None)
    parts = [str(step or ""), "" if attempt is None else f"#{attempt}", reason, "" if effect == "none" else effect]
    inside = " ".join(part for part in parts if part)
    return type(fact).__name__ + (f"({inside})" if inside else "")


def _short(event: Event | object) -> str:
    name = type(event).__name__
    if not isinstance(event, msgspec.Struct):
        return name
    inside = {key: value for key, value in msgspec.structs.asdict(event).items() if key in _SHOWN and value}
    request = getattr(event, "request", None) or getattr(event, "intent", None)
    if request is not None:
        inside = {"step": request.step, "attempt": request.attempt}
    text = " ".join(f"{key}={value!r}" for key, value in inside.items())
    return f"{name}({text})"[:TEXT_CHARACTERS_MAX]


_SHOWN = frozenset({"step", "attempt", "reason", "effect", "decision", "name", "message_id", "outcome", "retryable"})
