"""Laws of the journal: its chain, its fence, its end, every prefix of it, and how steps and runs come to an end.

Owns: what must hold whatever a definition says. Does not know: the world outside.
"""

from __future__ import annotations

import hashlib
import hmac
import struct
from collections.abc import Iterator
from typing import Final

from remit.core import commands, facts
from remit.core.evolve import apply_fact
from remit.core.facts import Fact
from remit.core.outstanding import outstanding
from remit.core.state import RunState, state_hash
from remit.core.states import RUN_TRANSITIONS, STEP_TRANSITIONS, RunStatus, StepStatus
from remit.ports.store import AppendOutcome
from remit.runtime.rows import microseconds_of
from remit.testing.simulator.database import RUN_ID, SALT, TENANT_ID
from remit.testing.simulator.execution import Record
from remit.testing.simulator.reckoning import Reckoning, describe

TERMINAL: Final = (facts.RunCompleted, facts.RunFailed, facts.RunCancelled)
STARTS: Final = (facts.StepStarted, facts.TimerStarted, facts.WaitStarted)
FINISHES: Final = (facts.StepCompleted, facts.StepFailed, facts.StepSkipped)

Findings = Iterator[str]


def check_chain(record: Record) -> Findings:
    """Each entry's hash covers the one before it, its header and its payload; sequences have no gaps."""
    previous = record.database.genesis
    for number, entry in enumerate(record.entries, start=1):
        if entry.sequence != number:
            yield f"entry {entry.sequence} stands where {number} belongs"
        append = entry.append
        commitment = hmac.new(SALT, append.payload, "sha256").digest()
        texts = (append.tenant_id.encode(), append.run_id.encode(), append.kinds.encode())
        integers = (1, append.sequence, append.epoch, microseconds_of(append.at), append.fact_count)
        numbers = struct.pack(">qqqqqIII", *integers, *map(len, texts))
        expected = hashlib.sha256(
            b"remit.journal.entry.1\0" + previous + commitment + numbers + b"".join(texts)
        ).digest()
        if expected != append.hash or append.fact_count != len(entry.facts):
            yield f"entry {number} does not follow from the one before it"
        previous = append.hash


def check_fence(record: Record) -> Findings:
    """Nothing is stored under another epoch than the claim's, epochs never fall, and an end is the end."""
    highest = 0
    for stored in record.database.records:
        if stored.outcome is not AppendOutcome.APPLIED:
            continue
        if stored.append.epoch != stored.epoch_then:
            yield f"epoch {stored.append.epoch} wrote while {stored.epoch_then} owned the run"
        if stored.append.epoch < highest:
            yield f"epoch {stored.append.epoch} wrote after {highest}"
        highest = max(highest, stored.append.epoch)


def check_end(record: Record) -> Findings:
    """At most one terminal fact, nothing after it, nothing open; and the row says what the journal says."""
    journal = record.facts
    ends = [index for index, fact in enumerate(journal) if isinstance(fact, TERMINAL)]
    if ends not in ([], [len(journal) - 1]):
        yield f"terminal facts at {ends} of {len(journal)}"
    if bool(ends) is not record.state.is_terminal or (ends and record.state.open):
        yield "the state disagrees with the journal about the end"
    finished = record.database.finished_as
    if (finished is not None) is not bool(ends):
        yield "the head disagrees with the journal about the end"
    if finished is not None and (finished.status, finished.state_hash) != (
        record.state.status.value,
        state_hash(record.state),
    ):
        yield "the row of the result is not that of the journal"


def check_prefixes(record: Record) -> Findings:
    """For every prefix: replay gives the live state, and what is outstanding is what was begun and not resolved."""
    state = RunState(record.scenario.program, tenant_id=TENANT_ID, run_id=RUN_ID)
    reckoning = Reckoning()
    for entry in record.entries:
        for fact in entry.facts:
            before = _statuses(state, fact)
            apply_fact(state, fact)
            reckoning.hear(fact)
            yield from _check_moves(before, _statuses(state, fact), fact)
        described = [describe(command) for command in outstanding(state)]
        if list(reckoning.open.values()) != described:
            yield f"after entry {entry.sequence} {described} is open instead of {list(reckoning.open.values())}"
        live = record.live.get(entry.append.hash)
        if live != (state_hash(state), repr(outstanding(state))):
            yield f"entry {entry.sequence} folds to another state than its writer had"
        is_acting = any(isinstance(command, commands.CallTool) for command in outstanding(state))
        if state.open and state.status.value != ("running" if is_acting else "waiting"):
            yield f"after entry {entry.sequence} the run is {state.status}"
        if len(state.messages) > record.scenario.core_policy.messages_max:
            yield f"{len(state.messages)} messages are kept"


