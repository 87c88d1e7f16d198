"""Circuit breakers: when a dependency that fails is left alone, and how it is tried again.

Owns: the record of a breaker's configuration and state, and the arithmetic of both.
Does not know: which dependency it guards, where the state is kept, what time it is (``now_us`` is given).

    closed ── failure_threshold failures within failure_window_seconds ──▶ open
    open ── open_seconds later ──▶ half_open: half_open_calls_max calls may try
    half_open ── success_threshold successes ──▶ closed;  ── any failure ──▶ open

Calls that were let through in ``half_open`` and never report (their worker died) must not block for ever: after
``open_seconds`` without a verdict a new round of tries begins.
"""

from __future__ import annotations

from typing import Final, Literal

import msgspec

from remit.governance.verdicts import Refusal

BreakerStatus = Literal["closed", "open", "half_open"]

HALF_OPEN_RETRY_SECONDS: Final = 1.0
"""Pause offered while tries are under way: their outcome is near, but not known when."""

_MICROSECONDS: Final = 1_000_000


class BreakerConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When a breaker opens and closes. All values are positive; ``ValueError`` if not."""

    failure_threshold: int = 5
    failure_window_seconds: int = 60
    open_seconds: int = 30
    half_open_calls_max: int = 3
    success_threshold: int = 2

    def __post_init__(self) -> None:
        for name in self.__struct_fields__:
            value = getattr(self, name)
            if value < 1:
                raise ValueError(f"expected {name} of at least 1, got {value!r}; leave it out for the default")
        if self.success_threshold > self.half_open_calls_max:
            raise ValueError(
                f"expected success_threshold of at most half_open_calls_max ({self.half_open_calls_max}), "
                f"got {self.success_threshold!r}; the breaker could never close"
            )


class BreakerState(msgspec.Struct, frozen=True, kw_only=True):
    """Where a breaker stands; the default is a closed one without failures.

    ``window_started_us`` is when the counted failures began (closed) or this round of tries began (half open).
    ``half_open_calls`` counts the calls let through in this round. ``opened_us`` stays when the breaker closes: it
    tells which opening a state came after.
    """

    status: BreakerStatus = "closed"
    failure_count: int = 0
    success_count: int = 0
    window_started_us: int = 0
    opened_us: int = 0
    half_open_calls: int = 0


class Admission(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a call may go out. ``state`` is the one to keep: the same object if nothing changed."""

    allowed: bool
    state: BreakerState
    retry_after_seconds: float = 0.0


def admit(state: BreakerState, config: BreakerConfig, *, now_us: int) -> Admission:
    """Say whether a call may go out now; a try of a half-open breaker is counted in the returned state."""
    match state.status:
        case "closed":
            return Admission(allowed=True, state=state)
        case "open":
            remaining_us = state.opened_us + config.open_seconds * _MICROSECONDS - now_us
            if remaining_us > 0:
                return Admission(allowed=False, state=state, retry_after_seconds=remaining_us / _MICROSECONDS)
            return _begin_round(state, now_us)
        case "half_open":
            if state.half_open_calls < config.half_open_calls_max:
                counted = msgspec.structs.replace(state, half_open_calls=state.half_open_calls + 1)
                return Admission(allowed=True, state=counted)
            remaining_us = state.window_started_us + config.open_seconds * _MICROSECONDS - now_us
            if remaining_us > 0:
                pause = min(remaining_us / _MICROSECONDS, HALF_OPEN_RETRY_SECONDS)
                return Admission(allowed=False, state=state, retry_after_seconds=pause)
            return _begin_round(state, now_us)


def record_success(state: BreakerState, config: BreakerConfig, *, now_us: int) -> BreakerState:
    """Return the state after a call went well; while open, answers to earlier calls change nothing."""
    del now_us  # part of the signature so that both records read alike
    if state.status != "half_open":
        return state
    if state.success_count + 1 >= config.success_threshold:
        return BreakerState(opened_us=state.opened_us)
    return msgspec.structs.replace(state, success_count=state.success_count + 1)


def record_failure(state: BreakerState, config: BreakerConfig, *, now_us: int) -> BreakerState:
    """Return the state after the dependency failed. While open, late failures do not prolong the pause."""
    match state.status:
        case "open":
            return state
        case "half_open":
            return _open(state.failure_count + 1, now_us)
        case "closed":
            window_us = config.failure_window_seconds * _MICROSECONDS
            is_new_window = state.failure_count == 0 or now_us - state.window_started_us >= window_us
            count = 1 if is_new_window else state.failure_count + 1
            if count >= config.failure_threshold:
                return _open(count, now_us)
            started_us = now_us if is_new_window else state.window_started_us
            return BreakerState(failure_count=count, window_started_us=started_us, opened_us=state.opened_us)


def reconcile(local: BreakerState, stored: BreakerState | None) -> BreakerState:
    """Return the later of what this process knows and what was stored, perhaps by another one.

    A later opening wins; of the same opening, the state that is further on its way to closed; and of two rounds of
    tries the later, with the counts that are further. Of equal ones it is the local one, which counted failures since.
    """
    if stored is None or _progress(local) >= _progress(stored):
        return local
    return stored


def refuse_unavailable(dependency: str, admission: Admission) -> Refusal | None:
    """Return the refusal of a call that a breaker holds back, or ``None`` if it may go."""
    if admission.allowed:
        return None
    return Refusal(
        stage="breaker",
        code="DEPENDENCY_UNAVAILABLE",
        message=f"the breaker of {dependency} is {admission.state.status}; next try in "
        f"{admission.retry_after_seconds:.1f} s",
        evidence={"dependency": dependency, "status": admission.state.status},
        retry_after_seconds=admission.retry_after_seconds,
    )


def _progress(state: BreakerState) -> tuple[int, ...]:
    match state.status:
        case "open":
            return (state.opened_us, 0)
        case "half_open":
            return (state.opened_us, 1, state.window_started_us, state.half_open_calls, state.success_count)
        case "closed":
            return (state.opened_us, 2)


def _begin_round(state: BreakerState, now_us: int) -> Admission:
    tried = msgspec.structs.replace(
        state, status="half_open", success_count=0, half_open_calls=1, window_started_us=now_us
    )
    return Admission(allowed=True, state=tried)


def _open(failure_count: int, now_us: int) -> BreakerState:
    return BreakerState(status="open", failure_count=failure_count, opened_us=now_us)
