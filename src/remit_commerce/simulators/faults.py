"""Faults on order: what a simulated provider or the network before it does wrong, and when.

Owns: the script of faults and which request gets which one.
Does not know: how a fault is played; the server does that.
"""

from __future__ import annotations

from collections import deque
from enum import StrEnum
from typing import Final

import msgspec

FAULTS_MAX: Final = 10_000
ANY: Final = "*"


class FaultKind(StrEnum):
    """What goes wrong. ``before`` kinds prevent the request from being executed, ``after`` kinds only spoil its answer.

    ``stored_error_*`` are Stripe's: it began, answered 500, and repeats that 500 for the same key; whether it did the
    work is the difference between the two.
    ``delayed`` executes and answers after ``hold_seconds``, as if the provider were slow.
    ``late`` executes the request after ``hold_seconds``, when the caller has long given up.
    """

    RATE_LIMITED = "rate_limited"
    SERVER_ERROR_BEFORE = "server_error_before"
    SERVER_ERROR_AFTER = "server_error_after"
    STORED_ERROR_BEFORE = "stored_error_before"
    STORED_ERROR_AFTER = "stored_error_after"
    HTML_BEFORE = "html_before"
    HTML_AFTER = "html_after"
    TIMEOUT_BEFORE = "timeout_before"
    TIMEOUT_AFTER = "timeout_after"
    RESET_BEFORE = "reset_before"
    RESET_AFTER = "reset_after"
    GARBAGE = "garbage"
    WRONG_ID = "wrong_id"
    SLOW_DRIP = "slow_drip"
    REDIRECT = "redirect"
    OVERSIZED = "oversized"
    DELAYED = "delayed"
    LATE = "late"


BEFORE: Final = frozenset(
    {
        FaultKind.RATE_LIMITED,
        FaultKind.SERVER_ERROR_BEFORE,
        FaultKind.HTML_BEFORE,
        FaultKind.TIMEOUT_BEFORE,
        FaultKind.RESET_BEFORE,
        FaultKind.REDIRECT,
    }
)
"""Kinds whose request is not executed; all others are executed and their effect is in the book."""


class Fault(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A fault for the next ``times`` requests of an operation (``*`` is any), after letting ``skip`` of them pass."""

    provider: str
    kind: FaultKind
    operation: str = ANY
    times: int = 1
    skip: int = 0
    retry_after_seconds: int | None = None
    hold_seconds: float = 30.0

    def __post_init__(self) -> None:
        if not (0 < self.times <= FAULTS_MAX and 0 <= self.skip <= FAULTS_MAX):
            message = f"expected 1 to {FAULTS_MAX} times and 0 to {FAULTS_MAX} skipped"
            raise ValueError(message)


class FaultScript:
    """The faults still to be played, in the order in which they were asked for."""

    def __init__(self) -> None:
        self._pending: deque[Fault] = deque()

    def add(self, fault: Fault) -> None:
        """Append a fault to the script."""
        self._pending.append(fault)

    def clear(self) -> None:
        """Forget all faults not yet played."""
        self._pending.clear()

    def pending(self) -> tuple[Fault, ...]:
        """Return the faults not yet played out."""
        return tuple(self._pending)

    def take(self, provider: str, operation: str) -> Fault | None:
        """Return the fault for this request, if the first one that matches has no skips left, and count it."""
        for place, fault in enumerate(self._pending):
            if fault.provider != provider or fault.operation not in {ANY, operation}:
                continue
            if fault.skip:
                self._pending[place] = msgspec.structs.replace(fault, skip=fault.skip - 1)
                return None
            if fault.times == 1:
                del self._pending[place]
            else:
                self._pending[place] = msgspec.structs.replace(fault, times=fault.times - 1)
            return fault
        return None
