"""The state of one run, as folded from its journal.

Owns: ``RunState`` and its canonical projection, whose hash proves that a replay agrees.
Does not know: how it changes (``evolve``) or why (``decide``).

``RunState`` is the one mutable record of the core: its owner folds facts into it in place, because copying ten thousand
steps for each fact would make the cost of a fact grow with the run. ``evolve`` copies, and is what laws are stated on.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from remit.core.canonical import JsonValue, digest
from remit.core.commands import Command
from remit.core.definition import Bounds
from remit.core.facts import (
    FORMAT_VERSION,
    ApprovalGiven,
    ApprovalRequested,
    CancelRequested,
    IntentRecorded,
    MessageReceived,
    RunFailed,
)
from remit.core.program import Program
from remit.core.states import RUN_TERMINAL, STEP_TERMINAL, RunStatus, StepStatus
from remit.ids import Digest, RunId, TenantId

CommandKey = tuple[str, int]
"""Step id and slot: what a command belongs to. Slot 1 is the step's own call."""


class RunUsage(msgspec.Struct, kw_only=True):
    """What a run used so far, calls in flight included. Costs in millionths of a US dollar."""

    steps: int = 0
    tool_calls: int = 0
    tokens: int = 0
    cost_usd_micros: int = 0
    active_ms: int = 0
    calls_by_tool: dict[str, int] = {}


class StepState(msgspec.Struct, kw_only=True):
    """Where one step stands.

    ``number`` counts the run's steps in the order in which they began, from 1; ``asked`` holds the ids of all requests
    for approval; ``effect`` ``unknown`` means that a failed attempt may have had its effect.
    """

    status: StepStatus
    number: int = 0
    attempt: int = 1
    arguments: bytes = b""
    intent: IntentRecorded | None = None
    request: ApprovalRequested | None = None
    approval: ApprovalGiven | None = None
    asked: tuple[str, ...] = ()
    effect: str = "none"


class RunState:
    """Everything that ``decide`` and ``outstanding`` need, and nothing else.

    ``results`` maps finished steps to what expressions see (``status``, ``output``); ``remaining`` counts unsatisfied
    dependencies; ``open`` holds the commands that were begun and not resolved; ``fresh`` lists the keys opened since
    the owner last looked and is no part of the state proper; ``messages`` are those no step has taken yet, ``taken``
    the ids of the others.
    """

    __slots__ = (
        "acting_count", "bounds", "cancelling", "created_us", "failure", "fingerprints", "fresh", "input", "last_us",
        "messages", "open", "output", "parked_count", "policy_digest", "principal_id", "program", "remaining",
        "results", "run_id", "status", "steps", "taken", "tenant_id", "unfinished_count", "usage",
    )  # fmt: skip

    def __init__(self, program: Program, *, tenant_id: TenantId, run_id: RunId) -> None:
        self.program = program
        self.tenant_id = tenant_id
        self.run_id = run_id
        self.status = RunStatus.PENDING
        self.input: JsonValue = None
        self.output: JsonValue = None
        self.principal_id = ""
        self.policy_digest = ""
        self.bounds = Bounds()
        self.usage = RunUsage(calls_by_tool={})
        self.steps: dict[str, StepState] = {}
        self.results: dict[str, Mapping[str, JsonValue]] = {}
        self.remaining = {step_id: len(compiled.step.depends_on) for step_id, compiled in program.steps.items()}
        self.unfinished_count = len(program.steps)
        self.open: dict[CommandKey, Command] = {}
        self.fresh: list[CommandKey] = []
        self.acting_count = 0
        self.parked_count = 0
        self.messages: list[MessageReceived] = []
        self.taken: set[str] = set()
        self.fingerprints: list[str] = []
        self.failure: RunFailed | None = None
        self.cancelling: CancelRequested | None = None
        self.created_us = 0
        self.last_us = 0

    @property
    def is_terminal(self) -> bool:
        """Whether nothing can happen any more."""
        return self.status in RUN_TERMINAL

    @property
    def is_stopping(self) -> bool:
        """Whether nothing new may start."""
        return self.failure is not None or self.cancelling is not None

    def scope(self) -> dict[str, JsonValue]:
        """Return what expressions see: ``input``, ``steps`` (finished ones) and ``run``. Not to be changed."""
        return {
            "input": self.input,
            "steps": self.results,  # type: ignore[dict-item]  # a read-only view of JSON values, never copied
            "run": {"id": self.run_id, "tenant": self.tenant_id, "principal": self.principal_id},
        }

    def copy(self) -> RunState:
        """Return an independent copy; shared parts are immutable. ``fresh`` starts empty."""
        other = object.__new__(RunState)
        for name in RunState.__slots__:
            setattr(other, name, getattr(self, name))
        other.usage = msgspec.structs.replace(self.usage, calls_by_tool=dict(self.usage.calls_by_tool))
        other.steps = {step_id: msgspec.structs.replace(step) for step_id, step in self.steps.items()}
        other.results = dict(self.results)
        other.remaining = dict(self.remaining)
        other.open = dict(self.open)
        other.messages = list(self.messages)
        other.taken = set(self.taken)
        other.fingerprints = list(self.fingerprints)
        other.fresh = []
        return other


def project_state(state: RunState) -> JsonValue:
    """Return the canonical projection of a state: JSON data, versioned with the journal's format.

    Every step appears once it left ``pending``; instants do not appear, so that the hash speaks of what happened.
    """
    return {
        "format": FORMAT_VERSION,
        "run": state.run_id,
        "tenant": state.tenant_id,
        "definition": state.program.digest,
        "policy": state.policy_digest,
        "principal": state.principal_id,
        "status": state.status.value,
        "input": state.input,
        "output": state.output,
        "failure": None if state.failure is None else [state.failure.step, state.failure.reason],
        "usage": [state.usage.steps, state.usage.tool_calls, state.usage.tokens, state.usage.cost_usd_micros],
        "steps": {
            step_id: [step.status.value, step.attempt, _output_of(state, step_id)]
            for step_id, step in state.steps.items()
        },
        "open": [[step, slot, type(state.open[step, slot]).__name__] for step, slot in sorted(state.open)],
        "messages": [message.message_id for message in state.messages],
    }


def _output_of(state: RunState, step_id: str) -> JsonValue:
    result = state.results.get(step_id)
    return None if result is None else result["output"]


def state_hash(state: RunState) -> Digest:
    """Return the SHA-256 of the canonical projection."""
    return Digest(digest(project_state(state)))


def is_step_finished(step: StepState) -> bool:
    """Whether the step will not change any more."""
    return step.status in STEP_TERMINAL
