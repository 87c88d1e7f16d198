"""The only reader of clocks in Python.

Owns: monotonic time, and the conversion of the database's instant plus elapsed monotonic time into "now".
Does not know: who asks. Everything persisted or compared between processes uses the database's clock.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """What the runtime may know about time."""

    def now(self) -> datetime:
        """Return the database's instant as last heard plus elapsed monotonic time; aware, UTC."""
        ...

    def monotonic(self) -> float:
        """Return seconds that only grow; its zero means nothing."""
        ...

    def observe(self, database_now: datetime) -> None:
        """Take the instant that a reply of the database carried."""
        ...


class DatabaseClock:
    """The database's clock, carried forward by this machine's monotonic one; never backwards once it was heard."""

    __slots__ = ("_anchor", "_anchor_monotonic", "_has_heard", "_last")

    def __init__(self) -> None:
        # Until the first reply arrives nothing is persisted, so the local wall clock may stand in.
        self._anchor = datetime.now(UTC)
        self._anchor_monotonic = time.monotonic()
        self._last = self._anchor
        self._has_heard = False

    def now(self) -> datetime:
        """Return the current instant; at least as late as any instant returned before."""
        elapsed = timedelta(seconds=time.monotonic() - self._anchor_monotonic)
        instant = max(self._anchor + elapsed, self._last)
        self._last = instant
        return instant

    def monotonic(self) -> float:
        """Return the machine's monotonic seconds."""
        return time.monotonic()

    def observe(self, database_now: datetime) -> None:
        """Re-anchor on the database's instant."""
        if not self._has_heard:
            # The wall clock stood in until now; one that is ahead must not hold back the database's for hours.
            self._has_heard, self._last = True, database_now
        self._anchor = database_now
        self._anchor_monotonic = time.monotonic()


def wall_clock() -> datetime:
    """Return this machine's wall clock; for display and signature windows only, never persisted."""
    return datetime.now(UTC)


def monotonic() -> float:
    """Return this machine's monotonic seconds; for measuring only."""
    return time.monotonic()
