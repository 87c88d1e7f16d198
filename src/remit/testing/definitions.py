"""Definitions for tests: builders of every step kind, long and wide ones, and random graphs that can always end.

Owns: what a definition looks like. Does not know: runs. A random definition draws from the ``random.Random`` that it is
given, so a seed repeats it, and Hypothesis can shrink it.
"""

from __future__ import annotations

import random
from typing import Final, Literal

import msgspec

from remit.core.canonical import JsonValue, canonical_bytes
from remit.core.definition import Definition, EventStep, RetryPolicy, SignalStep, Step, TimerStep, ToolStep
from remit.core.program import Program, load_program

TOOL_VERSION: Final = "1.0.0"
CONTRACT_DIGEST: Final = "c" * 64

READ_TOOL: Final = "tests.read"
"""Has no effect: acts at once."""
WRITE_TOOL: Final = "tests.write"
"""Has an effect and a key: intends before it acts."""
POST_TOOL: Final = "tests.post"
"""Has an effect, no key and no look-up: whatever is in doubt is unknown."""
PAY_TOOL: Final = "tests.pay"
"""Like ``WRITE_TOOL``, and a person is asked before."""

_TOOLS: Final = (READ_TOOL, READ_TOOL, WRITE_TOOL, POST_TOOL, PAY_TOOL)
_SIGNALS: Final = ("go", "stop")
EVENT_NAME: Final = "shop.paid"
REASONS: Final = ("FLAKY", "RATE_LIMITED", "DECLINED")


def tool_step(
    step_id: str,
    *depends_on: str,
    tool: str = READ_TOOL,
    arguments: dict[str, JsonValue] | None = None,
    condition: str | None = None,
    retry: RetryPolicy | None = None,
    on_failure: Literal["fail", "continue"] = "fail",
) -> ToolStep:
    """Return a step that calls a tool; ``msgspec.structs.replace`` sets the rest."""
    return ToolStep(
        id=step_id,
        depends_on=depends_on,
        tool=tool,
        tool_version=TOOL_VERSION,
        contract_digest=CONTRACT_DIGEST,
        input={} if arguments is None else arguments,
        condition=condition,
        retry=RetryPolicy() if retry is None else retry,
        on_failure=on_failure,
    )


def define(*steps: Step, output: JsonValue = None, name: str = "rehearsal") -> Definition:
    """Return a definition of these steps."""
    return Definition(name=name, version="1", steps=steps, output=output)


def program_of(definition: Definition) -> Program:
    """Return a definition's program. Unlike ``encode_definition`` it takes definitions of any size."""
    return load_program(canonical_bytes(msgspec.to_builtins(definition)))


def sequence(count: int, *, tool: str = READ_TOOL, arguments: dict[str, JsonValue] | None = None) -> Definition:
    """Return ``count`` steps, each after the one before: ``s1`` to ``s<count>``."""
    steps = (
        tool_step(f"s{number}", *([f"s{number - 1}"] if number > 1 else []), tool=tool, arguments=arguments)
        for number in range(1, count + 1)
    )
    return define(*steps, name="sequence")


def fan_out(count: int, *, tool: str = READ_TOOL, arguments: dict[str, JsonValue] | None = None) -> Definition:
    """Return ``count`` steps at once: ``s1`` to ``s<count>``."""
    steps = (tool_step(f"s{number}", tool=tool, arguments=arguments) for number in range(1, count + 1))
    return define(*steps, name="fan-out")


def skip_chain(count: int) -> Definition:
    """Return ``count`` steps, each after the one before, every one with a condition that is false."""
    steps = (
        tool_step(f"s{number}", *([f"s{number - 1}"] if number > 1 else []), condition="false")
        for number in range(1, count + 1)
    )
    return define(*steps, name="skip-chain")


