"""The notifier port: telling one subscriber of one message.

Owns: ``Notifier``, what it gets and what it answers.
Does not know: the outbox, or when to try again.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal, Protocol

import msgspec


class Notification(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt to deliver one message.

    ``message_id`` and ``body`` are the same at every attempt, ``sent_at`` is this one's. ``secrets`` sign, every one of
    them: the first is the newest. ``allows_loopback`` permits a receiver on this machine.
    """

    message_id: str
    body: bytes
    sent_at: datetime
    url: str
    secrets: tuple[str, ...]
    allows_loopback: bool = False

    def __repr__(self) -> str:
        return f"<notification {self.message_id}>"


class NotifyOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """What became of an attempt.

    ``result`` is ``delivered``, ``failed`` (try again later) or ``refused`` (trying again cannot help). ``reason`` is a
    stable code such as ``HTTP_500`` or ``TIMED_OUT``; ``retry_after_seconds`` is what the receiver asked for.
    """

    result: Literal["delivered", "failed", "refused"]
    reason: str | None = None
    retry_after_seconds: float | None = None


class Notifier(Protocol):
    """How subscribers are told."""

    async def notify(self, notification: Notification) -> NotifyOutcome:
        """Tell one subscriber once, within a bounded time. Never raises for what the subscriber does."""
        ...
