"""Random scenarios in which anything goes: what must come of them nobody knows, but the laws hold.

Owns: random definitions of every step kind with the simulator's tools, tight bounds, tools that answer as they like,
and people who do not always answer. Does not know: the laws.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Final

import msgspec

from remit.core.canonical import JsonValue
from remit.core.definition import Bounds, Definition, Step, ToolStep
from remit.core.limits import Policy
from remit.errors import ToolError
from remit.ports.tool import ToolContext
from remit.testing.definitions import (
    PAY_TOOL,
    POST_TOOL,
    READ_TOOL,
    REASONS,
    program_of,
    random_definition,
    random_input,
)
from remit.testing.simulator.known import (
    BRIEF,
    CONTRACTS,
    DIGESTS,
    KEYED,
    LOCAL,
    ONCE,
    OPAQUE,
    PAY,
    QUERYABLE,
    READ,
    RULES,
    WIRE,
)
from remit.testing.simulator.scenario import WIDE_BOUNDS, People, Post, Scenario, Word, open_config, posts_for
from remit.testing.simulator.world import Act

_STANDS_FOR: Final = {READ_TOOL: (READ, LOCAL), POST_TOOL: (OPAQUE, QUERYABLE), PAY_TOOL: (PAY, WIRE)}
_OTHERWISE: Final = (KEYED, BRIEF, ONCE, ONCE)


def wild_scenario(rng: random.Random, *, steps_max: int = 7) -> Scenario:
    """Return a random scenario."""
    drawn = random_definition(rng, steps_max=steps_max)
    steps = tuple(_with_tool(rng, step) for step in drawn.steps)
    definition = Definition(name="wild", version="1", steps=steps, output=drawn.output)
    program = program_of(definition)
    bounds = _random_bounds(rng)
    posts = posts_for(program, {})
    payloads: tuple[JsonValue, ...] = (None, {"ok": True}, {"ok": True}, {"ok": False}, {"ok": "yes"})
    words: tuple[Word, ...] = ("approve", "approve", "approve", "deny", "ignore")
    return Scenario(
        program=program,
        contracts=CONTRACTS,
        acts={contract.name: _moody(rng.randint(0, 2**32)) for contract in CONTRACTS},
        config=msgspec.structs.replace(open_config(CONTRACTS, bounds=bounds), approval_rules=RULES),
        run_input=random_input(rng),
        people=People(
            words={step.id: rng.choice(words) for step in steps},
            posts={
                step: Post(source=post.source, name=post.name, payload=rng.choice(payloads))
                for step, post in posts.items()
                if rng.random() < 0.8
            },
        ),
        core_policy=Policy(recovery_attempts_max=rng.randint(1, 4), messages_max=rng.choice((4, 20))),
    )


def _with_tool(rng: random.Random, step: Step) -> Step:
    if not isinstance(step, ToolStep):
        return step
    contract = rng.choice(_STANDS_FOR.get(step.tool, _OTHERWISE))
    return msgspec.structs.replace(
        step, tool=contract.name, tool_version=contract.version, contract_digest=DIGESTS[contract.name]
    )


def _random_bounds(rng: random.Random) -> Bounds:
    if rng.random() < 0.5:
        return WIDE_BOUNDS
    return Bounds(
        steps_max=rng.randint(1, 10),
        tool_calls_max=rng.randint(1, 12),
        tool_calls_max_by_tool={rng.choice(CONTRACTS).name: rng.randint(0, 2)},
        loop_repeats_max=rng.randint(1, 4),
    )


def _moody(salt: int) -> Act:
    """Return an act whose mood depends on step and attempt, and on nothing else."""

    def act(arguments: Mapping[str, JsonValue], context: ToolContext) -> JsonValue:
        mood = random.Random(f"{salt} {context.step} {context.attempt}")  # noqa: S311 - as repeatable as its seed
        if mood.random() < 0.25:
            raise ToolError("in no mood", retryable=mood.random() < 0.8, reason=mood.choice(REASONS))
        n = arguments["n"]
        assert isinstance(n, int)
        return {"ok": mood.random() < 0.5, "n": n}

    return act
