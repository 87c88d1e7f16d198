"""Faults on order: what a simulated provider or the network before it does wrong, and when.

Owns: the script of faults and which request gets which one.
Does not know: how a fault is played; the server does that.
"""

from __future__ import annotations

from collections import deque
from datetime import timedelta
from email.utils import format_datetime
from enum import StrEnum
from typing import Final

import msgspec

from remit.clock import wall_clock

FAULTS_MAX: Final = 10_000
ANY: Final = "*"


class FaultKind(StrEnum):
    """What goes wrong. ``before`` kinds prevent the request from being executed, ``after`` kinds only spoil its answer.

    ``stored_error_*`` are Stripe's: it began, answered 500, and repeats that 500 for the same key; whether it did the
    work is the difference between the two.
    ``delayed`` executes and answers after ``hold_seconds``, as if the provider were slow.
    ``late`` executes the request after ``hold_seconds``, when the caller has long given up.
    ``not_a_number``, ``surrogate`` and ``nul`` are right answers with one thing in them that is no JSON, or that no
    text may hold.
    """

    RATE_LIMITED = "rate_limited"
    RATE_LIMITED_SECONDS = "rate_limited_seconds"
    RATE_LIMITED_DATE = "rate_limited_date"
    RATE_LIMITED_ABSURD = "rate_limited_absurd"
    SERVER_ERROR_BEFORE = "server_error_before"
    SERVER_ERROR_AFTER = "server_error_after"
    STORED_ERROR_BEFORE = "stored_error_before"
    STORED_ERROR_AFTER = "stored_error_after"
    ERROR_INSIDE_BEFORE = "error_inside_before"
    ERROR_INSIDE_AFTER = "error_inside_after"
    HTML_BEFORE = "html_before"
    HTML_AFTER = "html_after"
    TIMEOUT_BEFORE = "timeout_before"
    TIMEOUT_AFTER = "timeout_after"
    RESET_BEFORE = "reset_before"
    RESET_AFTER = "reset_after"
    RESET_MIDDLE = "reset_middle"
    TRUNCATED = "truncated"
    GARBAGE = "garbage"
    WRONG_ID = "wrong_id"
    SLOW_DRIP = "slow_drip"
    REDIRECT = "redirect"
    OVERSIZED = "oversized"
    NOT_A_NUMBER = "not_a_number"
    SURROGATE = "surrogate"
    NUL = "nul"
    DELAYED = "delayed"
    LATE = "late"


BEFORE: Final = frozenset(
    {
        FaultKind.RATE_LIMITED,
        FaultKind.RATE_LIMITED_SECONDS,
        FaultKind.RATE_LIMITED_DATE,
        FaultKind.RATE_LIMITED_ABSURD,
        FaultKind.SERVER_ERROR_BEFORE,
        FaultKind.ERROR_INSIDE_BEFORE,
        FaultKind.HTML_BEFORE,
        FaultKind.TIMEOUT_BEFORE,
        FaultKind.RESET_BEFORE,
        FaultKind.REDIRECT,
    }
)
"""Kinds whose request is not executed; all others are executed and their effect is in the book."""

STRIPE_ONLY: Final = frozenset({FaultKind.STORED_ERROR_BEFORE, FaultKind.STORED_ERROR_AFTER})
"""Kinds of Stripe's idempotency layer; nobody else stores an error for a key."""

RATE_LIMITS: Final = frozenset(kind for kind in BEFORE if kind.value.startswith("rate_limited"))
ABSURD_WAIT: Final = "99999999999"
"""Three thousand years, which somebody's gateway will say some day."""


class Fault(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A fault for the next ``times`` requests of an operation (``*`` is any), after letting ``skip`` of them pass.

    With an ``account``, as the book names it, only that caller's requests count. ``retry_after_seconds`` is what a 429
    says about waiting; not given, ``rate_limited`` says nothing, and the kinds that name a number or a date say 1.
    """

    provider: str
    kind: FaultKind
    operation: str = ANY
    account: str = ANY
    times: int = 1
    skip: int = 0
    retry_after_seconds: float | None = None
    hold_seconds: float = 30.0

    def __post_init__(self) -> None:
        if not (0 < self.times <= FAULTS_MAX and 0 <= self.skip <= FAULTS_MAX):
            message = f"expected 1 to {FAULTS_MAX} times and 0 to {FAULTS_MAX} skipped"
            raise ValueError(message)

    def retry_after(self) -> str | None:
        """Return the value of ``Retry-After``, ``None`` for none."""
        seconds = 1.0 if self.retry_after_seconds is None else self.retry_after_seconds
        match self.kind:
            case FaultKind.RATE_LIMITED_ABSURD:
                return ABSURD_WAIT
            case FaultKind.RATE_LIMITED_DATE:
                return format_datetime(wall_clock() + timedelta(seconds=seconds), usegmt=True)
            case FaultKind.RATE_LIMITED_SECONDS:
                return f"{seconds:g}"
            case _:
                return None if self.retry_after_seconds is None else f"{self.retry_after_seconds:g}"

    def matches(self, provider: str, operation: str, account: str) -> bool:
        """Tell whether a request is one that this fault is meant for."""
        is_operation = self.operation in {ANY, operation}
        return self.provider == provider and is_operation and self.account in {ANY, account}


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

    def take(self, provider: str, operation: str, account: str) -> Fault | None:
        """Return the fault for this request, if the first one that matches has no skips left, and count it."""
        for place, fault in enumerate(self._pending):
            if not fault.matches(provider, operation, account):
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
