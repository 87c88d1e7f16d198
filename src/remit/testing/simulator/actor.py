"""The actor under watch: it tells what it heard and decided, and is made to hear what it should not heed.

Owns: hearing things again (echo) and things that were never meant for the run (stray), where neither may change it.
Does not know: what is right; ``watch`` is told everything.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final, Protocol

from remit.core.commands import AwaitApproval, AwaitSettlement, CallTool
from remit.core.events import (
    ActionFailed,
    ActionIntended,
    ActionRefused,
    ActionSucceeded,
    ActionSuspended,
    ActionUnknown,
    ApprovalDecided,
    ApprovalVoided,
    CancelAsked,
    DeadlineReached,
    EffectResolved,
    Event,
    MessageArrived,
    RunSubmitted,
)
from remit.core.facts import Fact
from remit.core.outstanding import outstanding
from remit.core.state import CommandKey, RunState, state_hash
from remit.core.states import RunStatus
from remit.ports.store import Append
from remit.runtime.actor import RunActor
from remit.testing.events import failed, intended, lost, refused, succeeded, suspended
from remit.testing.simulator.coverage import situation_of
from remit.testing.simulator.dice import Dice, Fault

HEARD_MAX: Final = 60
STRANGE_MESSAGES_MAX: Final = 3
_RARE: Final = frozenset(
    {
        "approved", "asking", "asking_unknown", "parked", "retrying_unknown", "stopping_ask", "stopping_call",
        "stopping_parked",
    }
)  # fmt: skip
"""Situations in which runs are seldom and not for long: nonsense looks for them."""
_RAREST: Final = frozenset({"approved", "asking_unknown", "parked", "stopping_ask", "stopping_parked"})
"""The rarest of them."""
_STRANGER: Final = "00000000-0000-4000-8000-00000000dead"


class Watch(Protocol):
    """Who is told."""

    dice: Dice
    heard: list[Event]

    def on_event(self, state: RunState, event: Event) -> None:
        """Hear of an event before it is decided on."""
        ...

    def on_decided(self, state: RunState, event: Event, facts: list[Fact]) -> None:
        """Hear what was decided."""
        ...

    def on_heeded(self, event: Event, facts: list[Fact]) -> None:
        """Hear that something was decided on an event that means nothing to the run."""
        ...

    def on_sealed(self, actor: RunActor, append: Append) -> None:
        """Hear how the live state stands as an entry is made of it."""
        ...


class WatchedActor(RunActor):
    """The actor of a simulated worker. ``watch`` is set once, by the worker that it belongs to."""

    watch: Watch

    def handle(self, event: Event, *, now: datetime) -> bool:
        """Decide as the kernel does, and let the watch know; then hear nonsense, if there is some."""
        dice = self.watch.dice
        if isinstance(event, RunSubmitted):
            self._hear_before_it_begins(now)
        if not isinstance(event, DeadlineReached) and dice.strikes(Fault.SKEW):
            now -= timedelta(seconds=dice.pause(5.0))
        facts = self._decide(event, now)
        if len(self.watch.heard) < HEARD_MAX:
            self.watch.heard.append(event)
        self._hear_nonsense(now)
        return bool(facts)

    def _hear_before_it_begins(self, now: datetime) -> None:
        dice = self.watch.dice
        self._hear_nonsense(now)
        if dice.strikes(Fault.EARLY_MESSAGE, eagerness=2.0):
            self._decide(MessageArrived(source="signal", name="unheard-of", message_id="early"), now)
        if dice.strikes(Fault.EARLY_CANCEL, eagerness=4.0):
            self._decide(CancelAsked(requested_by="operator", reason="before it began"), now)

    def _decide(self, event: Event, now: datetime) -> list[Fact]:
        self.watch.on_event(self.state, event)
        before = len(self._pending)
        super().handle(event, now=now)
        facts = self._pending[before:]
        self.watch.on_decided(self.state, event, facts)
        return facts

    def _hear_nonsense(self, now: datetime) -> None:
        dice = self.watch.dice
        if self.watch.heard and dice.strikes(Fault.ECHO):
            self._hear_in_vain(dice.rng.choice(self.watch.heard), now)
        rare = [step for step in self.state.steps if situation_of(self.state, step) in _RARE]
        rarest = [step for step in rare if situation_of(self.state, step) in _RAREST]
        if dice.strikes(Fault.STRAY, eagerness=20.0 if rarest else 4.0 if rare else 1.0):
            self._hear_strays(_some_step(self.state, dice, rarest or rare), now)
        is_worth_it = rarest or (rare and self.state.acting_count)
        if is_worth_it and not self.state.is_stopping and dice.strikes(Fault.CANCEL, eagerness=20.0 if rarest else 1.0):
            self._decide(CancelAsked(requested_by="operator", reason="just now"), now)
            self._hear_strays(dice.rng.choice(rarest or rare), now)

    def _hear_strays(self, step: str, now: datetime) -> None:
        for event in strays(self.state, step=step):
            self._hear_in_vain(event, now)
        if len(self.state.messages) < STRANGE_MESSAGES_MAX and not self.state.is_terminal:
            message_id = f"strange:{self.state.last_us}"
            self._decide(MessageArrived(source="signal", name="unheard-of", message_id=message_id), now)

    def _hear_in_vain(self, event: Event, now: datetime) -> None:
        """Hear something that may change nothing, unless it happens to be what the run waits for."""
        if is_expected(self.state, event):
            return
        facts = self._decide(event, now)
        if facts and not isinstance(event, DeadlineReached):
            self.watch.on_heeded(event, facts)

    def seal(self, *, may_release: bool) -> tuple[Append, list[CommandKey]]:
        """Make an entry, and let the watch compare."""
        append, dispatchable = super().seal(may_release=may_release)
        self.watch.on_sealed(self, append)
        return append, dispatchable

    def hear_after_the_end(self, now: datetime) -> None:
        """Hear one event of each kind after the run ended."""
        for event in strays(self.state, step=next(iter(self.state.program.steps))):
            self.watch.dice.fired[Fault.STRAY] += 1
            self._hear_in_vain(event, now)

    def fingerprint(self) -> tuple[str, str]:
        """Return the state's hash and what is outstanding, as text."""
        return state_hash(self.state), repr(outstanding(self.state))


