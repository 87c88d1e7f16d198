"""Holds: subscribers that are left alone for a moment because they failed again and again.

Owns: for how long. In memory and per process: what another process does not know yet it learns from its own failures.
Does not know: messages; those of a held subscriber stay due and go out when the hold ends.
"""

from __future__ import annotations

from typing import Final

from remit.clock import Clock
from remit.ports.outbox import OutboxPlace

FAILURES_FREE: Final = 2
"""Failures in a row that say more about messages than about their subscriber."""

SECONDS_MAX: Final = 60.0
"""What a subscriber that is back waits at most."""

PLACES_MAX: Final = 10_000


class Holds:
    """Which subscribers get nothing now. Each failure in a row doubles the pause; any answer ends it."""

    def __init__(self, clock: Clock, *, seconds_initial: float) -> None:
        self._clock = clock
        self._seconds_initial = seconds_initial
        self._failures: dict[OutboxPlace, int] = {}
        self._until: dict[OutboxPlace, float] = {}

    def failed(self, place: OutboxPlace) -> None:
        """Count a failure."""
        if len(self._failures) >= PLACES_MAX:
            self._failures.pop(next(iter(self._failures)))
        count = self._failures[place] = self._failures.pop(place, 0) + 1
        if count > FAILURES_FREE:
            doublings = min(count - FAILURES_FREE - 1, 10)
            self.hold(place, min(SECONDS_MAX, self._seconds_initial * 2**doublings))

    def answered(self, place: OutboxPlace) -> None:
        """Forget what was held against a subscriber."""
        self._failures.pop(place, None)
        self._until.pop(place, None)

    def hold(self, place: OutboxPlace, seconds: float) -> None:
        """Give a subscriber nothing for a while."""
        if len(self._until) >= PLACES_MAX:
            self._until.pop(next(iter(self._until)))
        self._until[place] = self._clock.monotonic() + seconds

    def current(self) -> list[OutboxPlace]:
        """Return the subscribers that are held now."""
        now = self._clock.monotonic()
        self._until = {place: until for place, until in self._until.items() if until > now}
        return list(self._until)

    def seconds_to_next(self) -> float | None:
        """Return the seconds until a hold ends, or ``None`` if there is none."""
        if not self._until:
            return None
        return max(0.0, min(self._until.values()) - self._clock.monotonic())
