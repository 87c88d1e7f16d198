"""Laws of time and number: attempts and their pauses, bounds, instants, and messages that are taken once.

Owns: what is counted and what is waited for. Does not know: the world outside, save how many calls were sent to it.
"""

from __future__ import annotations

from collections import Counter
from typing import Final

from remit.core import facts
from remit.core.definition import ToolStep
from remit.runtime.rows import microseconds_of
from remit.testing.simulator.database import START
from remit.testing.simulator.dice import Fault
from remit.testing.simulator.execution import Record, StoredEntry
from remit.testing.simulator.laws_journal import Findings

LATE_US: Final = 60_000_000
PUNCTUAL_US: Final = 1_000_000
"""How late what is due may be where nothing goes wrong, whatever else the run is busy with."""

_HARMLESS: Final = frozenset(
    {Fault.STRAY, Fault.ECHO, Fault.NOISE, Fault.DUPLICATE_MESSAGE, Fault.EARLY_MESSAGE, Fault.DOUBLE_DECISION}
)

_TAKEOVERS: Final = frozenset(
    {
        Fault.CRASH_BEFORE_APPEND, Fault.CRASH_AFTER_APPEND, Fault.CRASH_IN_CALL, Fault.CRASH_IDLE, Fault.STALL,
        Fault.CONFLICT, Fault.LOST_CLAIM, Fault.OUTAGE,
    }
)  # fmt: skip


def check_attempts(record: Record) -> Findings:
    """Attempts are numbered without gaps, and never exceed what policy, recovery and people allow."""
    attempts: Counter[str] = Counter()
    settled: Counter[str] = Counter()
    doubted: set[str] = set()
    for fact in record.facts:
        match fact:
            case facts.StepStarted() | facts.AttemptStarted():
                attempts[fact.step] += 1
                number = attempts[fact.step] + settled[fact.step]
                if number != getattr(fact, "attempt", 1):
                    yield f"{fact!r} is attempt {number}"
            case facts.EffectSettled(outcome="absent"):
                settled[fact.step] += 1
            case facts.AttemptFailed(effect="unknown"):
                doubted.add(fact.step)
            case _:
                pass
    for step in record.scenario.program.definition.steps:
        if isinstance(step, ToolStep):
            recovery = record.scenario.core_policy.recovery_attempts_max if step.id in doubted else 0
            if attempts[step.id] > max(step.retry.attempts_max, recovery):
                yield f"{step.id} was attempted {attempts[step.id]} times"
    if sum(attempts.values()) + sum(settled.values()) != record.state.usage.tool_calls:
        yield f"{record.state.usage.tool_calls} calls were counted"


def check_bounds(record: Record) -> Findings:
    """No more calls are sent than the run's bounds allow, in all and by tool; finding out about one is none."""
    started = next((fact for fact in record.facts if isinstance(fact, facts.RunStarted)), None)
    if started is None:
        return
    bounds = started.bounds
    doubted = {
        fact.step
        for fact in record.facts
        if isinstance(fact, facts.EffectSettled) or (isinstance(fact, facts.AttemptFailed) and fact.effect == "unknown")
    }
    # A worker that takes over cannot know whether an attempt was sent, and has to find out.
    is_whole = not _TAKEOVERS & record.fired.keys()
    sent = [call for call in record.world.sent if call[2] == 1 or (is_whole and call[1] not in doubted)]
    if len(sent) > bounds.tool_calls_max:
        yield f"{len(sent)} calls were sent of {bounds.tool_calls_max}"
    if len({step for _, step, _ in sent}) > bounds.steps_max:
        yield f"more than {bounds.steps_max} steps acted"
    by_tool = Counter(tool for tool, _, _ in sent)
    for tool, limit in bounds.tool_calls_max_by_tool.items():
        if by_tool[tool] > limit:
            yield f"{by_tool[tool]} calls of {tool} were sent of {limit}"


def check_instants(record: Record) -> Findings:
    """Instants never run backwards, and nothing that is waited for is over before its time, or never."""
    due: dict[str, int] = {}
    last = 0
    slack_us = PUNCTUAL_US if record.fired.keys() <= _HARMLESS else LATE_US * 1_000
    for entry in record.entries:
        if entry.at_us < last:
            yield f"entry {entry.sequence} goes back in time"
        last = entry.at_us
        yield from _check_due(due, entry, slack_us=slack_us)
    now_us = microseconds_of(START) + int(record.world.loop.time() * 1e6)
    if not record.state.is_terminal:
        yield from (f"{step} was due long ago" for step, at_us in due.items() if at_us < now_us - LATE_US)


def _check_due(due: dict[str, int], entry: StoredEntry, *, slack_us: int) -> Findings:
    for fact in entry.facts:
        match fact:
            case facts.AttemptFailed():
                due[fact.step] = fact.retry_us
            case facts.TimerStarted() | facts.WaitStarted() if fact.due_us is not None:
                due[fact.step] = fact.due_us
            case facts.AttemptStarted():
                late_us = entry.at_us - due.pop(fact.step)
                if not 0 <= late_us <= slack_us:
                    yield f"{fact!r} came {late_us / 1e6} s after its time"
            case facts.StepCompleted() | facts.StepFailed():
                due_us = due.pop(fact.step, 0)
                if _is_timed(fact) and due_us and not 0 <= entry.at_us - due_us <= slack_us:
                    yield f"{fact!r} came {(entry.at_us - due_us) / 1e6} s after its time"
            case _:
                pass


def _is_timed(fact: facts.StepCompleted | facts.StepFailed) -> bool:
    """Whether it was time that ended a wait: no message, no failure and no call."""
    if isinstance(fact, facts.StepFailed):
        return fact.reason == "WAIT_TIMED_OUT"
    return fact.message_id is None and not fact.checks


def check_messages(record: Record) -> Findings:
    """A message is recorded once and taken at most once, after it was recorded."""
    received: set[str] = set()
    taken: set[str] = set()
    for fact in record.facts:
        if isinstance(fact, facts.MessageReceived):
            if fact.message_id in received:
                yield f"{fact.message_id} was received twice"
            received.add(fact.message_id)
        elif isinstance(fact, facts.StepCompleted | facts.StepFailed) and fact.message_id is not None:
            if fact.message_id in taken or fact.message_id not in received:
                yield f"{fact.message_id} was taken, and was not there"
            taken.add(fact.message_id)
