"""decide: how a run begins, which steps follow from which, and how it ends well."""

import msgspec

from remit.core.decide import advance
from remit.core.definition import Definition, ToolStep
from remit.core.facts import Fact, OutboxMessage, RunCompleted, RunFailed, StepCompleted, StepFailed, StepStarted
from remit.core.limits import Policy
from remit.core.state import RunState, state_hash
from remit.core.states import RunStatus, StepStatus
from remit.testing.definitions import define, fan_out, sequence, skip_chain, tool_step
from remit.testing.events import submitted, succeeded
from remit.testing.rehearsal import RUN_ID, TENANT_ID, Rehearsal


def names(facts: list[Fact]) -> list[str]:
    return [type(fact).__name__ for fact in facts]


def test_run_begins_with_every_step_that_depends_on_nothing() -> None:
    """
    Submitting starts all roots in document order, within one decision.
    """
    run = Rehearsal.of(define(tool_step("b"), tool_step("a"), tool_step("c", "a")))

    assert ["RunStarted", "StepStarted", "StepStarted"] == names(run.facts)
    assert ["b", "a"] == [command.step for command in run.open]
    assert RunStatus.RUNNING is run.state.status


def test_run_is_submitted_once() -> None:
    """
    A second submission has no facts, whoever it names.
    """
    run = Rehearsal.of(define(tool_step("a")))

    assert [] == run.send(submitted(run.program, principal_id="somebody-else"))
    assert "operator" == run.state.principal_id


def test_run_without_principal_is_submitted_once_too() -> None:
    """
    What makes a run begun is its first fact, not a name in it.
    """
    run = Rehearsal(define(tool_step("a")))
    run.send(submitted(run.program, principal_id=""))

    assert [] == run.send(submitted(run.program, principal_id=""))


def test_run_that_was_not_submitted_does_not_end() -> None:
    """
    A deadline that comes before the first event completes nothing, not even a run without steps.
    """
    run = Rehearsal(define())

    assert [] == run.wait(1_000)
    assert RunStatus.PENDING is run.state.status


def test_definition_without_steps_completes_at_once() -> None:
    """
    Nothing to do is done.
    """
    run = Rehearsal.of(define(output={"n": "${{ input.n }}"}), {"n": 2})

    assert ["RunStarted", "RunCompleted"] == names(run.facts)
    assert {"n": 2} == run.state.output


def test_finishing_a_step_starts_the_next_in_one_decision() -> None:
    """
    The end of one step and the start of its follower are one append, so no crash comes between them.
    """
    run = Rehearsal.of(sequence(2, arguments={"from": "${{ input }}"}), 7)

    facts = run.send(succeeded(run.call("s1")))

    assert ["StepCompleted", "StepStarted"] == names(facts)
    assert b'{"from":7}' == run.call("s2").arguments


def test_join_waits_for_all_branches() -> None:
    """
    A step starts when the last of its dependencies is finished, and then once.
    """
    run = Rehearsal.of(define(tool_step("a"), tool_step("b"), tool_step("join", "a", "b", "a")))

    first = run.send(succeeded(run.call("b")))
    second = run.send(succeeded(run.call("a")))

    assert ["StepCompleted"] == names(first)
    assert ["StepCompleted", "StepStarted"] == names(second)


def test_last_step_completes_the_run_with_its_output() -> None:
    """
    The run's output is computed from its steps, within the decision that ends it.
    """
    definition = define(tool_step("a"), output={"id": "${{ steps.a.output.id }}", "who": "${{ run.principal }}"})
    run = Rehearsal.of(definition)

    facts = run.send(succeeded(run.call("a"), {"id": "x-1"}))

    assert RunCompleted(output={"id": "x-1", "who": "operator"}) == facts[-1]
    assert RunStatus.COMPLETED is run.state.status
    assert () == run.open


def test_output_that_cannot_be_computed_fails_the_run() -> None:
    """
    A run whose output does not evaluate failed, although each of its steps went well.
    """
    run = Rehearsal.of(define(tool_step("a"), output="${{ steps.a.output.absent }}"))

    last = run.send(succeeded(run.call("a"), {}))[-1]

    assert isinstance(last, RunFailed)
    assert ("EVALUATION_FAILED", None) == (last.reason, last.step)
    assert StepStatus.COMPLETED is run.state.steps["a"].status


