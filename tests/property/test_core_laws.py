"""The laws of the core, for random definitions under random schedules.

The oracle below knows facts only: it shares no code with decide, evolve or outstanding.
"""

import os
import random
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given, settings

from remit.core import commands, facts
from remit.core.decide import decide
from remit.core.definition import Definition, ToolStep
from remit.core.events import Event
from remit.core.evolve import apply_fact, evolve, evolve_many
from remit.core.facts import Fact, decode_facts, encode_facts
from remit.core.outstanding import outstanding
from remit.core.state import RunState, project_state, state_hash
from remit.core.states import RunStatus
from remit.testing.definitions import PAY_TOOL
from tests.property.strategies import FAULTS, POLICY, RandomRun, journals_digest, played, random_runs

ROOT = Path(__file__).resolve().parents[2]
SEEDS_PER_BLOCK = 250
BLOCKS = range(6)
TERMINAL = (facts.RunCompleted, facts.RunFailed, facts.RunCancelled)
STARTS = (facts.StepStarted, facts.TimerStarted, facts.WaitStarted)
FINISHES = (facts.StepCompleted, facts.StepFailed, facts.StepSkipped)


class Oracle:
    """What is begun and not resolved, by the words of the facts alone: descriptions by (step, slot), oldest first."""

    def __init__(self) -> None:
        self.open: dict[tuple[str, int], tuple[object, ...]] = {}
        self.arguments: dict[str, bytes] = {}
        self.attempts: dict[str, int] = {}
        self.intents: dict[str, int | None] = {}
        self.approvals: dict[str, str | None] = {}

    def hear(self, fact: Fact) -> None:
        hear = getattr(self, f"_{type(fact).__name__}", None)
        if hear is not None:
            hear(fact)
        elif isinstance(fact, TERMINAL):
            self.open.clear()
        elif isinstance(fact, FINISHES):
            self.open.pop((fact.step, 1), None)

    def _call(self, step: str, slot: int = 1) -> None:
        self._begin(step, slot, self._call_of(step))

    def _call_of(self, step: str) -> tuple[object, ...]:
        approval, intent = self.approvals.get(step), self.intents.get(step)
        return ("call", step, self.attempts[step], self.arguments[step], intent, approval)

    def _begin(self, step: str, slot: int, what: tuple[object, ...]) -> None:
        self.open.pop((step, slot), None)
        self.open[step, slot] = what

    def _StepStarted(self, fact: facts.StepStarted) -> None:  # noqa: N802 - named like the fact
        self.arguments[fact.step], self.attempts[fact.step] = bytes(fact.arguments), 1
        self._call(fact.step)

    def _AttemptStarted(self, fact: facts.AttemptStarted) -> None:  # noqa: N802
        self.attempts[fact.step] = fact.attempt
        self._call(fact.step)

    def _IntentRecorded(self, fact: facts.IntentRecorded) -> None:  # noqa: N802
        self.intents[fact.step] = fact.attempt
        self.open[fact.step, fact.slot] = self._call_of(fact.step)

    def _ApprovalRequested(self, fact: facts.ApprovalRequested) -> None:  # noqa: N802
        self.approvals[fact.step] = None
        self._begin(fact.step, fact.slot, ("approval", fact.step, fact.approval_id, fact.expires_us))

    def _ApprovalGiven(self, fact: facts.ApprovalGiven) -> None:  # noqa: N802
        self.approvals[fact.step] = fact.approval_id
        self._call(fact.step, fact.slot)

    def _ApprovalDenied(self, fact: facts.ApprovalDenied) -> None:  # noqa: N802
        self.open.pop((fact.step, fact.slot))

    def _ApprovalExpired(self, fact: facts.ApprovalExpired) -> None:  # noqa: N802
        self.open.pop((fact.step, fact.slot))

    def _ApprovalWithdrawn(self, fact: facts.ApprovalWithdrawn) -> None:  # noqa: N802
        self.approvals[fact.step] = None
        if self.open[fact.step, fact.slot][0] == "call":
            self.open[fact.step, fact.slot] = self._call_of(fact.step)
        else:
            self.open.pop((fact.step, fact.slot))

    def _AttemptFailed(self, fact: facts.AttemptFailed) -> None:  # noqa: N802
        self._begin(fact.step, 1, ("retry", fact.step, fact.attempt + 1, fact.retry_us))

    def _EffectParked(self, fact: facts.EffectParked) -> None:  # noqa: N802
        self._begin(fact.step, fact.slot, ("settlement", fact.step, fact.reason))

    def _EffectSettled(self, fact: facts.EffectSettled) -> None:  # noqa: N802
        self.open.pop((fact.step, fact.slot))
        if fact.outcome == "absent":
            self.attempts[fact.step] += 1
            self.intents[fact.step] = None
            self._call(fact.step, fact.slot)

    def _TimerStarted(self, fact: facts.TimerStarted) -> None:  # noqa: N802
        self._begin(fact.step, 1, ("timer", fact.step, fact.due_us))

    def _WaitStarted(self, fact: facts.WaitStarted) -> None:  # noqa: N802
        wait = ("message", fact.step, fact.source, fact.name, fact.correlation, fact.due_us)
        self._begin(fact.step, 1, wait)


