"""States and their legal moves, as tables.

Owns: which state may follow which, for runs, steps, approvals, parked effects and outbox messages.
Does not know: why something moves. The SQL ``CHECK`` constraints repeat the value sets; a test compares both.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class RunStatus(StrEnum):
    """Where a run stands; ``waiting`` means that everything outstanding waits for somebody or something."""

    PENDING = "pending"
    RUNNING = "running"
    WAITING = "waiting"
    CHECKPOINT = "checkpoint"
    COMPLETED = "completed"
    FAILED = "failed"
    ABORTED = "aborted"
    CANCELLED = "cancelled"


class StepStatus(StrEnum):
    """Where a step stands; ``unknown`` is an effect that may or may not have happened."""

    PENDING = "pending"
    READY = "ready"
    RUNNING = "running"
    WAITING = "waiting"
    COMPLETED = "completed"
    FAILED = "failed"
    SKIPPED = "skipped"
    UNKNOWN = "unknown"
    COMPENSATED = "compensated"


class ApprovalStatus(StrEnum):
    """Where a request for a human decision stands."""

    PENDING = "pending"
    APPROVED = "approved"
    DENIED = "denied"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


class OutboxStatus(StrEnum):
    """Where a message for one subscriber stands; ``dead`` is the dead letter, which a person may send again."""

    PENDING = "pending"
    DELIVERED = "delivered"
    DEAD = "dead"


class SideEffectLevel(StrEnum):
    """How much a tool changes in the world; FINANCIAL moves money."""

    READ = "READ"
    SOFT_WRITE = "SOFT_WRITE"
    HARD_WRITE = "HARD_WRITE"
    FINANCIAL = "FINANCIAL"


class DeliveryClass(StrEnum):
    """What a tool can promise about its effect, hence how a crash is recovered (ARCHITECTURE.md)."""

    PURE = "pure"
    LOCAL = "local"
    KEYED = "keyed"
    QUERYABLE = "queryable"
    OPAQUE = "opaque"


class Idempotency(StrEnum):
    """What a call's idempotency key is made of."""

    NONE = "none"
    STEP = "step"
    ARGUMENTS = "arguments"


RUN_TERMINAL: Final = frozenset({RunStatus.COMPLETED, RunStatus.FAILED, RunStatus.ABORTED, RunStatus.CANCELLED})
STEP_TERMINAL: Final = frozenset({StepStatus.COMPLETED, StepStatus.FAILED, StepStatus.SKIPPED, StepStatus.COMPENSATED})
STEP_SATISFIED: Final = frozenset({StepStatus.COMPLETED, StepStatus.SKIPPED})

RUN_TRANSITIONS: Final[dict[RunStatus, frozenset[RunStatus]]] = {
    RunStatus.PENDING: frozenset(
        {RunStatus.RUNNING, RunStatus.WAITING, RunStatus.COMPLETED, RunStatus.FAILED, RunStatus.CANCELLED}
    ),
    RunStatus.RUNNING: frozenset(
        {
            RunStatus.WAITING,
            RunStatus.CHECKPOINT,
            RunStatus.COMPLETED,
            RunStatus.FAILED,
            RunStatus.ABORTED,
            RunStatus.CANCELLED,
        }
    ),
    RunStatus.WAITING: frozenset(
        {
            RunStatus.RUNNING,
            RunStatus.CHECKPOINT,
            RunStatus.COMPLETED,
            RunStatus.FAILED,
            RunStatus.ABORTED,
            RunStatus.CANCELLED,
        }
    ),
    RunStatus.CHECKPOINT: frozenset(
        {RunStatus.RUNNING, RunStatus.WAITING, RunStatus.COMPLETED, RunStatus.ABORTED, RunStatus.CANCELLED}
    ),
    RunStatus.COMPLETED: frozenset(),
    RunStatus.FAILED: frozenset(),
    RunStatus.ABORTED: frozenset(),
    RunStatus.CANCELLED: frozenset(),
}

STEP_TRANSITIONS: Final[dict[StepStatus, frozenset[StepStatus]]] = {
    StepStatus.PENDING: frozenset({StepStatus.RUNNING, StepStatus.WAITING, StepStatus.SKIPPED, StepStatus.FAILED}),
    StepStatus.READY: frozenset({StepStatus.RUNNING, StepStatus.WAITING, StepStatus.SKIPPED, StepStatus.FAILED}),
    StepStatus.RUNNING: frozenset(
        {
            StepStatus.RUNNING,
            StepStatus.WAITING,
            StepStatus.COMPLETED,
            StepStatus.FAILED,
            StepStatus.UNKNOWN,
            StepStatus.READY,
        }
    ),
    StepStatus.WAITING: frozenset(
        {StepStatus.RUNNING, StepStatus.COMPLETED, StepStatus.FAILED, StepStatus.SKIPPED, StepStatus.UNKNOWN}
    ),
    StepStatus.UNKNOWN: frozenset({StepStatus.RUNNING, StepStatus.COMPLETED, StepStatus.FAILED}),
    StepStatus.COMPLETED: frozenset({StepStatus.COMPENSATED}),
    StepStatus.FAILED: frozenset(),
    StepStatus.SKIPPED: frozenset(),
    StepStatus.COMPENSATED: frozenset(),
}

APPROVAL_TRANSITIONS: Final[dict[ApprovalStatus, frozenset[ApprovalStatus]]] = {
    ApprovalStatus.PENDING: frozenset(
        {ApprovalStatus.APPROVED, ApprovalStatus.DENIED, ApprovalStatus.EXPIRED, ApprovalStatus.WITHDRAWN}
    ),
    ApprovalStatus.APPROVED: frozenset(),
    ApprovalStatus.DENIED: frozenset(),
    ApprovalStatus.EXPIRED: frozenset(),
    ApprovalStatus.WITHDRAWN: frozenset(),
}

OUTBOX_TRANSITIONS: Final[dict[OutboxStatus, frozenset[OutboxStatus]]] = {
    OutboxStatus.PENDING: frozenset({OutboxStatus.DELIVERED, OutboxStatus.DEAD}),
    OutboxStatus.DELIVERED: frozenset(),
    OutboxStatus.DEAD: frozenset({OutboxStatus.PENDING}),
}