def _statuses(state: RunState, fact: Fact) -> tuple[RunStatus, StepStatus]:
    """Return where the run stands, and the step that a fact is about."""
    step = state.steps.get(getattr(fact, "step", None) or "")
    return state.status, StepStatus.PENDING if step is None else step.status


def _check_moves(before: tuple[RunStatus, StepStatus], after: tuple[RunStatus, StepStatus], fact: Fact) -> Findings:
    """Every move of a run and of a step is one of the tables."""
    if before[0] is not after[0] and after[0] not in RUN_TRANSITIONS[before[0]]:
        yield f"{fact!r} moves the run from {before[0]} to {after[0]}"
    if before[1] is not after[1] and after[1] not in STEP_TRANSITIONS[before[1]]:
        yield f"{fact!r} moves its step from {before[1]} to {after[1]}"


def check_kernel_faults(record: Record) -> Findings:
    """No fault of ours ends a step."""
    for fact in record.facts:
        if getattr(fact, "reason", "") == "KERNEL_FAULT":
            yield repr(fact)


def check_steps(record: Record) -> Findings:
    """A step begins at most once, after all it depends on; ends at most once; and has ended when the run is done."""
    steps = {step.id: step for step in record.scenario.program.definition.steps}
    begun: set[str] = set()
    finished: set[str] = set()
    for fact in record.facts:
        if isinstance(fact, STARTS + FINISHES):
            if not set(steps[fact.step].depends_on) <= finished:
                yield f"{fact.step} did not wait for what it depends on"
            if fact.step in (begun | finished if isinstance(fact, STARTS) else finished):
                yield f"{fact.step} begins or ends twice"
            (begun if isinstance(fact, STARTS) else finished).add(fact.step)
    journal = record.facts
    if journal and isinstance(journal[-1], facts.RunCompleted) and finished != set(steps):
        yield f"the run completed without {sorted(set(steps) - finished)}"


def check_stopping(record: Record) -> Findings:
    """A run that stops begins nothing new, save what may have had an effect; its first reason is that of its end."""
    fatal = {step.id for step in record.scenario.program.definition.steps if step.on_failure == "fail"}
    stopped: Fact | None = None
    doubtful: set[str] = set()
    journal = record.facts
    for fact, following in zip(journal, [*journal[1:], None], strict=False):
        if stopped is not None:
            begins = isinstance(fact, STARTS) or (isinstance(fact, facts.AttemptStarted) and fact.step not in doubtful)
            is_retried = (
                isinstance(fact, facts.AttemptFailed) and fact.effect != "unknown" and fact.step not in doubtful
            )
            if begins or is_retried or isinstance(fact, facts.IntentRecorded | facts.ApprovalRequested):
                yield f"{fact!r} although the run was stopping"
            if _reopens(fact, doubtful) and not isinstance(following, facts.StepFailed | facts.EffectParked):
                yield f"{fact!r} went on although the run was stopping"
        _note_doubt(doubtful, fact)
        is_failure = isinstance(fact, facts.StepFailed) and fact.step in fatal
        if stopped is None and (is_failure or isinstance(fact, facts.CancelRequested)):
            stopped = fact
    end = journal[-1] if journal else None
    if stopped is not None and isinstance(end, TERMINAL):
        wanted = facts.RunFailed if isinstance(stopped, facts.StepFailed) else facts.RunCancelled
        if not isinstance(end, wanted):
            yield f"stopped by {stopped!r}, ended by {end!r}"
        yield from _check_reason(stopped, end)


def _check_reason(stopped: Fact, end: Fact) -> Findings:
    """A run that a step failed ends with that step and its reason."""
    if not isinstance(end, facts.RunFailed) or not isinstance(stopped, facts.StepFailed):
        return
    if (end.step, end.reason) != (stopped.step, stopped.reason):
        yield f"failed by {stopped!r}, ended by {end!r}"


def _reopens(fact: Fact, doubtful: set[str]) -> bool:
    """Whether a fact makes a call go on that was waited for, and that cannot have had its effect."""
    if isinstance(fact, facts.EffectSettled):
        return fact.outcome == "absent"
    return isinstance(fact, facts.ApprovalGiven) and fact.step not in doubtful


def _note_doubt(doubtful: set[str], fact: Fact) -> None:
    """Keep the set of steps whose effect may have happened, and that nobody has cleared up."""
    match fact:
        case facts.EffectParked():
            doubtful.add(fact.step)
        case facts.AttemptFailed(effect="unknown"):
            doubtful.add(fact.step)
        case facts.StepCompleted() | facts.EffectSettled() | facts.AttemptFailed(effect="absent"):
            doubtful.discard(fact.step)
        case _:
            pass
