"""``evolve``: fold facts into a state.

Owns: what each fact changes, and nothing else. Replay runs this alone, so nothing here may ask a policy, an expression,
a clock or a tool: everything that could come out differently is in the fact.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from typing import Final, cast

from remit.core.canonical import JsonValue
from remit.core.commands import (
    AwaitApproval,
    AwaitMessage,
    AwaitRetry,
    AwaitSettlement,
    AwaitTimer,
    CallTool,
    Command,
)
from remit.core.definition import ToolStep
from remit.core.facts import (
    ApprovalDenied,
    ApprovalExpired,
    ApprovalGiven,
    ApprovalRequested,
    ApprovalWithdrawn,
    AttemptFailed,
    AttemptStarted,
    CancelRequested,
    EffectParked,
    EffectSettled,
    Fact,
    IntentRecorded,
    MessageReceived,
    RunCancelled,
    RunCompleted,
    RunFailed,
    RunStarted,
    StepCompleted,
    StepFailed,
    StepSkipped,
    StepStarted,
    TimerStarted,
    Usage,
    WaitStarted,
)
from remit.core.state import CommandKey, RunState, StepState
from remit.core.states import RUN_TERMINAL, RUN_TRANSITIONS, STEP_TRANSITIONS, RunStatus, StepStatus
from remit.errors import IllegalTransitionError

FINGERPRINTS_MAX: Final = 256
"""Calls kept for loop detection: the longest period (8) times the most repeats that bounds may allow (32)."""


def evolve(state: RunState, fact: Fact) -> RunState:
    """Return the state after one more fact; the given state is not changed.

    Raises:
        IllegalTransitionError: the transition tables do not allow the move.
    """
    return evolve_many(state, (fact,))


def evolve_many(state: RunState, facts: Iterable[Fact]) -> RunState:
    """Return the state after several facts, copying once."""
    copy = state.copy()
    for fact in facts:
        apply_fact(copy, fact)
    return copy


def apply_fact(state: RunState, fact: Fact) -> None:
    """Fold one fact into a state in place; only for the state's single owner. Constant cost per fact.

    Raises:
        IllegalTransitionError: as ``evolve``; the state is unchanged then.
    """
    kind = type(fact)
    _require_place(state, kind)
    resolves = _RESOLVES.get(kind)
    if resolves is not None:
        _require_open(state, fact, resolves)
    _APPLY[kind](state, fact)


def _require_place(state: RunState, kind: type[Fact]) -> None:
    """Refuse what comes before the run began, begins it twice, or comes after its end."""
    status = state.status
    if status is RunStatus.PENDING:
        is_possible = kind in _BEFORE_START
    else:
        is_possible = kind is not RunStarted and status not in RUN_TERMINAL
    if not is_possible:
        raise IllegalTransitionError(f"{kind.__name__} cannot happen in a run that is {status}", run_id=state.run_id)


def _require_open(state: RunState, fact: Fact, resolves: frozenset[type[Command | None]]) -> None:
    """Refuse a fact that resolves something else than what is open for its step and slot."""
    step_id: str = getattr(fact, "step", "")
    command = state.open.get((step_id, getattr(fact, "slot", 1)))
    if type(command) not in resolves or step_id not in state.program.steps:
        found = "nothing" if command is None else type(command).__name__
        raise IllegalTransitionError(
            f"{type(fact).__name__} cannot happen to step {step_id!r}: {found} is open",
            run_id=state.run_id,
            step=step_id,
        )


def _move_run(state: RunState, target: RunStatus) -> None:
    if target is state.status:
        return
    if target not in RUN_TRANSITIONS[state.status]:
        raise IllegalTransitionError(f"a run cannot go from {state.status} to {target}", run_id=state.run_id)
    state.status = target


def _move_step(state: RunState, step_id: str, target: StepStatus) -> StepState:
    step = state.steps.get(step_id)
    current = StepStatus.PENDING if step is None else step.status
    if target not in STEP_TRANSITIONS[current]:
        raise IllegalTransitionError(
            f"step {step_id!r} cannot go from {current} to {target}", run_id=state.run_id, step=step_id
        )
    if step is None:
        step = state.steps[step_id] = StepState(status=target)
    else:
        step.status = target
    return step


def _begin_step(state: RunState, step_id: str, target: StepStatus) -> StepState:
    if step_id in state.steps:
        raise IllegalTransitionError(f"step {step_id!r} began before", run_id=state.run_id, step=step_id)
    step = _move_step(state, step_id, target)
    state.usage.steps += 1
    step.number = state.usage.steps
    return step


def _open(state: RunState, key: CommandKey, command: Command) -> None:
    _close(state, key)
    state.open[key] = command
    state.fresh.append(key)
    if type(command) is CallTool:
        state.acting_count += 1
    elif type(command) is AwaitSettlement:
        state.parked_count += 1
    _move_run(state, RunStatus.RUNNING if state.acting_count else RunStatus.WAITING)


def _close(state: RunState, key: CommandKey) -> None:
    command = state.open.pop(key, None)
    if type(command) is CallTool:
        state.acting_count -= 1
    elif type(command) is AwaitSettlement:
        state.parked_count -= 1


def _settle_status(state: RunState) -> None:
    """Running while a call is in flight, else waiting; terminal facts overrule."""
    if state.open:
        _move_run(state, RunStatus.RUNNING if state.acting_count else RunStatus.WAITING)


def _count_usage(state: RunState, usage: Usage) -> None:
    state.usage.tokens += usage.tokens
    state.usage.cost_usd_micros += usage.cost_usd_micros
    state.usage.active_ms += usage.duration_ms


def _call(state: RunState, step_id: str, step: StepState, slot: int = 1) -> None:
    """Open the call of a step, numbered among the run's calls so that bounds refuse the ones past the limit only."""
    definition_step = state.program.steps[step_id].step
    usage = state.usage
    usage.tool_calls += 1
    tool = definition_step.tool if isinstance(definition_step, ToolStep) else ""
    by_tool = usage.calls_by_tool.get(tool, 0) + 1
    usage.calls_by_tool[tool] = by_tool
    command = CallTool(
        step=step_id,
        slot=slot,
        attempt=step.attempt,
        arguments=step.arguments,
        intent=step.intent,
        approval=step.approval,
        call_number=usage.tool_calls,
        call_number_of_tool=by_tool,
        step_number=step.number,
    )
    _open(state, (step_id, slot), command)


