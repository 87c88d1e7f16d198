"""Holds: who fails again and again is left alone, ever longer, until anything else is heard."""

import pytest

from remit.ids import TenantId
from remit.ports.outbox import OutboxPlace
from remit.runtime.holds import FAILURES_FREE, PLACES_MAX, SECONDS_MAX, Holds
from tests.unit.runtime.clocks import MovedClock

PLACE = OutboxPlace(tenant_id=TenantId("acme"), destination="warehouse")
OTHER = OutboxPlace(tenant_id=TenantId("acme"), destination="ledger")


@pytest.fixture
def clock() -> MovedClock:
    return MovedClock()


@pytest.fixture
def holds(clock: MovedClock) -> Holds:
    return Holds(clock, seconds_initial=1.0)


def fail(holds: Holds, times: int, place: OutboxPlace = PLACE) -> None:
    for _ in range(times):
        holds.failed(place)


def test_first_failures_hold_nothing(holds: Holds) -> None:
    """
    A failure or two may be the message's fault.
    """
    fail(holds, FAILURES_FREE)

    assert [] == holds.current()
    assert holds.seconds_to_next() is None


def test_each_further_failure_doubles_the_pause(holds: Holds, clock: MovedClock) -> None:
    """
    One second, two, four, and so on, at most a minute.
    """
    fail(holds, FAILURES_FREE)
    pauses = []
    for _ in range(9):
        holds.failed(PLACE)
        pauses.append(holds.seconds_to_next())
        clock.advance(SECONDS_MAX)

    assert [1, 2, 4, 8, 16, 32, 60, 60, 60] == pauses


def test_hold_ends_with_its_time(holds: Holds, clock: MovedClock) -> None:
    """
    A held subscriber is one until its pause is over; others are not affected.
    """
    fail(holds, FAILURES_FREE + 1)
    fail(holds, 1, OTHER)

    before = holds.current()
    clock.advance(1.0)

    assert ([PLACE], []) == (before, holds.current())
    assert holds.seconds_to_next() is None


def test_any_answer_ends_a_hold(holds: Holds) -> None:
    """
    Who answered is trusted again, with all failures free.
    """
    fail(holds, 8)
    holds.answered(PLACE)
    fail(holds, FAILURES_FREE)

    assert [] == holds.current()


def test_memory_is_bounded(holds: Holds) -> None:
    """
    However many subscribers fail, only so many are remembered.
    """
    for number in range(PLACES_MAX + 10):
        place = OutboxPlace(tenant_id=TenantId("acme"), destination=str(number))
        fail(holds, FAILURES_FREE + 1, place)

    assert PLACES_MAX == len(holds.current())
