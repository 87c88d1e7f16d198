"""Events for tests, built from the commands that they answer.

Owns: plausible values for what a test does not care about. Does not know: what a run makes of an event.
"""

from __future__ import annotations

import hashlib

from remit.core.canonical import JsonValue
from remit.core.commands import CallTool
from remit.core.definition import Bounds
from remit.core.events import (
    ActionFailed,
    ActionIntended,
    ActionRefused,
    ActionSucceeded,
    ActionSuspended,
    ActionUnknown,
    RunSubmitted,
)
from remit.core.facts import ApprovalRequested, IntentRecorded, OutboxMessage, Receipt, Usage
from remit.core.program import Program
from remit.testing.definitions import CONTRACT_DIGEST, TOOL_VERSION

POLICY_DIGEST = "p" * 64
REQUEST_SECONDS = 3_600


def submitted(program: Program, run_input: JsonValue = None, *, principal_id: str = "operator") -> RunSubmitted:
    """Return the event that begins a run."""
    return RunSubmitted(
        definition_digest=program.digest,
        policy_digest=POLICY_DIGEST,
        principal_id=principal_id,
        input=run_input,
        bounds=Bounds(),
    )


def succeeded(
    call: CallTool,
    output: JsonValue = None,
    *,
    usage: Usage | None = None,
    receipt: Receipt | None = None,
    outbox: tuple[OutboxMessage, ...] = (),
) -> ActionSucceeded:
    """Return that a call returned."""
    return ActionSucceeded(
        step=call.step,
        attempt=call.attempt,
        slot=call.slot,
        output=output,
        checks="resolve contract permission bounds loop act result",
        policy_digest=POLICY_DIGEST,
        usage=Usage(duration_ms=1) if usage is None else usage,
        receipt=receipt,
        outbox=outbox,
    )


def failed(
    call: CallTool,
    reason: str = "FLAKY",
    *,
    retryable: bool = True,
    effect: str = "none",
    jitter: float = 0.0,
    retry_after_ms: int | None = None,
) -> ActionFailed:
    """Return that a call failed."""
    return ActionFailed(
        step=call.step,
        attempt=call.attempt,
        slot=call.slot,
        reason=reason,
        message=f"the tool said {reason}",
        retryable=retryable,
        checks="resolve contract permission bounds loop act",
        usage=Usage(duration_ms=1),
        jitter=jitter,
        retry_after_ms=retry_after_ms,
        effect=effect,
    )


def refused(call: CallTool, reason: str = "PERMISSION_DENIED") -> ActionRefused:
    """Return that a stage of the pipeline said no."""
    return ActionRefused(
        step=call.step,
        attempt=call.attempt,
        slot=call.slot,
        reason=reason,
        message="no scope covers this call",
        checks="permission:refused",
    )


def suspended(call: CallTool, approval_id: str, *, now_us: int = 0) -> ActionSuspended:
    """Return that a rule asks a person; the digest covers run step, slot, arguments and the approval's id."""
    subject = f"{call.step}#{call.slot}#{approval_id}#".encode() + call.arguments
    return ActionSuspended(
        request=ApprovalRequested(
            step=call.step,
            attempt=call.attempt,
            slot=call.slot,
            approval_id=approval_id,
            rule_id="large-amounts",
            reason="above the threshold",
            digest=hashlib.sha256(subject).hexdigest(),
            nonce=hashlib.sha256(approval_id.encode()).hexdigest()[:32],
            policy_digest=POLICY_DIGEST,
            contract_digest=CONTRACT_DIGEST,
            endpoint="",
            credential="",
            approvers_required=1,
            expires_us=now_us + REQUEST_SECONDS * 1_000_000,
        )
    )


def intended(call: CallTool, *, tool: str, delivery_class: str = "keyed", now_us: int = 0) -> ActionIntended:
    """Return that the pipeline wants its intent durable."""
    key = f"tenant:run:{call.step}:{call.slot}"
    return ActionIntended(
        intent=IntentRecorded(
            step=call.step,
            attempt=call.attempt,
            slot=call.slot,
            tool=tool,
            contract_digest=CONTRACT_DIGEST,
            policy_digest=POLICY_DIGEST,
            delivery_class=delivery_class,
            idempotency_key=key,
            external_key=f"remit:{hashlib.sha256(key.encode()).hexdigest()[:32]}",
            arguments_digest=hashlib.sha256(call.arguments).hexdigest(),
            recorded_us=now_us,
        )
    )


def lost(call: CallTool, reason: str = "EFFECT_UNKNOWN") -> ActionUnknown:
    """Return that nobody can tell whether the effect happened."""
    return ActionUnknown(
        step=call.step, attempt=call.attempt, slot=call.slot, reason=reason, message="the worker died while it waited"
    )


def receipt_of(call: CallTool, *, tool: str, delivery_class: str = "keyed") -> Receipt:
    """Return a receipt for a call's effect."""
    key = f"tenant:run:{call.step}:{call.slot}"
    return Receipt(
        receipt_id="rcpt_" + hashlib.sha256(key.encode()).hexdigest()[:24],
        tool=tool,
        tool_version=TOOL_VERSION,
        side_effect_level="HARD_WRITE",
        delivery_class=delivery_class,
        idempotency_key=key,
        arguments_digest=hashlib.sha256(call.arguments).hexdigest(),
        result_digest=hashlib.sha256(b"result").hexdigest(),
        approval_id=None if call.approval is None else call.approval.approval_id,
    )
