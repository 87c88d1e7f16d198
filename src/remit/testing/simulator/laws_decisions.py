"""Laws of single decisions: what may follow from an event, whatever the state.

Owns: when an attempt may be followed by another and how long after, and which word of a person lets a call go on.
Does not know: the state that the decision was made in.
"""

from __future__ import annotations

from remit.core import events, facts
from remit.core.definition import ToolStep
from remit.testing.simulator.execution import Heard, Record
from remit.testing.simulator.laws_journal import Findings

ROUNDING_US = 2_000


def check_decisions(record: Record) -> Findings:
    """Another attempt follows only from a failure that may pass, after its pause; a call goes on only by a person's
    yes.
    """
    for heard in record.heard:
        match heard.event:
            case events.ActionFailed():
                yield from _check_retry(record, heard, heard.event)
                is_failed = any(isinstance(fact, facts.StepFailed) for fact in heard.facts)
                if is_failed and heard.is_doubtful and heard.event.effect != "absent":
                    yield f"{heard.event!r} fails a step whose effect may be there"
            case events.ApprovalDecided(decision="denied" | "expired"):
                if any(isinstance(fact, facts.ApprovalGiven) for fact in heard.facts):
                    yield f"{heard.event!r} let a call go on"
            case _:
                pass


def _check_retry(record: Record, heard: Heard, event: events.ActionFailed) -> Findings:
    failed = next((fact for fact in heard.facts if isinstance(fact, facts.AttemptFailed)), None)
    step = record.scenario.program.steps[event.step].step
    if failed is None or not isinstance(step, ToolStep):
        return
    retry = step.retry
    if not event.retryable:
        yield f"{event!r} is tried again"
    if event.effect != "unknown" and retry.reasons and event.reason not in retry.reasons:
        yield f"{event!r} is tried again, for none of {retry.reasons}"
    shortest_ms = min(retry.delay_max_ms, retry.delay_initial_ms * retry.multiplier ** (event.attempt - 1))
    asked_ms = event.retry_after_ms or 0
    pause_us = failed.retry_us - heard.at_us
    longest_ms = max(shortest_ms * (1 + retry.jitter_ratio), asked_ms)
    if not max(shortest_ms, asked_ms) * 1000 - ROUNDING_US <= pause_us <= longest_ms * 1000 + ROUNDING_US:
        yield f"{event.step} pauses {pause_us / 1000} ms after attempt {event.attempt}"