def _finish_step(state: RunState, step_id: str, *, output: JsonValue) -> None:
    _close(state, (step_id, 1))
    step = state.steps[step_id]
    step.arguments = b""
    step.request = None
    state.results[step_id] = {"status": step.status.value, "output": output}
    state.unfinished_count -= 1
    remaining = state.remaining
    for follower in state.program.successors[step_id]:
        remaining[follower] -= 1
    _settle_status(state)


def _run_started(state: RunState, fact: RunStarted) -> None:
    _move_run(state, RunStatus.RUNNING)
    state.input = fact.input
    state.principal_id = fact.principal_id
    state.policy_digest = fact.policy_digest
    state.bounds = fact.bounds


def _step_started(state: RunState, fact: StepStarted) -> None:
    step = _begin_step(state, fact.step, StepStatus.RUNNING)
    step.arguments = bytes(fact.arguments)
    definition_step = state.program.steps[fact.step].step
    if isinstance(definition_step, ToolStep):
        fingerprint = f"{definition_step.tool}:{hashlib.sha256(step.arguments).hexdigest()[:16]}"
        state.fingerprints.append(fingerprint)
        if len(state.fingerprints) > 2 * FINGERPRINTS_MAX:
            del state.fingerprints[:FINGERPRINTS_MAX]
    _call(state, fact.step, step)


def _attempt_started(state: RunState, fact: AttemptStarted) -> None:
    step = _move_step(state, fact.step, StepStatus.RUNNING)
    step.attempt = fact.attempt
    _call(state, fact.step, step)


def _intent_recorded(state: RunState, fact: IntentRecorded) -> None:
    step = _move_step(state, fact.step, StepStatus.RUNNING)
    step.intent = fact
    command = state.open[fact.step, fact.slot]
    assert isinstance(command, CallTool)
    # The same call goes on, now with its intent: it was counted when it began.
    state.open[fact.step, fact.slot] = command.with_intent(fact)
    state.fresh.append((fact.step, fact.slot))