def described(command: commands.Command) -> tuple[object, ...]:
    """Return a command in the oracle's words."""
    match command:
        case commands.CallTool():
            intent = None if command.intent is None else command.intent.attempt
            approval = None if command.approval is None else command.approval.approval_id
            return ("call", command.step, command.attempt, command.arguments, intent, approval)
        case commands.AwaitApproval():
            return ("approval", command.step, command.approval_id, command.due_us)
        case commands.AwaitRetry():
            return ("retry", command.step, command.attempt, command.due_us)
        case commands.AwaitTimer():
            return ("timer", command.step, command.due_us)
        case commands.AwaitMessage():
            return ("message", command.step, command.source, command.name, command.correlation, command.due_us)
        case commands.AwaitSettlement():
            return ("settlement", command.step, command.reason)


def check_outstanding(run: RandomRun) -> None:
    """For every prefix, what is outstanding equals what was begun and not resolved."""
    oracle, state = Oracle(), beginning(run)
    for fact in run.facts:
        apply_fact(state, fact)
        oracle.hear(fact)
        assert list(oracle.open.values()) == [described(command) for command in outstanding(state)], fact
        assert is_status_right(state), (state.status, fact)


def is_status_right(state: RunState) -> bool:
    """A run that has something open is running while a call is in flight, else waiting."""
    acting = any(isinstance(command, commands.CallTool) for command in outstanding(state))
    right = RunStatus.RUNNING if acting else RunStatus.WAITING
    assert acting is bool(state.acting_count)
    return not state.open or state.status is right


def beginning(run: RandomRun) -> RunState:
    return RunState(run.run.program, tenant_id=run.state.tenant_id, run_id=run.state.run_id)


def check_end(run: RandomRun) -> None:
    """At most one terminal fact, nothing after it, and no command."""
    ends = [index for index, fact in enumerate(run.facts) if isinstance(fact, TERMINAL)]

    assert ends in ([], [len(run.facts) - 1])
    assert run.state.is_terminal is bool(ends)
    assert not (ends and run.run.open)


def check_steps(run: RandomRun) -> None:
    """A step begins at most once, after all it depends on; ends at most once; and has ended when the run is done."""
    steps = {step.id: step for step in run.definition.steps}
    started: set[str] = set()
    finished: set[str] = set()
    for fact in run.facts:
        if isinstance(fact, STARTS):
            assert fact.step not in started | finished
            assert set(steps[fact.step].depends_on) <= finished
            started.add(fact.step)
        elif isinstance(fact, FINISHES):
            assert fact.step not in finished
            assert set(steps[fact.step].depends_on) <= finished
            finished.add(fact.step)
    if isinstance(run.facts[-1], facts.RunCompleted):
        assert finished == set(steps)


def check_stopping(run: RandomRun) -> None:
    """Once a run stops, nothing new begins, save what may have had an effect; the first reason is that of its end."""
    stopped_by: Fact | None = None
    doubtful: set[str] = set()
    for fact, following in zip(run.facts, [*run.facts[1:], None], strict=True):
        if stopped_by is not None:
            assert not isinstance(fact, STARTS), fact
            assert not isinstance(fact, facts.AttemptStarted) or fact.step in doubtful
            if reopens(fact) and fact.step not in doubtful:
                assert isinstance(following, facts.StepFailed)
                assert following.step == fact.step
        note_doubt(doubtful, fact)
        if stopped_by is None and stops(run.definition, fact):
            stopped_by = fact
    if run.state.is_terminal and stopped_by is not None:
        is_cancelled = isinstance(stopped_by, facts.CancelRequested)
        assert (RunStatus.CANCELLED if is_cancelled else RunStatus.FAILED) is run.state.status


def reopens(fact: Fact) -> bool:
    """Whether a fact makes a call go on that was waited for."""
    if isinstance(fact, facts.EffectSettled):
        return fact.outcome == "absent"
    return isinstance(fact, facts.ApprovalGiven)


