"""Runs, receipts, approvals and events as JSON: the same stable keys over HTTP and in ``--format json``.

Owns: the names and forms of the members. Instants are RFC 3339 in UTC, costs millionths of a US dollar.
Does not know: HTTP, terminals.
"""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import orjson

from remit.core.canonical import JsonValue
from remit.governance.contracts import ToolContract, contract_digest
from remit.ports.outbox import OutboxEntry
from remit.ports.store import (
    Approval,
    HeldEvent,
    JournalEntry,
    Principal,
    RunSummary,
    StoredDefinition,
    StoredReceipt,
    StoredStep,
    Tenant,
    WebhookEndpoint,
)

Json = dict[str, JsonValue]


def instant_text(instant: datetime | None) -> str | None:
    """Return an instant as ``2026-11-21T06:09:12.345678Z``."""
    if instant is None:
        return None
    return instant.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def run_json(run: RunSummary) -> Json:
    """Return one run."""
    return {
        "run_id": run.run_id,
        "definition": run.definition_name,
        "definition_digest": run.definition_digest,
        "status": run.status,
        "waiting_for": run.waiting_for,
        "principal_id": run.principal_id,
        "trigger": run.trigger,
        "created_at": instant_text(run.created_at),
        "updated_at": instant_text(run.updated_at),
        "sequence": run.sequence,
        "epoch": run.epoch,
        "state_hash": run.state_hash,
        "output": _value(run.output),
        "error": _value(run.error),
        "quarantined": run.quarantined,
    }


def step_json(stored: StoredStep) -> Json:
    """Return what a finished attempt left."""
    row = stored.row
    return {
        "step": row.step,
        "attempt": row.attempt,
        "status": row.status,
        "tool": row.tool,
        "started_at": instant_text(row.started_at),
        "finished_at": instant_text(row.finished_at),
        "cost_usd_micros": row.cost_usd_micros,
        "tokens": row.tokens,
        "reason": row.reason,
        "sequence": stored.sequence,
    }


def receipt_json(stored: StoredReceipt) -> Json:
    """Return one receipt."""
    return {
        "run_id": stored.run_id,
        "created_at": instant_text(stored.created_at),
        **msgspec.structs.asdict(stored.receipt),
    }


def approval_json(approval: Approval) -> Json:
    """Return one request for a decision; ``arguments`` are exactly those that will run."""
    return {
        "approval_id": approval.approval_id,
        "run_id": approval.run_id,
        "step": approval.step,
        "slot": approval.slot,
        "tool": approval.tool,
        "tool_version": approval.tool_version,
        "rule_id": approval.rule_id,
        "reason": approval.reason,
        "digest": approval.digest,
        "arguments": _value(approval.arguments),
        "arguments_text": approval.arguments.decode("utf-8", "replace"),
        "endpoint": approval.endpoint,
        "credential": approval.credential,
        "requested_by": approval.requested_by,
        "approvers_required": approval.approvers_required,
        "status": approval.status,
        "created_at": instant_text(approval.created_at),
        "expires_at": instant_text(approval.expires_at),
        "decided_at": instant_text(approval.decided_at),
        "decided_by": list(approval.decided_by),
        "decision_reason": approval.decision_reason,
    }


def entry_json(entry: JournalEntry) -> Json:
    """Return one journal entry with its facts as they are stored; there are none when its payload was erased."""
    facts: JsonValue = [] if entry.payload is None else orjson.loads(entry.payload)
    return {
        "sequence": entry.sequence,
        "epoch": entry.epoch,
        "at": instant_text(entry.at),
        "hash": entry.hash.hex(),
        "facts": facts,
        "erased": entry.payload is None,
    }


def contract_json(contract: ToolContract) -> Json:
    """Return a tool's contract with its digest."""
    body: Json = msgspec.to_builtins(contract)
    return {**body, "contract_digest": contract_digest(contract)}


def definition_json(stored: StoredDefinition) -> Json:
    """Return one stored definition without its body."""
    return {
        "name": stored.name,
        "version": stored.version,
        "digest": stored.digest,
        "created_at": instant_text(stored.created_at),
    }


def tenant_json(tenant: Tenant) -> Json:
    """Return one tenant."""
    return {
        "tenant_id": tenant.tenant_id,
        "display_name": tenant.display_name,
        "policy_digest": tenant.policy_digest,
        "paused": tenant.paused,
    }


def principal_json(principal: Principal) -> Json:
    """Return one principal; keys are never shown again."""
    return {
        "principal_id": principal.principal_id,
        "kind": principal.kind,
        "roles": list(principal.roles),
        "active": principal.active,
    }


def endpoint_json(endpoint: WebhookEndpoint) -> Json:
    """Return one webhook endpoint; ``secret_name`` is a reference, never a value."""
    return {
        "endpoint_id": endpoint.endpoint_id,
        "path": f"/webhooks/{endpoint.endpoint_id}",
        "source": endpoint.source,
        "secret_name": endpoint.secret_name,
        "principal_id": endpoint.principal_id,
    }


def inbound_json(event: HeldEvent) -> Json:
    """Return one inbound event."""
    return {
        "inbound_id": event.inbound_id,
        "source": event.source,
        "name": event.name,
        "event_key": event.event_key,
        "status": event.status,
        "received_at": instant_text(event.received_at),
        "run_ids": list(event.run_ids),
    }


def outbox_json(entry: OutboxEntry) -> Json:
    """Return one message for one subscriber; what it says is in the journal."""
    return {
        "message_id": entry.message_id,
        "run_id": entry.run_id,
        "step": entry.step,
        "topic": entry.topic,
        "subscriber": entry.destination,
        "status": entry.status.value,
        "attempt_count": entry.attempt_count,
        "reason": entry.reason,
        "under_way": entry.is_under_way,
        "created_at": instant_text(entry.created_at),
        "next_attempt_at": instant_text(entry.next_attempt_at) if entry.settled_at is None else None,
        "settled_at": instant_text(entry.settled_at),
    }


def _value(body: bytes | None) -> JsonValue:
    if body is None:
        return None
    value: JsonValue = orjson.loads(body)
    return value