def test_output_that_cannot_be_hashed_fails_the_run() -> None:
    """
    An output without canonical form, such as an integer that other readers would round, is refused in time.
    """
    run = Rehearsal.of(define(tool_step("a"), output="${{ 9007199254740993 }}"))

    last = run.send(succeeded(run.call("a")))[-1]

    assert isinstance(last, RunFailed)
    assert "OUTPUT_INVALID" == last.reason
    assert "9007199254740993" in last.message


def test_false_condition_skips_the_step_and_satisfies_its_followers() -> None:
    """
    A skipped dependency is satisfied: whoever depends on it goes on.
    """
    definition = define(tool_step("a", condition="input.wanted"), tool_step("b", "a"))
    run = Rehearsal.of(definition, {"wanted": False})

    assert ["RunStarted", "StepSkipped", "StepStarted"] == names(run.facts)
    assert {"status": "skipped", "output": None} == run.state.results["a"]
    assert "b" == run.call("b").step


def test_condition_that_fails_to_evaluate_fails_the_step() -> None:
    """
    In doubt a step does not run: an error in its condition is its failure.
    """
    run = Rehearsal.of(define(tool_step("a", condition="input.absent")), {})

    assert ["RunStarted", "StepFailed", "RunFailed"] == names(run.facts)
    assert RunStatus.FAILED is run.state.status


def test_arguments_that_fail_to_evaluate_fail_the_step() -> None:
    """
    A template that does not evaluate is a failure of its step, before anything was called.
    """
    run = Rehearsal.of(define(tool_step("a", arguments={"x": "${{ steps.later.output }}"})))

    failure = run.facts[1]
    assert isinstance(failure, StepFailed)
    assert ("a", "EVALUATION_FAILED") == (failure.step, failure.reason)
    assert 0 == run.state.usage.tool_calls


def test_arguments_without_canonical_form_fail_the_step() -> None:
    """
    What is sent is canonical, or nothing is sent.
    """
    run = Rehearsal.of(define(tool_step("a", arguments={"x": "${{ 9007199254740993 }}"})))

    failure = run.facts[1]
    assert isinstance(failure, StepFailed)
    assert "CANONICAL_INVALID" == failure.reason


def test_oversized_arguments_fail_the_step() -> None:
    """
    Arguments over the limit are refused before the call, with both sizes.
    """
    policy = Policy(arguments_bytes_max=20)
    run = Rehearsal.of(define(tool_step("a", arguments={"x": "${{ input }}"})), "y" * 30, policy=policy)

    failure = run.facts[1]
    assert isinstance(failure, StepFailed)
    assert "SCHEMA_INVALID" == failure.reason
    assert "20 bytes, got 38" in failure.message


def test_arguments_are_fixed_as_canonical_bytes() -> None:
    """
    The journal holds the very bytes that are checked, approved and sent: keys sorted, no white space.
    """
    run = Rehearsal.of(define(tool_step("a", arguments={"z": 1, "a": "${{ input.n }}"})), {"n": 1.0})

    started = run.facts[1]
    assert isinstance(started, StepStarted)
    assert b'{"a":1,"z":1}' == bytes(started.arguments) == run.call("a").arguments


def test_output_mapping_sees_the_call_and_the_run() -> None:
    """
    A mapping may use the call's result beside everything that the run knows.
    """
    step = mapped({"id": "${{ output.id }}", "order": "${{ input.order }}"})
    run = Rehearsal.of(define(step), {"order": "o-1"})

    completed = run.send(succeeded(run.call("a"), {"id": "x"}))[0]

    assert isinstance(completed, StepCompleted)
    assert {"id": "x", "order": "o-1"} == completed.output == run.state.results["a"]["output"]


