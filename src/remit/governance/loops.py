"""Loops: the same sequence of calls over and over.

Owns: finding a repeated sequence at the end of a run's calls. Does not know: what a fingerprint is made of.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from remit.governance.verdicts import Refusal

PERIOD_MAX: Final = 8
"""Longest sequence looked for: agents that go round in circles do so in a few steps."""


class LoopEvidence(msgspec.Struct, frozen=True, kw_only=True):
    """A sequence of ``period`` calls that the run's calls end with, at least ``repeats`` times in a row."""

    period: int
    repeats: int
    sequence: tuple[str, ...]


def detect_loop(fingerprints: Sequence[str], *, repeats_max: int, period_max: int = PERIOD_MAX) -> LoopEvidence | None:
    """Find the shortest sequence that the calls end with more than ``repeats_max`` times in a row.

    A sequence of ``p`` calls repeats ``r`` times exactly if each of the last ``p * (r - 1)`` calls equals the one ``p``
    before it. Comparing from the end stops at the first difference, so calls that do not repeat cost one comparison for
    each period.

    Args:
        fingerprints: One text per call, oldest first; equal texts mean equal calls.
        repeats_max: How often a sequence may repeat; zero forbids every call.
        period_max: Longest sequence looked for.
    """
    count = len(fingerprints)
    for period in range(1, min(period_max, count // (repeats_max + 1)) + 1):
        wanted = period * repeats_max
        for index in range(count - 1, count - 1 - wanted, -1):
            if fingerprints[index] != fingerprints[index - period]:
                break
        else:
            return LoopEvidence(
                period=period, repeats=repeats_max + 1, sequence=tuple(fingerprints[count - period : count])
            )
    return None


def check_loop(fingerprints: Sequence[str], *, repeats_max: int) -> Refusal | None:
    """Refuse the call that the calls end with if it makes a loop."""
    loop = detect_loop(fingerprints, repeats_max=repeats_max)
    if loop is None:
        return None
    return Refusal(
        stage="loop",
        code="LOOP_DETECTED",
        message=f"expected a sequence of calls at most {repeats_max} times in a row, got {loop.repeats} times the same "
        f"{loop.period}; change the arguments, or allow more repeats in the bounds",
        evidence={"period": loop.period, "repeats": loop.repeats, "sequence": list(loop.sequence)},
    )