def stops(definition: Definition, fact: Fact) -> bool:
    if isinstance(fact, facts.StepFailed):
        return any(step.id == fact.step and step.on_failure == "fail" for step in definition.steps)
    return isinstance(fact, facts.CancelRequested)


def note_doubt(doubtful: set[str], fact: Fact) -> None:
    """Keep the set of steps whose effect may have happened, and that nobody has cleared up."""
    if isinstance(fact, facts.EffectParked) or (isinstance(fact, facts.AttemptFailed) and fact.effect == "unknown"):
        doubtful.add(fact.step)
    elif isinstance(fact, facts.StepCompleted | facts.EffectSettled):
        doubtful.discard(fact.step)


def check_doubt(run: RandomRun) -> None:
    """An effect that may have happened is never forgotten: its step does not fail, and its run does not end, before."""
    doubtful: set[str] = set()
    for fact in run.facts:
        assert not (isinstance(fact, facts.StepFailed) and fact.step in doubtful), fact
        assert not (isinstance(fact, TERMINAL) and doubtful), fact
        note_doubt(doubtful, fact)


def check_attempts(run: RandomRun) -> None:
    """Attempts are numbered without gaps and never exceed what policy, recovery and people allow."""
    attempts: Counter[str] = Counter()
    settled: Counter[str] = Counter()
    doubted: set[str] = set()
    for fact in run.facts:
        if isinstance(fact, facts.StepStarted | facts.AttemptStarted):
            attempts[fact.step] += 1
            assert attempts[fact.step] + settled[fact.step] == getattr(fact, "attempt", 1)
        elif isinstance(fact, facts.EffectSettled) and fact.outcome == "absent":
            settled[fact.step] += 1
        note_doubt(doubted, fact)
    for step in run.definition.steps:
        if isinstance(step, ToolStep):
            most = max(step.retry.attempts_max, POLICY.recovery_attempts_max)
            assert attempts[step.id] <= (most if ever_doubted(run, step.id) else step.retry.attempts_max)
    calls = sum(attempts.values()) + sum(settled.values())
    assert calls == run.state.usage.tool_calls


def ever_doubted(run: RandomRun, step: str) -> bool:
    return any(
        isinstance(fact, facts.AttemptFailed) and (fact.step, fact.effect) == (step, "unknown") for fact in run.facts
    )


def check_approvals(run: RandomRun) -> None:
    """A gated call acts only under an approval of the digest that was last asked about, given after it was asked."""
    gated = {step.id for step in run.definition.steps if isinstance(step, ToolStep) and step.tool == PAY_TOOL}
    asked: dict[str, str] = {}
    given: dict[str, str] = {}
    for fact in run.facts:
        match fact:
            case facts.ApprovalRequested():
                asked[fact.step] = fact.digest
                given.pop(fact.step, None)
            case facts.ApprovalGiven():
                assert asked[fact.step] == fact.digest
                given[fact.step] = fact.digest
            case facts.ApprovalWithdrawn() | facts.ApprovalDenied() | facts.ApprovalExpired():
                given.pop(fact.step, None)
            case facts.IntentRecorded() if fact.step in gated:
                assert given[fact.step] == asked[fact.step]
            case facts.StepCompleted() if fact.step in gated and fact.receipt is not None:
                assert given[fact.step] == asked[fact.step]
            case _:
                pass


def check_instants(run: RandomRun) -> None:
    """Instants never run backwards, and nothing that is waited for is over before its time."""
    assert sorted(run.instants) == run.instants
    due: dict[str, int] = {}
    for fact, at_us in zip(run.facts, run.instants, strict=True):
        match fact:
            case facts.AttemptFailed():
                due[fact.step] = fact.retry_us
            case facts.TimerStarted():
                due[fact.step] = fact.due_us
            case facts.AttemptStarted():
                assert due.pop(fact.step) <= at_us
            case facts.StepCompleted() if fact.step in due:
                assert due.pop(fact.step) <= at_us
            case _:
                pass


def check_messages(run: RandomRun) -> None:
    """A message is recorded once and taken at most once, after it was recorded."""
    received = [fact.message_id for fact in run.facts if isinstance(fact, facts.MessageReceived)]
    taken = [
        fact.message_id
        for fact in run.facts
        if isinstance(fact, facts.StepCompleted | facts.StepFailed) and fact.message_id is not None
    ]

    assert len(set(received)) == len(received)
    assert len(set(taken)) == len(taken)
    assert set(taken) <= set(received)
    if not run.state.is_terminal:
        assert [message.message_id for message in run.state.messages] == [m for m in received if m not in taken]