def test_mapping_that_fails_keeps_the_call_on_record() -> None:
    """
    The call happened: when only its mapping fails, the result stays, and says so.
    """
    run = Rehearsal.of(define(mapped({"id": "${{ output.absent }}"})))

    completed = run.send(succeeded(run.call("a"), {"id": "x"}))[0]

    assert isinstance(completed, StepCompleted)
    assert isinstance(completed.output, dict)
    assert {"id": "x"} == completed.output["output"]
    assert "absent" in str(completed.output["mapping_error"])


def test_mapping_without_canonical_form_keeps_the_call_on_record() -> None:
    """
    A mapped value that cannot be hashed is treated like one that cannot be computed.
    """
    run = Rehearsal.of(define(mapped({"id": "${{ 9007199254740993 }}"})))

    completed = run.send(succeeded(run.call("a"), {"id": "x"}))[0]

    assert isinstance(completed, StepCompleted)
    assert isinstance(completed.output, dict)
    assert {"id": "x"} == completed.output["output"]
    assert RunStatus.COMPLETED is run.state.status


def mapped(mapping: dict[str, object]) -> ToolStep:
    return msgspec.structs.replace(tool_step("a"), output_mapping=mapping)


def test_what_a_step_publishes_is_part_of_its_completion() -> None:
    """
    A call's messages are in the fact that completes its step, also when the output is mapped; the state has none.
    """
    publication = (OutboxMessage(topic="orders.paid", body={"order": 7}, destinations=("warehouse",)),)
    definition = define(msgspec.structs.replace(tool_step("a"), output_mapping={"number": "${{ output.order }}"}))
    run, silent = Rehearsal.of(definition), Rehearsal.of(definition)

    (completed, _) = run.send(succeeded(run.call("a"), {"order": 7}, outbox=publication))
    silent.send(succeeded(silent.call("a"), {"order": 7}))

    assert isinstance(completed, StepCompleted)
    assert ({"number": 7}, publication) == (completed.output, completed.outbox)
    assert state_hash(silent.state) == state_hash(run.state)


def test_message_of_a_late_outcome_is_not_published() -> None:
    """
    An outcome that comes twice publishes once.
    """
    run = Rehearsal.of(define(tool_step("a")))
    event = succeeded(run.call("a"), outbox=(OutboxMessage(topic="orders.paid"),))
    run.send(event)

    assert [] == run.send(event)


def test_long_skip_chain_is_one_decision_without_recursion() -> None:
    """
    Ten thousand skipped steps in a row are folded within one decision; the stack does not grow with them.
    """
    run = Rehearsal.of(skip_chain(10_000))

    assert 10_002 == len(run.facts)
    assert ["StepSkipped", "RunCompleted"] == names(run.facts[-2:])


def test_wide_fan_out_is_one_decision() -> None:
    """
    Ten thousand steps that depend on nothing start together.
    """
    run = Rehearsal.of(fan_out(10_000))

    assert 10_000 == len(run.open) == run.state.acting_count


def test_instants_never_run_backwards() -> None:
    """
    A decision with an earlier clock than the one before it is dated like that one.
    """
    run = Rehearsal.of(define(tool_step("a")))
    before = run.state.last_us
    advance(run.state, succeeded(run.call("a")), now_us=before - 5_000_000)

    assert before == run.state.last_us


def test_run_states_of_one_program_share_nothing_that_changes() -> None:
    """
    Two runs of one definition do not see each other.
    """
    first = Rehearsal.of(define(tool_step("a"), tool_step("b", "a")))
    other = RunState(first.program, tenant_id=TENANT_ID, run_id=RUN_ID)
    first.send(succeeded(first.call("a")))

    assert {} == other.steps == other.results
    assert {"a": 0, "b": 1} == other.remaining


def test_step_numbers_count_steps_that_began() -> None:
    """
    Skipped steps, and those that failed before they began, do not count against the bounds.
    """
    definition: Definition = define(
        tool_step("a", condition="false"),
        tool_step("b", arguments={"x": "${{ input.absent }}"}, on_failure="continue"),
        tool_step("c", "a", "b"),
    )
    run = Rehearsal.of(definition, {})

    assert 1 == run.call("c").step_number == run.state.usage.steps