def _approval_requested(state: RunState, fact: ApprovalRequested) -> None:
    key = (fact.step, fact.slot)
    call = state.open[key]
    assert isinstance(call, CallTool)
    step = _move_step(state, fact.step, StepStatus.WAITING)
    step.request = fact
    step.asked = (*step.asked, fact.approval_id)
    step.approval = None
    command = AwaitApproval(
        step=fact.step,
        slot=fact.slot,
        approval_id=fact.approval_id,
        due_us=fact.expires_us,
        call=call.without_approval(),
    )
    _open(state, key, command)


def _approval_given(state: RunState, fact: ApprovalGiven) -> None:
    key = (fact.step, fact.slot)
    command = state.open[key]
    assert isinstance(command, AwaitApproval)
    step = state.steps[fact.step]
    if step.request is None or (step.request.approval_id, step.request.digest) != (fact.approval_id, fact.digest):
        raise IllegalTransitionError(
            f"approval {fact.approval_id} does not cover what step {fact.step!r} asked for",
            run_id=state.run_id,
            step=fact.step,
        )
    _move_step(state, fact.step, StepStatus.RUNNING)
    step.approval = fact
    # It is the suspended call that goes on: it was counted, and got its numbers, when it began.
    _open(state, key, command.call.with_approval(fact))


def _approval_ended(state: RunState, fact: ApprovalDenied | ApprovalExpired) -> None:
    _close(state, (fact.step, fact.slot))


def _approval_withdrawn(state: RunState, fact: ApprovalWithdrawn) -> None:
    step = state.steps[fact.step]
    step.approval = None
    step.request = None
    key = (fact.step, fact.slot)
    command = state.open.get(key)
    if isinstance(command, CallTool):
        # The approval was given and is void now: the same call is checked, and asked for, again.
        state.open[key] = command.without_approval()
        state.fresh.append(key)
    else:
        _close(state, key)


def _step_completed(state: RunState, fact: StepCompleted) -> None:
    step = _move_step(state, fact.step, StepStatus.COMPLETED)
    step.attempt = fact.attempt
    _count_usage(state, fact.usage)
    _take_message(state, fact.message_id)
    _finish_step(state, fact.step, output=fact.output)


def _take_message(state: RunState, message_id: str | None) -> None:
    if message_id is not None:
        state.messages = [message for message in state.messages if message.message_id != message_id]
        state.taken.add(message_id)


def _attempt_failed(state: RunState, fact: AttemptFailed) -> None:
    step = _move_step(state, fact.step, StepStatus.WAITING)
    if fact.effect == "unknown":
        step.effect = "unknown"
    elif fact.effect == "absent":
        step.effect = "none"
    _count_usage(state, fact.usage)
    _open(state, (fact.step, 1), AwaitRetry(step=fact.step, attempt=fact.attempt + 1, due_us=fact.retry_us))


def _step_failed(state: RunState, fact: StepFailed) -> None:
    step = _move_step(state, fact.step, StepStatus.FAILED)
    step.attempt = fact.attempt
    _count_usage(state, fact.usage)
    _take_message(state, fact.message_id)
    # The first reason to stop is the one that the run ends with.
    if state.program.steps[fact.step].step.on_failure == "fail" and not state.is_stopping:
        state.failure = RunFailed(reason=fact.reason, message=fact.message, step=fact.step)
    _finish_step(state, fact.step, output=None)


def _step_skipped(state: RunState, fact: StepSkipped) -> None:
    _move_step(state, fact.step, StepStatus.SKIPPED)
    _finish_step(state, fact.step, output=None)


def _effect_parked(state: RunState, fact: EffectParked) -> None:
    _move_step(state, fact.step, StepStatus.UNKNOWN)
    _open(state, (fact.step, fact.slot), AwaitSettlement(step=fact.step, slot=fact.slot, reason=fact.reason))


