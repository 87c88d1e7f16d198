"""Random scenarios whose outcome is known beforehand, whatever happens on the way.

Owns: a small language of conditions, arguments and outputs in two forms, as the text that Remit runs and as an answer
that is computed here; and which faults may strike without changing that answer.
Does not know: the core. The answer is computed by a few lines that share no code with it, not even for expressions.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

import msgspec

from remit.core.canonical import JsonValue
from remit.core.definition import Definition, EventStep, RetryPolicy, SignalStep, Step, TimerStep, ToolStep
from remit.core.limits import Policy
from remit.core.states import DeliveryClass, Idempotency, SideEffectLevel
from remit.errors import ToolError
from remit.governance.contracts import ToolContract, contract_digest
from remit.governance.policy import ApprovalRule
from remit.ports.tool import ToolContext
from remit.testing.definitions import program_of
from remit.testing.simulator.dice import OUTCOME_CHANGING, Fault
from remit.testing.simulator.scenario import Ending, Expected, People, Post, Scenario, Word, open_config
from remit.testing.simulator.world import Act

FAULT_REASONS: Final = ("UNAVAILABLE", "CONNECTION_LOST", "TIMED_OUT")
APPROVAL_SECONDS: Final = 30

_INPUT: Final[dict[str, JsonValue]] = {
    "type": "object",
    "properties": {"order": {"type": "string"}, "n": {"type": "integer"}, "tag": {"type": "string"}},
}
_OUTPUT: Final[dict[str, JsonValue]] = {
    "type": "object",
    "properties": {"ok": {"type": "boolean"}, "n": {"type": "integer"}},
    "required": ["ok", "n"],
}


def _contract(
    name: str,
    delivery: DeliveryClass,
    *,
    level: SideEffectLevel = SideEffectLevel.HARD_WRITE,
    idempotency: Idempotency = Idempotency.STEP,
    key_window_seconds: int = 86_400,
) -> ToolContract:
    return ToolContract(
        name=name,
        input_schema=_INPUT,
        output_schema=_OUTPUT,
        side_effect_level=level,
        delivery_class=delivery,
        idempotency=idempotency,
        key_window_seconds=key_window_seconds,
        timeout_ms=10_000,
    )


READ: Final = _contract("sim.read", DeliveryClass.PURE, level=SideEffectLevel.READ, idempotency=Idempotency.NONE)
LOCAL: Final = _contract("sim.local", DeliveryClass.LOCAL, level=SideEffectLevel.SOFT_WRITE)
KEYED: Final = _contract("sim.keyed", DeliveryClass.KEYED)
BRIEF: Final = _contract("sim.brief", DeliveryClass.KEYED, key_window_seconds=15)
QUERYABLE: Final = _contract("sim.queryable", DeliveryClass.QUERYABLE)
OPAQUE: Final = _contract("sim.opaque", DeliveryClass.OPAQUE)
PAY: Final = _contract("sim.pay", DeliveryClass.KEYED, level=SideEffectLevel.FINANCIAL)
WIRE: Final = _contract("sim.wire", DeliveryClass.OPAQUE, level=SideEffectLevel.FINANCIAL)
ONCE: Final = _contract("sim.once", DeliveryClass.KEYED, idempotency=Idempotency.ARGUMENTS)

CONTRACTS: Final = (READ, LOCAL, KEYED, BRIEF, QUERYABLE, OPAQUE, PAY, WIRE, ONCE)
GATED: Final = (PAY, WIRE)
RULES: Final = tuple(
    ApprovalRule(id=f"ask-{index}", tool=contract.name, timeout_seconds=APPROVAL_SECONDS)
    for index, contract in enumerate(GATED)
)
DIGESTS: Final = {contract.name: contract_digest(contract) for contract in CONTRACTS}
CONFIG: Final = msgspec.structs.replace(open_config(CONTRACTS), approval_rules=RULES)

_WEIGHTS: Final = (4, 1, 2, 2, 2, 2, 2, 1, 1)
_MISSING: Final[JsonValue] = "\0missing"
_WITHOUT_TRACE: Final = frozenset({DeliveryClass.PURE, DeliveryClass.LOCAL})
_HARMLESS_IF_RETRIED: Final = frozenset({Fault.FAIL, Fault.RETRY_AFTER})
_LOSSES: Final = frozenset({Fault.LOST_REQUEST, Fault.LOST_ANSWER, Fault.HANG})


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """What a tool does for one step: fail ``failures`` times with a reason (for good if negative), then succeed.

    ``add`` is what it adds to the ``n`` of its arguments.
    """

    failures: int = 0
    reason: str = ""
    is_retryable: bool = True
    add: int = 0


@dataclass(slots=True, kw_only=True)
class _Plan:
    """A scenario in the making."""

    rng: random.Random
    steps: list[Step] = field(default_factory=list)
    scripts: dict[str, Script] = field(default_factory=dict)
    words: dict[str, Word] = field(default_factory=dict)
    posts: dict[str, Post] = field(default_factory=dict)
    retries: dict[str, RetryPolicy] = field(default_factory=dict)
    endings: dict[str, Ending] = field(default_factory=dict)
    run_input: dict[str, JsonValue] = field(default_factory=dict)

    def scope(self) -> dict[str, JsonValue]:
        """Return what expressions see of the steps that are planned, as this module reckons."""
        steps: dict[str, JsonValue] = {
            step: {"status": ending.status, "output": ending.output} for step, ending in self.endings.items()
        }
        return {"input": self.run_input, "steps": steps}


def known_scenario(rng: random.Random, *, steps_max: int = 7) -> Scenario:
    """Return a random scenario and what must come of it."""
    plan = _Plan(rng=rng)
    plan.run_input = {"flag": rng.random() < 0.5, "count": rng.randint(0, 9), "order": f"order-{rng.randint(1, 3)}"}
    for number in range(1, rng.randint(1, steps_max) + 1):
        _plan_step(plan, f"s{number}")
    output, value, reason = _plan_output(plan)
    definition = Definition(name="known", version="1", steps=tuple(plan.steps), output=output)
    fatal = frozenset(
        step.id for step in plan.steps if step.on_failure == "fail" and plan.endings[step.id].status == "failed"
    )
    expected = Expected(endings=plan.endings, fatal=fatal, output=value, output_reason=reason)
    used = {step.tool for step in plan.steps if isinstance(step, ToolStep)}
    return Scenario(
        program=program_of(definition),
        contracts=tuple(contract for contract in CONTRACTS if contract.name in used),
        acts={contract.name: _act(plan.scripts) for contract in CONTRACTS},
        config=CONFIG,
        run_input=plan.run_input,
        people=People(words=plan.words, posts=plan.posts),
        core_policy=Policy(recovery_attempts_max=rng.randint(2, 6), messages_max=40),
        expected=expected,
        may_strike=_Tolerance(plan.retries).allows,
        excluded=OUTCOME_CHANGING,
        is_late_decision_harmless=True,
    )


class _Tolerance:
    """Which faults a step can take without ending otherwise than it should."""

    def __init__(self, retries: Mapping[str, RetryPolicy]) -> None:
        self._retries = retries

    def allows(self, fault: Fault, contract: ToolContract, context: ToolContext) -> bool:
        """Whether there is another attempt after this one, where the fault costs one; else whether it is cleared up."""
        has_more = context.attempt < self._retries[context.step].attempts_max
        if fault in _HARMLESS_IF_RETRIED:
            return has_more
        if fault is Fault.CRASH_IN_CALL or contract.delivery_class not in _WITHOUT_TRACE:
            return True
        return has_more and fault in _LOSSES


def _act(scripts: Mapping[str, Script]) -> Act:
    def act(arguments: Mapping[str, JsonValue], context: ToolContext) -> JsonValue:
        script = scripts[context.step]
        if script.failures < 0 or context.attempt <= script.failures:
            raise ToolError("as scripted", retryable=script.is_retryable, reason=script.reason)
        n = arguments["n"]
        assert isinstance(n, int)
        return {"ok": (n + script.add) % 2 == 0, "n": n + script.add}

    return act


# --- steps ------------------------------------------------------------------------------------------------------------


def _plan_step(plan: _Plan, step_id: str) -> None:
    rng = plan.rng
    earlier = [step.id for step in plan.steps]
    depends_on = tuple(rng.sample(earlier, rng.randint(0, min(2, len(earlier)))))
    kind = rng.choices((_plan_tool, _plan_timer, _plan_signal, _plan_event), weights=(7, 1, 1, 1))[0]
    step, ending = kind(plan, step_id, depends_on)
    condition, verdict = _plan_condition(plan, depends_on)
    step = msgspec.structs.replace(
        step,
        depends_on=depends_on,
        condition=condition,
        on_failure="continue" if rng.random() < 0.75 else "fail",
    )
    plan.steps.append(step)
    if verdict is None:
        ending = _failed("EVALUATION_FAILED")
    plan.endings[step_id] = Ending(status="skipped") if verdict is False else ending


def _plan_tool(plan: _Plan, step_id: str, depends_on: tuple[str, ...]) -> tuple[Step, Ending]:
    rng = plan.rng
    contract = rng.choices(CONTRACTS, weights=_WEIGHTS)[0]
    retry = RetryPolicy(
        attempts_max=rng.randint(1, 4),
        delay_initial_ms=rng.randint(1, 2_000),
        delay_max_ms=rng.randint(1, 6_000),
        multiplier=rng.choice((1.0, 2.0)),
        reasons=rng.choice(((), (), (*FAULT_REASONS, "FLAKY"))),
    )
    script = plan.scripts[step_id] = _plan_script(rng, retry)
    plan.retries[step_id] = retry
    arguments, n = _plan_arguments(plan, step_id, depends_on)
    mapping = _plan_mapping(rng)
    step = ToolStep(
        id=step_id,
        tool=contract.name,
        tool_version=contract.version,
        contract_digest=DIGESTS[contract.name],
        input=arguments,
        output_mapping=None if mapping is None else {"m": mapping},
        retry=retry,
    )
    return step, _tool_ending(plan, step, n, script)


def _tool_ending(plan: _Plan, step: ToolStep, n: int | None, script: Script) -> Ending:
    if n is None:
        return _failed("EVALUATION_FAILED")
    if step.tool in {contract.name for contract in GATED}:
        word = plan.words[step.id] = plan.rng.choices(("approve", "deny", "ignore"), weights=(8, 1, 1))[0]
        if word != "approve":
            return _failed("APPROVAL_DENIED" if word == "deny" else "APPROVAL_EXPIRED")
    if script.failures < 0:
        return _failed(script.reason)
    output: dict[str, JsonValue] = {"ok": (n + script.add) % 2 == 0, "n": n + script.add}
    if step.output_mapping is None:
        return Ending(status="completed", output=output)
    mapped = _read(f"output.{_inside(step.output_mapping['m'])}", {"output": output})
    if mapped == _MISSING:
        return Ending(status="completed", output={"mapping_error": "…", "output": output})
    return Ending(status="completed", output={"m": mapped})


def _plan_script(rng: random.Random, retry: RetryPolicy) -> Script:
    add = rng.randint(0, 5)
    kind = rng.choices(("ok", "flaky", "always", "decline"), weights=(12, 4, 1, 2))[0]
    if kind == "flaky" and retry.attempts_max > 1:
        return Script(failures=rng.randint(1, retry.attempts_max - 1), reason="FLAKY", add=add)
    if kind == "always":
        return Script(failures=-1, reason=rng.choice(("FLAKY", "UNLISTED")), add=add)
    if kind == "decline":
        return Script(failures=-1, reason="DECLINED", is_retryable=False, add=add)
    return Script(add=add)


def _plan_arguments(plan: _Plan, step_id: str, depends_on: tuple[str, ...]) -> tuple[dict[str, JsonValue], int | None]:
    """Return the template of arguments and the ``n`` that it gives; ``None`` if it cannot be computed."""
    arguments: dict[str, JsonValue] = {"order": "${{ input.order }}", "tag": step_id}
    if depends_on and plan.rng.random() < 0.4:
        path = f"steps.{depends_on[0]}.output.n"
        value = _read(path, plan.scope())
        return {**arguments, "n": f"${{{{ {path} }}}}"}, value if isinstance(value, int) else None
    n = plan.rng.randint(0, 9)
    return {**arguments, "n": n}, n


def _plan_mapping(rng: random.Random) -> str | None:
    if rng.random() < 0.75:
        return None
    return "${{ output.n }}" if rng.random() < 0.7 else "${{ output.absent }}"


def _plan_timer(plan: _Plan, step_id: str, depends_on: tuple[str, ...]) -> tuple[Step, Ending]:
    del depends_on
    return TimerStep(id=step_id, duration_ms=plan.rng.randint(0, 8_000)), Ending(status="completed")


def _plan_signal(plan: _Plan, step_id: str, depends_on: tuple[str, ...]) -> tuple[Step, Ending]:
    del depends_on
    timeout_ms, on_timeout, ending = _plan_wait(
        plan, step_id, Post(source="signal", name=f"go-{step_id}", payload={"n": 1})
    )
    return SignalStep(id=step_id, signal=f"go-{step_id}", timeout_ms=timeout_ms, on_timeout=on_timeout), ending


def _plan_event(plan: _Plan, step_id: str, depends_on: tuple[str, ...]) -> tuple[Step, Ending]:
    del depends_on
    post = Post(source="event", name=f"shop.{step_id}", payload={"ok": True, "n": plan.rng.randint(0, 9)})
    timeout_ms, on_timeout, ending = _plan_wait(plan, step_id, post)
    step = EventStep(
        id=step_id,
        event=post.name,
        correlation=plan.rng.choice((None, "${{ input.order }}")),
        match=plan.rng.choice((None, "event.ok")),
        timeout_ms=timeout_ms,
        on_timeout=on_timeout,
    )
    return step, ending


def _plan_wait(plan: _Plan, step_id: str, post: Post) -> tuple[int | None, Literal["fail", "continue"], Ending]:
    """Return time-out, what follows from it, and the ending: a message that comes has all the time in the world."""
    on_timeout: Literal["fail", "continue"] = plan.rng.choice(("fail", "continue"))
    if plan.rng.random() < 0.7:
        plan.posts[step_id] = post
        return plan.rng.choice((None, 3_600_000)), on_timeout, Ending(status="completed", output=post.payload)
    timeout_ms = plan.rng.randint(0, 6_000)
    if on_timeout == "continue":
        return timeout_ms, on_timeout, Ending(status="completed")
    return timeout_ms, on_timeout, _failed("WAIT_TIMED_OUT")


def _failed(*reasons: str) -> Ending:
    return Ending(status="failed", reasons=frozenset(reasons))


# --- expressions ------------------------------------------------------------------------------------------------------


def _plan_condition(plan: _Plan, depends_on: tuple[str, ...]) -> tuple[str | None, bool | None]:
    """Return a condition and its value; ``None`` as the value means that it cannot be computed."""
    rng = plan.rng
    if rng.random() < 0.65:
        return None, True
    kind = rng.choice(("flag", "not-flag", "count", "status", "ok"))
    if kind == "flag" or (kind in {"status", "ok"} and not depends_on):
        return "input.flag", plan.run_input["flag"] is True
    if kind == "not-flag":
        return "!input.flag", plan.run_input["flag"] is False
    if kind == "count":
        count = plan.run_input["count"]
        return "input.count > 2", isinstance(count, int) and count > 2
    step = depends_on[0]
    if kind == "status":
        return f"steps.{step}.status == 'completed'", plan.endings[step].status == "completed"
    value = _read(f"steps.{step}.output.ok", plan.scope())
    return f"steps.{step}.output.ok", value if isinstance(value, bool) else None


def _plan_output(plan: _Plan) -> tuple[JsonValue, JsonValue, str | None]:
    """Return the output's template, its value, and the reason of the failure if it has none."""
    rng = plan.rng
    step = rng.choice([step.id for step in plan.steps])
    paths = ("", f"steps.{step}.status", f"steps.{step}.output", f"steps.{step}.output.n", "input.absent")
    path = rng.choices(paths, weights=(3, 3, 3, 2, 1))[0]
    if not path:
        return None, None, None
    value = _read(path, plan.scope())
    if value == _MISSING:
        return {"value": f"${{{{ {path} }}}}"}, None, "EVALUATION_FAILED"
    return {"value": f"${{{{ {path} }}}}"}, {"value": value}, None


def _inside(text: JsonValue) -> str:
    """Return what a template ``${{ output.<name> }}`` reads."""
    assert isinstance(text, str)
    return text.removeprefix("${{ output.").removesuffix(" }}")


def _read(path: str, scope: Mapping[str, JsonValue]) -> JsonValue:
    """Follow a dotted path; what is not there is ``_MISSING``."""
    value: JsonValue = dict(scope)
    for part in path.split("."):
        if not isinstance(value, dict) or part not in value:
            return _MISSING
        value = value[part]
    return value
