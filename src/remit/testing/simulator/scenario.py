"""What is simulated: a definition, its tools' acts, what people do, and what must come of it.

Owns: the records, and the scenario of a user's own definition. Does not know: how it is run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from remit.core.canonical import JsonValue
from remit.core.definition import Bounds, EventStep, SignalStep, ToolStep
from remit.core.limits import DEFAULT_POLICY, Policy
from remit.core.program import Program
from remit.governance.contracts import ToolContract
from remit.governance.policy import BusinessConfig, Scope
from remit.ports.tool import ToolContext
from remit.testing.simulator.dice import Fault
from remit.testing.simulator.world import Act

Word = Literal["approve", "deny", "ignore"]
"""What the approver does when asked; who ignores a request lets it expire."""

WIDE_BOUNDS: Final = Bounds(
    steps_max=100_000,
    active_seconds_max=10**9,
    tokens_max=10**9,
    tool_calls_max=10**6,
    cost_usd_micros_max=10**12,
    loop_repeats_max=32,
)
"""Bounds that no simulated run reaches."""


def open_config(contracts: Iterable[ToolContract], *, bounds: Bounds = WIDE_BOUNDS) -> BusinessConfig:
    """Return a remit that permits these tools and asks nobody."""
    scopes = tuple(Scope(tool=contract.name, network=contract.network) for contract in contracts)
    return BusinessConfig(name="simulated", version="1", bounds=bounds, scopes=scopes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """A message that somebody sends once a step waits for it (or before, or twice, as luck will have it)."""

    source: Literal["signal", "event"]
    name: str
    payload: JsonValue = None


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """What people do. ``words`` are the approver's by step, ``posts`` the messages by the step that waits for them.

    Effects that are parked are settled by somebody who looks into the world's book, and tells the truth.
    """

    words: Mapping[str, Word] = field(default_factory=dict)
    word: Word = "approve"
    posts: Mapping[str, Post] = field(default_factory=dict)

    def word_on(self, step: str) -> Word:
        """Return what the approver says about a step."""
        return self.words.get(step, self.word)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How a step must end: ``status`` completed (with ``output``), failed (for one of ``reasons``) or skipped."""

    status: Literal["completed", "failed", "skipped"]
    output: JsonValue = None
    reasons: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What must come of a run, whatever the schedule: the ending of each step that it gets to, and its output.

    ``fatal`` steps fail the run; which of several fails it first is a matter of the schedule. ``output_reason`` is
    why the run fails on its output, if it does.
    """

    endings: Mapping[str, Ending]
    fatal: frozenset[str]
    output: JsonValue
    output_reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """Everything that a seed does not decide."""

    program: Program
    contracts: tuple[ToolContract, ...]
    acts: Mapping[str, Act]
    config: BusinessConfig
    run_input: JsonValue = None
    principal_id: str = "operator"
    people: People = People()
    core_policy: Policy = DEFAULT_POLICY
    expected: Expected | None = None
    may_strike: Callable[[Fault, ToolContract, ToolContext], bool] = lambda _fault, _contract, _context: True
    """Whether a provider's fault is allowed at a call."""
    excluded: frozenset[Fault] = frozenset()
    """Faults that would change what is expected."""
    is_late_decision_harmless: bool = False
    """Whether a decision may come too late without changing what is expected: only those that are ignored anyway."""


def posts_for(program: Program, payloads: Mapping[str, JsonValue]) -> dict[str, Post]:
    """Return one message for each step that waits for one; payloads by the name of the signal or event."""
    posts: dict[str, Post] = {}
    for step_id, compiled in program.steps.items():
        match compiled.step:
            case SignalStep(signal=name):
                posts[step_id] = Post(source="signal", name=name, payload=payloads.get(name))
            case EventStep(event=name):
                posts[step_id] = Post(source="event", name=name, payload=payloads.get(name, {}))
            case _:
                pass
    return posts


def tools_of(program: Program) -> list[str]:
    """Return the names of a program's tools, in the order in which they are first used."""
    names = [step.step.tool for step in program.steps.values() if isinstance(step.step, ToolStep)]
    return list(dict.fromkeys(names))
