"""A clock that tests move."""

from datetime import UTC, datetime, timedelta


class MovedClock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self._now = datetime(2026, 7, 1, 12, tzinfo=UTC)
        self._monotonic = 0.0

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return self._monotonic

    def observe(self, database_now: datetime) -> None:
        self._now = max(self._now, database_now)

    def advance(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)
        self._monotonic += seconds
