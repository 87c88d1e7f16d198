"""The cost of a fact does not grow with the run that it belongs to.

Work is counted, not timed: calls made by Python and C, and elements looked at when a container of the state is walked.
"""

import sys
from collections.abc import Callable, Iterator
from types import FrameType

import pytest

from remit.core.definition import Definition, SignalStep
from remit.core.evolve import apply_fact
from remit.core.facts import Fact
from remit.core.outstanding import outstanding
from remit.core.state import RunState
from remit.testing.definitions import define, fan_out, sequence, skip_chain, tool_step
from remit.testing.events import failed, submitted, succeeded
from remit.testing.rehearsal import Rehearsal

SMALL, LARGE = 1_000, 10_000
LAST = 100
GROWTH_MAX = 1.02
"""Step ids are longer in long runs, and what is trimmed now and then is trimmed at another step."""


class Walked(dict):
    """A dictionary that counts the elements that are visited when somebody walks it."""

    count = 0

    def __iter__(self) -> Iterator:
        return self._walk(super().__iter__())

    def keys(self):
        return self._walk(super().keys())

    def values(self):
        return self._walk(super().values())

    def items(self):
        return self._walk(super().items())

    @staticmethod
    def _walk(elements) -> Iterator:
        for element in elements:
            Walked.count += 1
            yield element


def work_of(act: Callable[[], None]) -> int:
    """Return the calls made and the elements walked during an act."""
    calls = 0

    def count(frame: FrameType, event: str, argument: object) -> None:
        nonlocal calls
        calls += event in {"call", "c_call"}

    before = Walked.count
    sys.setprofile(count)
    try:
        act()
    finally:
        sys.setprofile(None)
    return calls + Walked.count - before


def watched(definition: Definition) -> Rehearsal:
    """Return a run whose state counts every walk over what grows with its steps."""
    run = Rehearsal(definition)
    watch(run.state)
    return run


def watch(state: RunState) -> RunState:
    for name in ("open", "steps", "results", "remaining"):
        setattr(state, name, Walked(getattr(state, name)))
    return state


def succeed_each(run: Rehearsal, step_id: str) -> None:
    """Let a step's call succeed."""
    run.send(succeeded(run.call(step_id), {"n": 1}))


def fail_each(run: Rehearsal, step_id: str) -> None:
    """Let a step's call fail for good."""
    run.send(failed(run.call(step_id), retryable=False))


def passed_over(count: int) -> Definition:
    steps = (
        tool_step(f"s{number}", *([f"s{number - 1}"] if number > 1 else []), on_failure="continue")
        for number in range(1, count + 1)
    )
    return define(*steps)


def with_expressions(count: int) -> Definition:
    """Return a sequence in which each step asks about the one before, and uses its output."""
    first = tool_step("s1", arguments={"n": "${{ input.n }}"})
    rest = (
        tool_step(
            f"s{n}",
            f"s{n - 1}",
            condition=f"steps.s{n - 1}.status == 'completed'",
            arguments={"n": f"${{{{ steps.s{n - 1}.output.n }}}}"},
        )
        for n in range(2, count + 1)
    )
    return define(first, *rest)


PLAYS: dict[str, tuple[Callable[[int], Definition], Callable[[Rehearsal, str], None]]] = {
    "sequence": (sequence, succeed_each),
    "fan-out": (fan_out, succeed_each),
    "expressions": (with_expressions, succeed_each),
    "failures": (passed_over, fail_each),
}


@pytest.mark.parametrize("play", PLAYS)
def test_fact_costs_the_same_in_a_long_run(play: str) -> None:
    """
    What the last hundred steps cost to decide, and to fold again, does not depend on how many came before.
    """
    define_steps, act = PLAYS[play]
    deciding, folding = [], []
    for count in (SMALL, LARGE):
        run = watched(define_steps(count))
        run.send(submitted(run.program, {"n": 1}))
        for number in range(1, count - LAST):
            act(run, f"s{number}")
        facts_before = len(run.facts)
        rest = [f"s{number}" for number in range(count - LAST, count)]
        deciding.append(work_of(lambda run=run, rest=rest: [act(run, step_id) for step_id in rest]))

        replayed = watch(RunState(run.program, tenant_id=run.state.tenant_id, run_id=run.state.run_id))
        facts = run.facts
        for fact in facts[:facts_before]:
            apply_fact(replayed, fact)
        folding.append(work_of(lambda state=replayed, facts=facts[facts_before:]: fold(state, facts)))

    assert deciding[1] <= GROWTH_MAX * deciding[0]
    assert folding[1] <= GROWTH_MAX * folding[0]


def fold(state: RunState, facts: list[Fact]) -> None:
    for fact in facts:
        apply_fact(state, fact)


@pytest.mark.parametrize("define_steps", [fan_out, skip_chain])
def test_beginning_costs_the_same_per_step(define_steps: Callable[[int], Definition]) -> None:
    """
    One decision with ten thousand facts costs ten times one with a thousand.
    """
    costs = []
    for count in (SMALL, LARGE):
        run = watched(define_steps(count))
        event = submitted(run.program)
        costs.append(work_of(lambda run=run, event=event: run.send(event)) / len(run.facts))

    assert costs[1] <= GROWTH_MAX * costs[0]


def test_message_costs_what_waits_not_what_is_done() -> None:
    """
    Hearing a message in a run with ten thousand finished steps is as much work as in a fresh one.
    """
    definition = define(*sequence(LARGE).steps, SignalStep(id="w", signal="go"))
    fresh, long = watched(definition), watched(definition)
    fresh.send(submitted(fresh.program))
    long.send(submitted(long.program))
    for number in range(1, LARGE):
        succeed_each(long, f"s{number}")

    costs = [work_of(lambda run=run: run.signal("stop")) for run in (fresh, long)]

    assert abs(costs[1] - costs[0]) <= 2


def test_walks_are_counted() -> None:
    """
    The counter sees what it is there for: asking a wide run what is outstanding walks all of it.
    """
    run = watched(fan_out(100))
    run.send(submitted(run.program))
    state: RunState = run.state

    assert 100 <= work_of(lambda: outstanding(state)) <= 400