def _effect_settled(state: RunState, fact: EffectSettled) -> None:
    step = _move_step(state, fact.step, StepStatus.RUNNING)
    if fact.outcome == "absent":
        step.intent = None
        step.effect = "none"
        step.attempt += 1
        _call(state, fact.step, step, fact.slot)
    else:
        _close(state, (fact.step, fact.slot))


def _timer_started(state: RunState, fact: TimerStarted) -> None:
    _begin_step(state, fact.step, StepStatus.WAITING)
    _open(state, (fact.step, 1), AwaitTimer(step=fact.step, due_us=fact.due_us))


def _wait_started(state: RunState, fact: WaitStarted) -> None:
    _begin_step(state, fact.step, StepStatus.WAITING)
    command = AwaitMessage(
        step=fact.step, source=fact.source, name=fact.name, correlation=fact.correlation, due_us=fact.due_us
    )
    _open(state, (fact.step, 1), command)


def _message_received(state: RunState, fact: MessageReceived) -> None:
    state.messages.append(fact)


def _cancel_requested(state: RunState, fact: CancelRequested) -> None:
    state.cancelling = fact


def _run_ended(state: RunState, status: RunStatus) -> None:
    _move_run(state, status)
    state.open.clear()
    state.fresh.clear()
    state.acting_count = 0
    state.parked_count = 0


def _run_completed(state: RunState, fact: RunCompleted) -> None:
    _run_ended(state, RunStatus.COMPLETED)
    state.output = fact.output


def _run_failed(state: RunState, fact: RunFailed) -> None:
    _run_ended(state, RunStatus.FAILED)
    state.failure = fact


def _run_cancelled(state: RunState, fact: RunCancelled) -> None:
    del fact
    _run_ended(state, RunStatus.CANCELLED)


_BEFORE_START: Final = frozenset({RunStarted, MessageReceived, CancelRequested, RunCancelled})
"""Facts of a run that nobody took up yet."""

_NOTHING: Final = type(None)

# What a fact about a step resolves, or finds not begun: the kinds of command one of which must be open.
_RESOLVES: Final[dict[type[Fact], frozenset[type[Command | None]]]] = {
    StepStarted: frozenset({_NOTHING}),
    AttemptStarted: frozenset({AwaitRetry}),
    IntentRecorded: frozenset({CallTool}),
    ApprovalRequested: frozenset({CallTool}),
    ApprovalGiven: frozenset({AwaitApproval}),
    ApprovalDenied: frozenset({AwaitApproval}),
    ApprovalExpired: frozenset({AwaitApproval}),
    ApprovalWithdrawn: frozenset({AwaitApproval, CallTool}),
    StepCompleted: frozenset({CallTool, AwaitTimer, AwaitMessage, _NOTHING}),  # nothing: a person settled the effect
    AttemptFailed: frozenset({CallTool}),
    StepFailed: frozenset({CallTool, AwaitMessage, _NOTHING}),  # nothing: it never began, or was not approved
    StepSkipped: frozenset({_NOTHING}),
    EffectParked: frozenset({CallTool, _NOTHING}),  # nothing: another attempt was not approved
    EffectSettled: frozenset({AwaitSettlement}),
    TimerStarted: frozenset({_NOTHING}),
    WaitStarted: frozenset({_NOTHING}),
}

_APPLY: Final = cast(
    "dict[type[Fact], Callable[[RunState, Fact], None]]",
    {
        RunStarted: _run_started,
        StepStarted: _step_started,
        AttemptStarted: _attempt_started,
        IntentRecorded: _intent_recorded,
        ApprovalRequested: _approval_requested,
        ApprovalGiven: _approval_given,
        ApprovalDenied: _approval_ended,
        ApprovalExpired: _approval_ended,
        ApprovalWithdrawn: _approval_withdrawn,
        StepCompleted: _step_completed,
        AttemptFailed: _attempt_failed,
        StepFailed: _step_failed,
        StepSkipped: _step_skipped,
        EffectParked: _effect_parked,
        EffectSettled: _effect_settled,
        TimerStarted: _timer_started,
        WaitStarted: _wait_started,
        MessageReceived: _message_received,
        CancelRequested: _cancel_requested,
        RunCompleted: _run_completed,
        RunFailed: _run_failed,
        RunCancelled: _run_cancelled,
    },
)
