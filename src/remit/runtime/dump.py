"""The dump of a run's state: what helps to find out why it does not move, and nothing that is anybody's secret.

Owns: what is in a dump. Does not know: who asked for it, or where it goes.

Redacted by construction: arguments, outputs, inputs, messages' bodies, keys' texts and people's words are not in it.
Where they are, a dump holds how many bytes there are and their SHA-256.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Final

import msgspec

from remit.core.canonical import JsonValue
from remit.core.commands import (
    AwaitApproval,
    AwaitMessage,
    AwaitRetry,
    AwaitSettlement,
    AwaitTimer,
    CallTool,
    Command,
)
from remit.core.facts import ApprovalRequested, decode_facts
from remit.core.outstanding import outstanding
from remit.core.program import Program
from remit.core.state import RunState
from remit.errors import RemitError
from remit.ports.store import Approval, LoadedRun, RunSummary
from remit.ports.suspects import KnownWorker
from remit.runtime.replay import fold_run
from remit.runtime.rows import instant_of
from remit.runtime.stuck import REMEDIES, StuckRun

DUMP_VERSION: Final = 1
ENTRIES_MAX: Final = 50
"""The last ones: what led to where the run stands."""


class DumpSources(msgspec.Struct, frozen=True, kw_only=True):
    """What a dump is made of."""

    summary: RunSummary
    run: LoadedRun
    program: Program
    approvals: Sequence[Approval]
    workers: Sequence[KnownWorker]
    now: datetime


def dump_run(sources: DumpSources, stuck: StuckRun | None) -> dict[str, JsonValue]:
    """Return a run's state as JSON data; ``stuck`` is what the lookout says of it, if anything."""
    run = sources.run
    return {
        "dump_version": DUMP_VERSION,
        "at": sources.now.isoformat(),
        "stuck": None if stuck is None else _stuck(stuck),
        "head": _head(sources, stuck),
        "state": _state(run, sources.program),
        "approvals": [_approval(one) for one in sources.approvals],
        "inbox": [
            {
                "inbox_id": message.inbox_id,
                "kind": message.kind,
                "message_id": _sha256(message.message_id.encode()),
                "created_at": message.created_at.isoformat(),
                **_weighed(message.body),
            }
            for message in run.inbox
        ],
        "workers": [_worker(worker, sources.now) for worker in sources.workers],
        "entries": [
            {
                "sequence": entry.sequence,
                "epoch": entry.epoch,
                "at": entry.at.isoformat(),
                "kinds": entry.kinds,
                "hash": entry.hash.hex(),
                **_weighed(entry.payload or b""),
            }
            for entry in run.entries[-ENTRIES_MAX:]
        ],
    }


def requests_of(run: LoadedRun) -> list[str]:
    """Return the ids of the approvals that a run asked for, as far as its journal can be read."""
    asked: list[str] = []
    for entry in run.entries:
        try:
            facts = decode_facts(entry.payload or b"[]")
        except RemitError:
            continue
        asked += [fact.approval_id for fact in facts if isinstance(fact, ApprovalRequested)]
    return asked


def _stuck(stuck: StuckRun) -> dict[str, JsonValue]:
    return {
        "reason": stuck.reason.value,
        "since": stuck.since.isoformat(),
        "age_seconds": round(stuck.age.total_seconds(), 3),
        "detail": stuck.detail,
        "remedy": REMEDIES[stuck.reason],
    }


def _head(sources: DumpSources, stuck: StuckRun | None) -> dict[str, JsonValue]:
    summary, run = sources.summary, sources.run
    head: dict[str, JsonValue] = {
        "run_id": summary.run_id,
        "tenant": summary.tenant_id,
        "definition": {"name": summary.definition_name, "digest": summary.definition_digest},
        "policy_digest": run.policy_digest,
        "status": summary.status,
        "waiting_for": summary.waiting_for,
        "sequence": summary.sequence,
        "epoch": summary.epoch,
        "wake_sequence": run.wake_sequence,
        "created_at": summary.created_at.isoformat(),
        "updated_at": summary.updated_at.isoformat(),
        "quarantined": summary.quarantined is not None,
        "input": _weighed(run.input),
    }
    if stuck is not None:
        suspect = stuck.suspect
        instants = {name: getattr(suspect, name) for name in ("claimable_at", "due_at", "unread_at", "decided_at")}
        head["worker_id"] = suspect.worker_id
        head |= {name: None if instant is None else instant.isoformat() for name, instant in instants.items()}
    return head


def _state(run: LoadedRun, program: Program) -> dict[str, JsonValue]:
    """Return what the journal folds to: open commands and steps; or that it cannot be folded."""
    try:
        state = fold_run(run, program)
    except RemitError as error:
        return {"error": {"code": error.code, "message": error.message}}
    return {
        "status": state.status.value,
        "is_stopping": state.is_stopping,
        "acting": state.acting_count,
        "parked": state.parked_count,
        "open": [_command(command, state) for command in outstanding(state)],
        "messages": [{"source": message.source, "name": message.name} for message in state.messages],
        "steps": {
            step_id: {"status": step.status.value, "attempt": step.attempt, "effect": step.effect}
            for step_id, step in state.steps.items()
        },
        "unfinished": state.unfinished_count,
    }


def _command(command: Command, state: RunState) -> dict[str, JsonValue]:
    common: dict[str, JsonValue] = {"command": type(command).__name__, "step": command.step}
    match command:
        case CallTool():
            step = state.program.steps[command.step].step
            return common | {
                "attempt": command.attempt,
                "slot": command.slot,
                "tool": getattr(step, "tool", None),
                "arguments": _weighed(command.arguments),
                "intended": command.intent is not None,
                "approved": command.approval is not None,
            }
        case AwaitApproval():
            return common | {"approval_id": command.approval_id, "due_at": _instant(command.due_us)}
        case AwaitRetry():
            return common | {"attempt": command.attempt, "due_at": _instant(command.due_us)}
        case AwaitTimer():
            return common | {"due_at": _instant(command.due_us)}
        case AwaitMessage():
            return common | {"source": command.source, "name": command.name, "due_at": _instant(command.due_us)}
        case AwaitSettlement():
            return common | {"slot": command.slot, "reason": command.reason}


def _approval(approval: Approval) -> dict[str, JsonValue]:
    return {
        "approval_id": approval.approval_id,
        "step": approval.step,
        "tool": approval.tool,
        "rule_id": approval.rule_id,
        "status": approval.status,
        "digest": approval.digest,
        "approvers_required": approval.approvers_required,
        "decisions": len(approval.decided_by),
        "created_at": approval.created_at.isoformat(),
        "expires_at": approval.expires_at.isoformat(),
        "decided_at": None if approval.decided_at is None else approval.decided_at.isoformat(),
    }


def _worker(worker: KnownWorker, now: datetime) -> dict[str, JsonValue]:
    return {
        "worker_id": worker.worker_id,
        "version": worker.version,
        "started_at": worker.started_at.isoformat(),
        "heartbeat_at": worker.heartbeat_at.isoformat(),
        "lease_ends_at": worker.lease_ends_at.isoformat(),
        "is_alive": worker.lease_ends_at > now,
        "tools": None if worker.tools is None else list(worker.tools),
    }


def _weighed(content: bytes) -> dict[str, JsonValue]:
    return {"bytes": len(content), "sha256": _sha256(content)}


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _instant(microseconds: int | None) -> str | None:
    return None if microseconds is None else instant_of(microseconds).isoformat()
