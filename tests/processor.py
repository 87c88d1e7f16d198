"""Processor time of a piece of work, for tests that bound it.

Owns: reading it so that a busy machine decides nothing. Does not know: how much is too much.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

ROUNDS: Final = 4


def least_seconds(work: Callable[[], object], *, enough: float = 0.0, rounds: int = ROUNDS) -> float:
    """Return the processor time of the fastest of some rounds; what a busy machine adds is no property of the work.

    Args:
        work: What is measured; it does the same each time.
        enough: No further round follows one that took at most so many seconds.
        rounds: How often the work is done at most.
    """
    seconds: list[float] = []
    while len(seconds) < rounds:
        begun = time.thread_time()
        work()
        seconds.append(time.thread_time() - begun)
        if seconds[-1] <= enough:
            break
    return min(seconds)