def is_expected(state: RunState, event: Event) -> bool:
    """Whether a run in this state may rightly heed the event, by what is open and nothing else."""
    if state.is_terminal:
        return False
    match event:
        case ActionSucceeded() | ActionFailed() | ActionRefused() | ActionUnknown():
            return _is_in_flight(state, event.step, event.slot, event.attempt)
        case ActionSuspended() | ActionIntended():
            return _is_wanted(state, event)
        case ApprovalDecided() | ApprovalVoided() | EffectResolved():
            return _is_asked(state, event)
        case MessageArrived():
            is_held = any(held.message_id == event.message_id for held in state.messages)
            return not is_held and event.message_id not in state.taken
        case CancelAsked():
            return not state.is_stopping
        case RunSubmitted():
            return state.status is RunStatus.PENDING
        case DeadlineReached():
            return False


def _is_wanted(state: RunState, event: ActionSuspended | ActionIntended) -> bool:
    """Whether a call that is in flight may still ask, or still say what it is about to do."""
    if isinstance(event, ActionSuspended):
        request = event.request
        asked = state.steps[request.step].asked if request.step in state.steps else ()
        is_new = request.approval_id not in asked
        return is_new and _is_in_flight(state, request.step, request.slot, request.attempt)
    intent = event.intent
    known = state.steps[intent.step].intent if intent.step in state.steps else None
    is_new = known is None or known.attempt < intent.attempt
    return is_new and _is_in_flight(state, intent.step, intent.slot, intent.attempt)


def _is_asked(state: RunState, event: ApprovalDecided | ApprovalVoided | EffectResolved) -> bool:
    """Whether somebody waits for this word of a person."""
    if isinstance(event, ApprovalDecided):
        awaited = [command for command in state.open.values() if isinstance(command, AwaitApproval)]
        return any(command.approval_id == event.approval_id for command in awaited)
    command = state.open.get((event.step, event.slot))
    if isinstance(event, EffectResolved):
        return isinstance(command, AwaitSettlement)
    approval = command.approval if isinstance(command, CallTool) else None
    return approval is not None and approval.approval_id == event.approval_id


def _is_in_flight(state: RunState, step: str, slot: int, attempt: int) -> bool:
    command = state.open.get((step, slot))
    return isinstance(command, CallTool) and command.attempt == attempt


def _some_step(state: RunState, dice: Dice, rare: list[str]) -> str:
    """Return a step, more often than not one that stands where few do, or else one that waits."""
    waiting = rare or [step for (step, _), command in state.open.items() if not isinstance(command, CallTool)]
    return dice.rng.choice(waiting if waiting and dice.rng.random() < 0.7 else list(state.program.steps))


def strays(state: RunState, *, step: str) -> list[Event]:
    """Return one event of each kind, aimed at a step, that says something which is not so."""
    known = state.steps.get(step)
    command = state.open.get((step, 1))
    attempt = 1 if known is None else known.attempt
    if isinstance(command, CallTool):
        attempt += 7
    call = CallTool(
        step=step, attempt=attempt, slot=1, arguments=b"{}", call_number=1, call_number_of_tool=1, step_number=1
    )
    message = state.messages[0].message_id if state.messages else next(iter(sorted(state.taken)), "")
    return [
        RunSubmitted(definition_digest="", policy_digest="", principal_id="stranger", input=None, bounds=state.bounds),
        succeeded(call, {"stray": True}),
        failed(call, "STRAY"),
        refused(call, "STRAY"),
        suspended(call, _STRANGER),
        intended(call, tool="stray"),
        lost(call, "STRAY"),
        ApprovalDecided(approval_id=_STRANGER, decision="approved", digest="0" * 64, decided_by="stranger"),
        ApprovalVoided(step=step, slot=1, approval_id=_STRANGER, reason="stray"),
        MessageArrived(source="signal", name="stray", message_id=message),
        EffectResolved(step=step, slot=1, outcome="absent", decided_by="stranger"),
        CancelAsked(requested_by="stranger"),
        DeadlineReached(),
    ]
