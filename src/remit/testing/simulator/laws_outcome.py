"""The law of known outcomes: a scenario that says how it must end, ends so.

Owns: what the schedule leaves open (a cancellation that came in time, which of two failures came first) and what it
does not. Does not know: how the expected outcome was found.
"""

from __future__ import annotations

from remit.core import facts
from remit.core.outstanding import outstanding
from remit.testing.simulator.dice import Fault
from remit.testing.simulator.execution import Record
from remit.testing.simulator.laws_journal import FINISHES, Findings
from remit.testing.simulator.scenario import Ending, Expected


def check_outcome(record: Record) -> Findings:
    """A known scenario ends as it must: each step, and the run."""
    expected = record.scenario.expected
    if expected is None or _is_undetermined(record):
        return
    stopped = _stopped_at(record)
    for index, fact in enumerate(record.facts):
        if isinstance(fact, FINISHES):
            yield from _check_ending(
                fact, expected.endings[fact.step], is_stopping=stopped is not None and index > stopped
            )
    yield from _check_run(record, expected)


def _check_run(record: Record, expected: Expected) -> Findings:
    end = record.facts[-1] if record.facts else None
    match end:
        case facts.RunCancelled():
            if not record.is_cancelled:
                yield "the run was cancelled, and nobody asked for it"
        case facts.RunFailed(step=None):
            if expected.output_reason != end.reason or expected.fatal:
                yield f"the run failed on its output: {end!r}"
        case facts.RunFailed():
            if end.step not in expected.fatal:
                yield f"{end.step} must not fail the run"
        case facts.RunCompleted():
            yield from _check_completion(record, expected, end)
        case _:
            yield f"the run did not end: {[type(command).__name__ for command in outstanding(record.state)]}"


def _check_completion(record: Record, expected: Expected, end: facts.RunCompleted) -> Findings:
    is_meant = not expected.fatal and expected.output_reason is None
    if not is_meant or _without_message(end.output) != expected.output:
        yield f"the run completed with {end.output!r} instead of {expected.output!r}"
    missing = set(expected.endings) - {fact.step for fact in record.facts if isinstance(fact, FINISHES)}
    if missing:
        yield f"{sorted(missing)} never ended"


def _is_undetermined(record: Record) -> bool:
    """Whether a worker slept through a call without effect, which then had no attempt left."""
    return Fault.STALL in record.fired and any(
        isinstance(fact, facts.StepFailed) and fact.reason == "TIMED_OUT" for fact in record.facts
    )


def _stopped_at(record: Record) -> int | None:
    fatal = {step.id for step in record.scenario.program.definition.steps if step.on_failure == "fail"}
    for index, fact in enumerate(record.facts):
        is_failure = isinstance(fact, facts.StepFailed) and fact.step in fatal
        if is_failure or isinstance(fact, facts.CancelRequested):
            return index
    return None


def _check_ending(
    fact: facts.StepCompleted | facts.StepFailed | facts.StepSkipped, ending: Ending, *, is_stopping: bool
) -> Findings:
    match fact:
        case facts.StepCompleted():
            if ending.status != "completed" or _without_message(fact.output) != ending.output:
                yield f"{fact.step} completed with {fact.output!r} instead of {ending!r}"
        case facts.StepFailed():
            is_right = ending.status == "failed" and fact.reason in ending.reasons
            if not is_stopping and not is_right:
                yield f"{fact.step} failed for {fact.reason} ({fact.message}) instead of {ending!r}"
        case facts.StepSkipped():
            if ending.status != "skipped":
                yield f"{fact.step} was skipped instead of {ending!r}"


def _without_message(output: object) -> object:
    """Return an output in which error messages, which are for people, are left out."""
    if not isinstance(output, dict):
        return output
    return {key: "…" if key == "mapping_error" else _without_message(value) for key, value in output.items()}
