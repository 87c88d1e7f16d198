"""One question for all who ask it at the same time.

Owns: joining callers whose answers would be the same. Does not know: what is asked, nor for how long an answer is good.

A cache alone does not do this: in the instant in which its value is too old, every call in flight would ask.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Generic, TypeVar

Key = TypeVar("Key")
Answer = TypeVar("Answer")


class SharedAnswers(Generic[Key, Answer]):
    """Asks at most once per key at a time."""

    def __init__(self) -> None:
        self._under_way: dict[Key, asyncio.Task[Answer]] = {}

    async def ask(self, key: Key, question: Callable[[], Coroutine[None, None, Answer]]) -> Answer:
        """Return the answer to the question that is under way for this key, or ask it.

        Concurrency: one caller's cancellation leaves the question to the others; its error is everybody's.
        """
        task = self._under_way.get(key)
        if task is None:
            task = self._under_way[key] = asyncio.create_task(question())
            task.add_done_callback(lambda done: self._end(key, done))
        return await asyncio.shield(task)

    def forget(self, key: Key) -> None:
        """Let the next caller ask anew: what is under way may be too old for it."""
        self._under_way.pop(key, None)

    def _end(self, key: Key, done: asyncio.Task[Answer]) -> None:
        if self._under_way.get(key) is done:
            del self._under_way[key]
        if not done.cancelled():
            done.exception()  # whoever still waits gets it; nobody else needs to hear of it
