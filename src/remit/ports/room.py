"""The room port: whether there is room for more work.

Owns: the question and its answer. Does not know: disks, SQL.
"""

from __future__ import annotations

from typing import Protocol

import msgspec


class RoomReport(msgspec.Struct, frozen=True, kw_only=True):
    """How much room there is. ``reason`` is empty while there is enough.

    ``free_bytes`` and ``reserve_bytes`` are ``None`` where the database's volume cannot be seen.
    """

    reason: str = ""
    free_bytes: int | None = None
    reserve_bytes: int | None = None

    @property
    def is_short(self) -> bool:
        """Whether nothing more is taken on."""
        return bool(self.reason)


class Room(Protocol):
    """Asked before work is taken on. What was taken on before may end."""

    def require(self) -> None:
        """Return if there is room.

        Raises:
            StoreReadOnlyError: there is none for now.
        """
        ...

    def look(self) -> RoomReport:
        """Return how much there is."""
        ...
