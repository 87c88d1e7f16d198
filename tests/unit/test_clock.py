"""The database's clock, carried forward by this machine's monotonic one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from remit import clock
from remit.clock import DatabaseClock


@pytest.mark.parametrize("hours", [-1, 1])
def test_clock_follows_the_database_from_its_first_answer(hours: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A wall clock that is an hour off stands in until the database was heard, and leaves nothing behind.
    """
    right = datetime(2026, 7, 1, 12, tzinfo=UTC)

    class Wrong(datetime):
        @classmethod
        def now(cls, tz: object = None) -> datetime:
            return right + timedelta(hours=hours)

    monkeypatch.setattr(clock, "datetime", Wrong)
    followed = DatabaseClock()
    followed.now()

    followed.observe(right)

    assert timedelta(seconds=1) > abs(followed.now() - right)


def test_clock_never_goes_backwards_once_it_was_heard() -> None:
    """
    An answer that is older than what was told before moves nothing back.
    """
    followed, right = DatabaseClock(), datetime(2026, 7, 1, 12, tzinfo=UTC)
    followed.observe(right)
    told = followed.now()

    followed.observe(right - timedelta(seconds=5))

    assert told <= followed.now()
