"""Events: what comes in to a run, before anything was decided about it.

Owns: the closed union of events. Does not know: where they come from, nor what follows from them.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from remit.core.canonical import JsonValue
from remit.core.definition import Bounds
from remit.core.facts import ApprovalRequested, IntentRecorded, OutboxMessage, Receipt, Usage


class _Event(msgspec.Struct, frozen=True, kw_only=True):
    pass


class RunSubmitted(_Event, frozen=True, kw_only=True):
    """A run was asked for."""

    definition_digest: str
    policy_digest: str
    principal_id: str
    input: JsonValue
    bounds: Bounds
    trigger: str | None = None


class ActionSucceeded(_Event, frozen=True, kw_only=True):
    """A call returned, or a finished duplicate was found (then ``adopted_from`` names its receipt)."""

    step: str
    attempt: int
    slot: int
    output: JsonValue
    checks: str
    policy_digest: str
    usage: Usage
    receipt: Receipt | None = None
    adopted_from: str | None = None
    outbox: tuple[OutboxMessage, ...] = ()


class ActionFailed(_Event, frozen=True, kw_only=True):
    """A call failed and is known to have had no effect, or has a key that makes trying again safe.

    ``effect`` is of this attempt: ``none``, ``unknown``, or ``absent``: proven by a look-up that no attempt had any.

    ``jitter`` in [0, 1] scales the retry policy's ``jitter_ratio``; ``retry_after_ms`` is what the provider asked for.
    """

    step: str
    attempt: int
    slot: int
    reason: str
    message: str
    retryable: bool
    checks: str
    usage: Usage
    jitter: float = 0.0
    retry_after_ms: int | None = None
    effect: str = "none"


class ActionRefused(_Event, frozen=True, kw_only=True):
    """A stage of the pipeline said no; the tool was not called."""

    step: str
    attempt: int
    slot: int
    reason: str
    message: str
    checks: str
    evidence: JsonValue = None


class ActionSuspended(_Event, frozen=True, kw_only=True):
    """A rule asks a person first."""

    request: ApprovalRequested


class ActionIntended(_Event, frozen=True, kw_only=True):
    """The pipeline is ready to act and wants its intent durable before it does."""

    intent: IntentRecorded


class ActionUnknown(_Event, frozen=True, kw_only=True):
    """The call may have had its effect, and nothing can tell."""

    step: str
    attempt: int
    slot: int
    reason: str
    message: str


class ApprovalDecided(_Event, frozen=True, kw_only=True):
    """The approval's row reached a decision: approved, denied or expired."""

    approval_id: str
    decision: Literal["approved", "denied", "expired"]
    digest: str
    decided_by: str | None = None
    reason: str = ""


class ApprovalVoided(_Event, frozen=True, kw_only=True):
    """A given approval no longer covers what would run; it must be asked for again."""

    step: str
    slot: int
    approval_id: str
    reason: str


class MessageArrived(_Event, frozen=True, kw_only=True):
    """A signal or inbound event for this run; ``correlations`` are what an event may be found by."""

    source: Literal["signal", "event"]
    name: str
    message_id: str
    payload: JsonValue = None
    sent_by: str | None = None
    correlations: tuple[str, ...] | None = None


class EffectResolved(_Event, frozen=True, kw_only=True):
    """A person settled a parked effect; ``output`` is what the call would have returned."""

    step: str
    slot: int
    outcome: Literal["happened", "absent"]
    decided_by: str
    output: JsonValue = None
    reason: str = ""
    receipt: Receipt | None = None


class CancelAsked(_Event, frozen=True, kw_only=True):
    """A person or a parent asks the run to stop."""

    requested_by: str
    reason: str = ""


class DeadlineReached(_Event, frozen=True, kw_only=True):
    """The database says that what was due by ``now`` is due."""


Event = (
    RunSubmitted
    | ActionSucceeded
    | ActionFailed
    | ActionRefused
    | ActionSuspended
    | ActionIntended
    | ActionUnknown
    | ApprovalDecided
    | ApprovalVoided
    | MessageArrived
    | EffectResolved
    | CancelAsked
    | DeadlineReached
)