def check_replay(run: RandomRun) -> None:
    """What was stored folds to the live state: same projection, same hash, same commands."""
    replayed = beginning(run)
    for entry in run.run.entries:
        for fact in decode_facts(encode_facts(entry)):
            apply_fact(replayed, fact)

    assert project_state(run.state) == project_state(replayed)
    assert state_hash(run.state) == state_hash(replayed)
    assert outstanding(run.state) == outstanding(replayed)


LAWS = {
    law.__name__: law
    for law in (
        check_outstanding,
        check_end,
        check_steps,
        check_stopping,
        check_doubt,
        check_attempts,
        check_approvals,
        check_instants,
        check_messages,
        check_replay,
    )
}


@pytest.mark.parametrize("block", BLOCKS)
def test_laws_hold_under_any_schedule(block: int) -> None:
    """
    Every law holds during the trouble and after it, and every run ends once all answers are delivered.
    """
    for seed in range(block * SEEDS_PER_BLOCK, (block + 1) * SEEDS_PER_BLOCK):
        run = played(random.Random(seed))
        for law in LAWS.values():
            with_seed(law, run, seed)
        run.finish()
        assert run.state.is_terminal, f"seed {seed}: {run.run.open}"
        for law in LAWS.values():
            with_seed(law, run, seed)


def with_seed(law, run: RandomRun, seed: int) -> None:
    try:
        law(run)
    except Exception as error:
        error.add_note(f"{law.__name__}, seed {seed}")
        raise


@settings(max_examples=60)
@given(run=random_runs())
def test_laws_hold_in_the_smallest_run(run: RandomRun) -> None:
    """
    The same laws, in runs that are shrunk to their smallest when one is broken.
    """
    for law in LAWS.values():
        law(run)
    run.finish()
    assert run.state.is_terminal
    for law in LAWS.values():
        law(run)


def test_random_runs_reach_everything() -> None:
    """
    No law holds for want of trouble: each event, fact, command and fault occurs, and each kind of end.
    """
    reached: Counter[str] = Counter()
    for seed in range(200):
        run = played(random.Random(seed))
        reached.update(run.reached)
        reached.update(type(command).__name__ for command in run.run.open)
    unions = (*get_args(Event), *get_args(Fact), *get_args(commands.Command))
    expected = {kind.__name__ for kind in unions} | set(FAULTS)

    assert {} == {name: reached[name] for name in expected if reached[name] < 5}


@pytest.mark.parametrize("seed", range(20))
def test_decide_changes_nothing_and_answers_the_same(seed: int) -> None:
    """
    decide leaves its argument as it was, gives the same facts each time, and those that advance folds in place.
    """
    run = played(random.Random(seed))
    state = beginning(run)
    again = run.__class__(random.Random(seed))
    for event in run.run.events:
        before = repr(project_state(state)), state.last_us, list(state.open), list(state.fresh)
        first = decide(state, event, policy=POLICY, now_us=again.run.now_us)
        second = decide(state, event, policy=POLICY, now_us=again.run.now_us)

        assert before == (repr(project_state(state)), state.last_us, list(state.open), list(state.fresh))
        assert encode_facts(list(first.facts)) == encode_facts(list(second.facts))
        state = evolve_many(state, first.facts)


@pytest.mark.parametrize("seed", range(20))
def test_folding_at_once_equals_folding_one_by_one(seed: int) -> None:
    """
    For every prefix, evolve_many gives the state that evolve gives fact by fact.
    """
    run = played(random.Random(seed), steps_max=8, events_max=30)
    stepwise = start = beginning(run)
    for count, fact in enumerate(run.facts, start=1):
        stepwise = evolve(stepwise, fact)
        at_once = evolve_many(start, run.facts[:count])

        assert project_state(stepwise) == project_state(at_once)
        assert outstanding(stepwise) == outstanding(at_once)


def test_journals_are_the_same_in_another_process() -> None:
    """
    The same seeds give the same journals, byte for byte, whatever the process's seed of hashing.
    """
    script = "from tests.property.strategies import journals_digest; print(journals_digest(range(30)))"
    digests = {
        subprocess.run(
            [sys.executable, "-c", script],
            check=True,
            capture_output=True,
            text=True,
            cwd=ROOT,
            env={"PYTHONHASHSEED": hash_seed, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])},
        ).stdout.strip()
        for hash_seed in ("0", "1", "4242")
    }

    assert {journals_digest(range(30))} == digests
