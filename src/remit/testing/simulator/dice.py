"""Faults, and the dice that say when they happen.

Owns: the kinds of faults, and one execution's luck. Each kind is switched on with a probability of its own for the
whole execution, and then strikes at each occasion as often as was drawn: executions in which one thing goes wrong all
the time find what executions with a little of everything do not.
Does not know: what a fault does.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable
from enum import StrEnum
from typing import Final


class Fault(StrEnum):
    """What can go wrong; the value is its name in reports and on the command line."""

    CRASH_BEFORE_APPEND = "crash-before-append"
    CRASH_AFTER_APPEND = "crash-after-append"
    CRASH_IN_CALL = "crash-in-call"
    CRASH_IDLE = "crash-idle"
    STALL = "stall"
    """A worker stops for longer than its lease, and goes on as if nothing had happened."""
    LOST_REPLY = "lost-reply"
    """The append is stored and its answer gets lost: it is sent again."""
    OUTAGE = "outage"
    NO_ROOM = "no-room"
    BUSY = "busy"
    CONFLICT = "conflict"
    LOST_CLAIM = "lost-claim"
    SLOW = "slow"
    SKEW = "skew"
    """A decision is given an instant some seconds in the past."""
    FAIL = "fail"
    """The provider says no for now, and did nothing."""
    RETRY_AFTER = "retry-after"
    LOST_REQUEST = "lost-request"
    LOST_ANSWER = "lost-answer"
    HANG = "hang"
    GARBAGE = "garbage"
    TOOL_CRASH = "tool-crash"
    LOOKUP_FAIL = "lookup-fail"
    ASK_AGAIN = "ask-again"
    """A person is asked before another attempt, although the one before may have had its effect."""
    BLUNT_NO = "blunt-no"
    """A final no is taken at its word, although the attempt before may have had its effect."""
    DUPLICATE_MESSAGE = "duplicate-message"
    ECHO = "echo"
    """A run hears something again that it heard before."""
    STRAY = "stray"
    """A run hears something that was never meant for it."""
    NOISE = "noise"
    """A message that nobody waits for."""
    EARLY_MESSAGE = "early-message"
    REORDER = "reorder"
    DOUBLE_DECISION = "double-decision"
    CHANGED_DIGEST = "changed-digest"
    """A person decides on something else than what would run."""
    LATE_DECISION = "late-decision"
    POLICY_CHANGE = "policy-change"
    EARLY_CANCEL = "early-cancel"
    """A run is cancelled before it was begun."""
    CANCEL = "cancel"
    PAUSE = "pause"
    """The tenant's kill switch, for a while."""
    REFUSE_SCOPE = "refuse-scope"
    """A policy that no longer permits a tool, for a while."""


ALL: Final = tuple(Fault)
"""Every kind of fault."""

OUTCOME_CHANGING: Final = frozenset({Fault.PAUSE, Fault.REFUSE_SCOPE})
"""Faults after which a run may rightly end otherwise than its definition and tools say."""

ON_PROBABILITY: Final = 0.25
CHANCES: Final = (0.01, 0.05, 0.1, 0.25)

_ODDS: Final = {
    Fault.CANCEL: 1.0, Fault.EARLY_CANCEL: 0.2, Fault.PAUSE: 0.3, Fault.REFUSE_SCOPE: 0.3, Fault.CONFLICT: 0.5,
    Fault.CRASH_IDLE: 0.5, Fault.STRAY: 2.0,
    Fault.ASK_AGAIN: 3.0, Fault.BLUNT_NO: 4.0, Fault.REORDER: 3.0, Fault.LATE_DECISION: 2.0, Fault.LOOKUP_FAIL: 2.0,
}  # fmt: skip
"""How much likelier than others a fault is switched on: less if it ends most runs, so that they get somewhere, and
more if there are few occasions for it."""


class Dice:
    """One execution's luck: a seed, and the faults that may strike.

    ``fired`` counts what really struck.
    """

    def __init__(self, seed: int, faults: Iterable[Fault] = ALL) -> None:
        self.rng = random.Random(seed)  # noqa: S311 - a seed is to be repeated, not to be a secret
        allowed = frozenset(faults)
        self._chances: dict[Fault, tuple[float, random.Random]] = {}
        for fault in Fault:
            # Drawn for every kind, each with a luck of its own: with fewer faults the others strike as they did.
            is_on, chance = self.rng.random() < ON_PROBABILITY * _ODDS.get(fault, 1.0), self.rng.choice(CHANCES)
            luck = self.rng.getrandbits(32)
            if is_on and fault in allowed:
                self._chances[fault] = chance, random.Random(luck)  # noqa: S311 - as above
        self.is_calm = False
        self.fired: Counter[str] = Counter()

    @property
    def faults(self) -> list[Fault]:
        """Return the faults that are switched on."""
        return list(self._chances)

    def strikes(self, fault: Fault, *, eagerness: float = 1.0) -> bool:
        """Say whether a fault happens at this occasion; ``eagerness`` multiplies its chance where occasions are few."""
        on = self._chances.get(fault)
        if on is None or self.is_calm or on[1].random() >= on[0] * eagerness:
            return False
        self.fired[fault] += 1
        return True

    def pause(self, seconds_max: float = 0.2) -> float:
        """Return some seconds that something takes."""
        return self.rng.random() * seconds_max
