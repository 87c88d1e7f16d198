"""Breakers: their configuration, and the moves that the laws do not show by example."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from remit.governance.breaker import (
    BreakerConfig,
    BreakerState,
    admit,
    record_failure,
    record_success,
    refuse_unavailable,
)

CONFIG = BreakerConfig()
SECOND_US = 1_000_000


def failed(state: BreakerState, *, times: int, now_us: int = 0) -> BreakerState:
    for _ in range(times):
        state = record_failure(state, CONFIG, now_us=now_us)
    return state


@pytest.mark.parametrize(
    "changes",
    [{"failure_threshold": 0}, {"open_seconds": -1}, {"half_open_calls_max": 0}, {"success_threshold": 4}],
    ids=str,
)
def test_config_that_could_never_work_is_refused(changes: dict[str, int]) -> None:
    """
    A breaker that never opens, never closes or never tries is a mistake, also in stored configuration.
    """
    with pytest.raises(ValueError, match="expected"):
        BreakerConfig(**changes)
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(changes, BreakerConfig)


def test_breaker_goes_from_closed_over_open_and_half_open_to_closed() -> None:
    """
    Five failures open it, half a minute later it tries, and two successes close it with nothing remembered.
    """
    opened = failed(BreakerState(), times=5)
    refused = admit(opened, CONFIG, now_us=29 * SECOND_US)
    tried = admit(opened, CONFIG, now_us=30 * SECOND_US)
    once = record_success(tried.state, CONFIG, now_us=31 * SECOND_US)

    assert "open" == opened.status
    assert (False, 1.0) == (refused.allowed, refused.retry_after_seconds)
    assert (True, "half_open") == (tried.allowed, tried.state.status)
    assert "half_open" == once.status
    assert BreakerState() == record_success(once, CONFIG, now_us=32 * SECOND_US)  # it opened at zero


def test_failure_while_half_open_opens_again() -> None:
    """
    One failed try is enough to leave the dependency alone for another pause.
    """
    tried = admit(failed(BreakerState(), times=5), CONFIG, now_us=40 * SECOND_US).state

    again = record_failure(tried, CONFIG, now_us=41 * SECOND_US)

    assert ("open", 41 * SECOND_US) == (again.status, again.opened_us)


def test_breaker_without_change_returns_the_same_state() -> None:
    """
    The caller sees by identity that there is nothing to store.
    """
    closed = failed(BreakerState(), times=2)
    opened = failed(BreakerState(), times=5)

    assert closed is admit(closed, CONFIG, now_us=0).state
    assert closed is record_success(closed, CONFIG, now_us=0)
    assert opened is admit(opened, CONFIG, now_us=0).state
    assert opened is record_failure(opened, CONFIG, now_us=9)
    assert opened is record_success(opened, CONFIG, now_us=9)


def test_failures_outside_the_window_are_forgotten() -> None:
    """
    Four failures in one minute and one in the next do not open the breaker.
    """
    state = failed(failed(BreakerState(), times=4), times=1, now_us=60 * SECOND_US)

    assert ("closed", 1) == (state.status, state.failure_count)


def test_refusal_of_open_breaker_says_how_long_to_wait() -> None:
    """
    Who is held back learns by what, and for how long.
    """
    opened = failed(BreakerState(), times=5)
    refusal = refuse_unavailable("stripe", admit(opened, CONFIG, now_us=0))
    none: Any = refuse_unavailable("stripe", admit(BreakerState(), CONFIG, now_us=0))

    assert none is None
    assert refusal is not None
    assert ("breaker", "DEPENDENCY_UNAVAILABLE", 30.0) == (refusal.stage, refusal.code, refusal.retry_after_seconds)