def random_definition(rng: random.Random, *, steps_max: int = 20) -> Definition:
    """Return a random graph of all step kinds, with conditions, retries and outputs, some of which fail to evaluate.

    Its input is an object with ``flag`` (boolean), ``count`` (integer) and ``order`` (string). Every wait without a
    time-out can be ended by a message: signals ``go`` and ``stop``, and events ``shop.paid`` whose ``ok`` is true.
    """
    count = rng.randint(1, steps_max)
    steps = tuple(_random_step(rng, number) for number in range(1, count + 1))
    return define(*steps, output=_random_output(rng, count), name="random")


def random_input(rng: random.Random) -> JsonValue:
    """Return an input for a random definition."""
    return {"flag": rng.random() < 0.5, "count": rng.randint(0, 9), "order": f"order-{rng.randint(1, 3)}"}


def _random_step(rng: random.Random, number: int) -> Step:
    earlier = [f"s{index}" for index in range(1, number)]
    depends_on = tuple(rng.sample(earlier, rng.randint(0, min(3, len(earlier)))))
    step = _RANDOM_KINDS[rng.choices(range(4), weights=(6, 1, 2, 2))[0]](rng, f"s{number}")
    return msgspec.structs.replace(
        step,
        depends_on=depends_on,
        condition=_random_condition(rng, depends_on),
        on_failure="continue" if rng.random() < 0.7 else "fail",
    )


def _random_tool_step(rng: random.Random, step_id: str) -> Step:
    retry = RetryPolicy(
        attempts_max=rng.randint(1, 5),
        delay_initial_ms=rng.randint(1, 2_000),
        delay_max_ms=rng.randint(1, 10_000),
        multiplier=rng.choice((1.0, 1.5, 2.0)),
        reasons=rng.choice(((), (), (), REASONS[:2])),
    )
    arguments: dict[str, JsonValue] = {"order": "${{ input.order }}", "n": rng.randint(0, 9)}
    step = tool_step(step_id, tool=rng.choice(_TOOLS), arguments=arguments, retry=retry)
    if rng.random() < 0.2:
        mapping: dict[str, JsonValue] = {"ok": "${{ output.ok }}", "bad": "${{ output.absent }}"}
        step = msgspec.structs.replace(step, output_mapping=dict(list(mapping.items())[: rng.randint(1, 2)]))
    return step


def _random_timer(rng: random.Random, step_id: str) -> Step:
    return TimerStep(id=step_id, duration_ms=rng.randint(0, 10_000))


def _random_signal(rng: random.Random, step_id: str) -> Step:
    return SignalStep(
        id=step_id,
        signal=rng.choice(_SIGNALS),
        timeout_ms=rng.choice((None, 0, 5_000)),
        on_timeout=rng.choice(("fail", "continue")),
    )


def _random_event(rng: random.Random, step_id: str) -> Step:
    return EventStep(
        id=step_id,
        event=EVENT_NAME,
        correlation=rng.choice((None, "${{ input.order }}")),
        match=rng.choice((None, "event.ok")),
        timeout_ms=rng.choice((None, 0, 5_000)),
        on_timeout=rng.choice(("fail", "continue")),
    )


_RANDOM_KINDS: Final = (_random_tool_step, _random_timer, _random_signal, _random_event)


def _random_condition(rng: random.Random, depends_on: tuple[str, ...]) -> str | None:
    if rng.random() < 0.6:
        return None
    conditions = ["input.flag", "!input.flag", "input.count > 4"]
    for dependency in depends_on:
        conditions += [f"steps.{dependency}.status == 'completed'", f"steps.{dependency}.output.ok"]
    return rng.choice(conditions)


def _random_output(rng: random.Random, count: int) -> JsonValue:
    step_id = f"s{rng.randint(1, count)}"
    choices: tuple[JsonValue, ...] = (None, {"status": f"${{{{ steps.{step_id}.status }}}}"}, "${{ input.absent }}")
    return rng.choices(choices, weights=(4, 4, 1))[0]
