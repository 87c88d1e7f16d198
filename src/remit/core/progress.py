"""What follows inside a run from a fact: which steps start, and when the run ends.

Owns: one decision in the making. Each fact is folded before the next one is decided, so that a chain of skipped steps
or a fan-out is one decision.
Does not know: events. ``decide`` turns an event into its first facts, and asks here what they lead to.
"""

from __future__ import annotations

from collections import deque

import msgspec

from remit.core.canonical import JsonValue, canonical_bytes
from remit.core.commands import AwaitApproval, AwaitMessage, Command
from remit.core.definition import EventStep, SignalStep, TimerStep, ToolStep
from remit.core.evolve import apply_fact
from remit.core.facts import (
    ApprovalWithdrawn,
    Fact,
    MessageReceived,
    RunCancelled,
    RunCompleted,
    RunFailed,
    StepCompleted,
    StepFailed,
    StepSkipped,
    StepStarted,
    TimerStarted,
    WaitStarted,
)
from remit.core.limits import Policy
from remit.core.outstanding import is_in_flight
from remit.core.program import CompiledStep
from remit.core.state import RunState
from remit.core.states import RunStatus
from remit.errors import CanonicalizationError, EvaluationError


class Progress:
    """One event's decision in the making: the state as folded so far, and the facts that folded it.

    Everything that finishes a step makes its followers ready; ``go_on`` starts them.
    """

    __slots__ = ("_ready", "facts", "now_us", "policy", "state")

    def __init__(self, state: RunState, policy: Policy, now_us: int) -> None:
        self.state = state
        self.policy = policy
        # Instants never run backwards within a run, whatever the clocks of its owners said.
        state.last_us = self.now_us = max(now_us, state.last_us)
        self.facts: list[Fact] = []
        self._ready: deque[str] = deque()

    def emit(self, fact: Fact) -> None:
        """Fold a fact and keep it for the journal."""
        apply_fact(self.state, fact)
        self.facts.append(fact)

    def complete_step(self, fact: StepCompleted) -> None:
        """Finish a step with its output."""
        self.emit(fact)
        self._unblock(fact.step)

    def fail_step(self, fact: StepFailed) -> None:
        """Finish a step without an output."""
        self.emit(fact)
        self._unblock(fact.step)

    def start_roots(self) -> None:
        """Make every step ready that depends on nothing."""
        self._ready.extend(step_id for step_id, count in self.state.remaining.items() if count == 0)

    def go_on(self) -> None:
        """Start what became ready, then end the run if nothing is left."""
        while self._ready:
            step_id = self._ready.popleft()
            if not self.state.is_stopping and step_id not in self.state.steps:
                self._start(step_id)
        self.end_if_done()

    def end_if_done(self) -> None:
        """End the run if every step is finished, or if it is stopping and no effect can come of it any more."""
        state = self.state
        if state.is_terminal or state.acting_count or state.parked_count:
            return
        if state.is_stopping:
            if not any(self.is_in_flight(command) for command in state.open.values()):
                self._stop()
        elif state.unfinished_count == 0 and state.status is not RunStatus.PENDING:
            self._complete()

    def is_in_flight(self, command: Command) -> bool:
        """Whether an effect may still come of a command, so that the run must not end before it is known."""
        return is_in_flight(self.state, command)

    def take(self, step_id: str, message: MessageReceived) -> bool:
        """Complete a waiting step with a message if it is the one it waits for."""
        command = self.state.open.get((step_id, 1))
        if not isinstance(command, AwaitMessage) or (command.source, command.name) != (message.source, message.name):
            return False
        if not _is_correlated(command, message):
            return False
        match = self.state.program.steps[step_id].match
        if match is not None:
            try:
                if not match.evaluate_bool({**self.state.scope(), "event": message.payload}):
                    return False
            except EvaluationError:
                # An event that the expression cannot be asked of is not the one; the wait goes on.
                return False
        problem = self.problem_of(message.payload)
        if problem is None:
            self.complete_step(StepCompleted(step=step_id, output=message.payload, message_id=message.message_id))
        else:
            reason, taken = "MESSAGE_INVALID", message.message_id
            self.fail_step(StepFailed(step=step_id, attempt=1, reason=reason, message=problem, message_id=taken))
        return True

    def problem_of(self, value: JsonValue) -> str | None:
        """Return why a value cannot be an output, or ``None``: outputs are hashed, so they must be canonical."""
        try:
            size = len(canonical_bytes(value))
        except CanonicalizationError as error:
            return error.message
        limit = self.policy.output_bytes_max
        return None if size <= limit else f"expected at most {limit} bytes, got {size}; pass a reference instead"

    def _unblock(self, step_id: str) -> None:
        """Note the followers that have no unsatisfied dependency left."""
        state = self.state
        for follower in state.program.successors[step_id]:
            if state.remaining[follower] == 0:
                self._ready.append(follower)

    # --- the end ------------------------------------------------------------------------------------------------------

    def _stop(self) -> None:
        state = self.state
        for command in list(state.open.values()):
            if isinstance(command, AwaitApproval):
                self.emit(
                    ApprovalWithdrawn(
                        step=command.step, slot=command.slot, approval_id=command.approval_id, reason="the run ends"
                    )
                )
        if state.failure is not None:
            self.emit(state.failure)
        elif state.cancelling is not None:
            self.emit(RunCancelled(requested_by=state.cancelling.requested_by, reason=state.cancelling.reason))

    def _complete(self) -> None:
        template = self.state.program.output
        try:
            output = None if template is None else template.render(self.state.scope())
        except EvaluationError as error:
            self.emit(RunFailed(reason=error.code, message=f"output of the run: {error.message}"))
            return
        problem = self.problem_of(output)
        if problem is None:
            self.emit(RunCompleted(output=output))
        else:
            self.emit(RunFailed(reason="OUTPUT_INVALID", message=f"output of the run: {problem}"))

    # --- the start of a step ------------------------------------------------------------------------------------------

    def _start(self, step_id: str) -> None:
        compiled = self.state.program.steps[step_id]
        try:
            if compiled.condition is not None and not compiled.condition.evaluate_bool(self.state.scope()):
                self.emit(StepSkipped(step=step_id))
                self._unblock(step_id)
                return
            self._begin(step_id, compiled)
        except (EvaluationError, CanonicalizationError) as error:
            self._fail_before_start(step_id, reason=error.code, message=error.message)

    def _fail_before_start(self, step_id: str, *, reason: str, message: str) -> None:
        self.fail_step(StepFailed(step=step_id, attempt=1, reason=reason, message=message))

    def _begin(self, step_id: str, compiled: CompiledStep) -> None:
        step = compiled.step
        match step:
            case ToolStep():
                self._begin_call(step_id, compiled)
            case TimerStep():
                self.emit(TimerStarted(step=step_id, due_us=self.now_us + step.duration_ms * 1000))
            case SignalStep():
                due_us = self._due_us(step.timeout_ms)
                self._begin_wait(WaitStarted(step=step_id, source="signal", name=step.signal, due_us=due_us))
            case EventStep():
                self._begin_wait(
                    WaitStarted(
                        step=step_id,
                        source="event",
                        name=step.event,
                        correlation=self._render_correlation(compiled),
                        due_us=self._due_us(step.timeout_ms),
                    )
                )

    def _begin_call(self, step_id: str, compiled: CompiledStep) -> None:
        assert compiled.arguments is not None
        arguments = canonical_bytes(compiled.arguments.render(self.state.scope()))
        limit = self.policy.arguments_bytes_max
        if len(arguments) > limit:
            message = f"expected arguments of at most {limit} bytes, got {len(arguments)}; pass a reference instead"
            self._fail_before_start(step_id, reason="SCHEMA_INVALID", message=message)
            return
        self.emit(StepStarted(step=step_id, arguments=msgspec.Raw(arguments)))

    def _due_us(self, timeout_ms: int | None) -> int | None:
        return None if timeout_ms is None else self.now_us + timeout_ms * 1000

    def _render_correlation(self, compiled: CompiledStep) -> str | None:
        if compiled.correlation is None:
            return None
        value = compiled.correlation.render(self.state.scope())
        return value if isinstance(value, str) else canonical_bytes(value).decode()

    def _begin_wait(self, fact: WaitStarted) -> None:
        self.emit(fact)
        for message in self.state.messages:
            if self.take(fact.step, message):
                return


def _is_correlated(command: AwaitMessage, message: MessageReceived) -> bool:
    """Whether an event is about what a step waits for: it may have come for another step of the same run."""
    return command.correlation is None or message.correlations is None or command.correlation in message.correlations
