"""What an execution reached: no law holds for want of trouble.

Owns: the situations that a step can be in, by what is open for it, and the count of each (situation, event) pair, fact,
command, fault and ending.
Does not know: floors; those who run many seeds state them.
"""

from __future__ import annotations

from collections import Counter
from typing import Final, get_args

from remit.core.commands import (
    AwaitApproval,
    AwaitMessage,
    AwaitRetry,
    AwaitSettlement,
    AwaitTimer,
    CallTool,
    Command,
)
from remit.core.events import (
    ActionFailed,
    ActionIntended,
    ActionRefused,
    ActionSucceeded,
    ActionSuspended,
    ActionUnknown,
    ApprovalVoided,
    EffectResolved,
    Event,
)
from remit.core.facts import Fact
from remit.core.state import RunState
from remit.core.states import RunStatus
from remit.testing.simulator.dice import Fault

SITUATIONS: Final = (
    "unsubmitted", "calling", "intending", "asking", "approved", "retrying", "retrying_unknown", "asking_unknown",
    "parked", "timing", "listening", "expecting", "passed", "stopping_call", "stopping_ask", "stopping_parked",
    "completed", "failed_for_good", "cancelled",
)  # fmt: skip
"""Where a step can stand when an event comes; the last three are of the whole run."""

EVENTS: Final = tuple(kind.__name__ for kind in get_args(Event))
FACTS: Final = tuple(kind.__name__ for kind in get_args(Fact))
COMMANDS: Final = tuple(kind.__name__ for kind in get_args(Command))
PAIRS: Final = tuple(f"{situation}/{event}" for situation in SITUATIONS for event in EVENTS)

_OF_RUN: Final = {
    RunStatus.PENDING: "unsubmitted",
    RunStatus.COMPLETED: "completed",
    RunStatus.FAILED: "failed_for_good",
    RunStatus.CANCELLED: "cancelled",
}
_AIMED: Final = (
    ActionSucceeded, ActionFailed, ActionRefused, ActionUnknown, ApprovalVoided, EffectResolved,
)  # fmt: skip


class Tally:
    """Counts of one execution, or of many."""

    def __init__(self) -> None:
        self.faults: Counter[str] = Counter()
        self.pairs: Counter[str] = Counter()
        self.facts: Counter[str] = Counter()
        self.commands: Counter[str] = Counter()
        self.endings: Counter[str] = Counter()
        self.turns_most = 0
        """Most turns that a run took to come to rest once faults had stopped."""

    def add(self, other: Tally) -> None:
        """Add another's counts."""
        for name in ("faults", "pairs", "facts", "commands", "endings"):
            getattr(self, name).update(getattr(other, name))
        self.turns_most = max(self.turns_most, other.turns_most)

    def count_event(self, state: RunState, event: Event) -> None:
        """Count an event that is about to be decided on, for each situation that it meets."""
        name = type(event).__name__
        for situation in situations_of(state, event):
            self.pairs[f"{situation}/{name}"] += 1

    def lacking(self, *, faults_min: int, pairs_min: int, facts_min: int) -> dict[str, int]:
        """Return whatever was reached less often than it should have been."""
        floors = (
            (self.faults, [fault.value for fault in Fault], faults_min),
            (self.pairs, PAIRS, pairs_min),
            (self.facts, FACTS, facts_min),
            (self.commands, COMMANDS, facts_min),
        )
        return {name: counts[name] for counts, names, floor in floors for name in names if counts[name] < floor}


def situations_of(state: RunState, event: Event) -> list[str]:
    """Return the situation of the step that an event is aimed at; of every step, if it is aimed at the run."""
    whole = _OF_RUN.get(state.status)
    if whole is not None:
        return [whole]
    step = _target(event)
    steps = list(state.steps) if step is None else [step]
    return sorted({situation for step in steps if (situation := situation_of(state, step)) is not None})


def _target(event: Event) -> str | None:
    match event:
        case ActionSuspended():
            return event.request.step
        case ActionIntended():
            return event.intent.step
        case _ if isinstance(event, _AIMED):
            return event.step
        case _:
            return None


def situation_of(state: RunState, step: str) -> str | None:
    """Return where a step stands, or ``None`` if it has not begun."""
    if step not in state.steps:
        return None
    command = state.open.get((step, 1))
    is_doubtful = state.steps[step].effect == "unknown"
    match command:
        case None:
            return "passed"
        case CallTool():
            return _of_call(state, command)
        case AwaitApproval():
            return "stopping_ask" if state.is_stopping else "asking_unknown" if is_doubtful else "asking"
        case AwaitRetry():
            return "retrying_unknown" if is_doubtful else "retrying"
        case AwaitSettlement():
            return "stopping_parked" if state.is_stopping else "parked"
        case AwaitTimer():
            return "timing"
        case AwaitMessage():
            return "listening" if command.source == "signal" else "expecting"


def _of_call(state: RunState, call: CallTool) -> str:
    if state.is_stopping:
        return "stopping_call"
    if call.intent is not None:
        return "intending"
    return "calling" if call.approval is None else "approved"
