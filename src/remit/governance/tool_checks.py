"""Checks of a definition's tool calls: contracts, arguments, scopes, approval rules and bounds (CC-01 to CC-04).

Owns: what can be known of a call before it is made. Does not know: values that expressions compute.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, Protocol

import msgspec

from remit.core.canonical import JsonValue, digest
from remit.core.definition import Bounds, Definition, LoopStep, Step, ToolStep
from remit.core.expressions import compile_template
from remit.core.program import LOOP_ROOTS, RUN_ROOTS
from remit.core.states import Idempotency, SideEffectLevel
from remit.errors import ContractInvalidError, ExpressionError
from remit.governance.contracts import ToolContract, contract_digest
from remit.governance.expression_checks import known_properties
from remit.governance.findings import Findings, Pointer
from remit.governance.policy import BusinessConfig
from remit.governance.schemas import Schema, close_schema
from remit.governance.scopes import is_covered, matches_tool
from remit.governance.suggestions import did_you_mean

_POSITIVE_BOUNDS: Final = ("steps_max", "active_seconds_max", "tokens_max", "tool_calls_max", "loop_repeats_max")


class Contracts(Protocol):
    """Contracts by tool name and version."""

    def find_contract(self, name: str, version: str | None = None) -> ToolContract | None:
        """Return the contract of a version, or of the newest; ``None`` if there is none."""
        ...

    def names(self) -> Iterable[str]:
        """Return the names of all tools."""
        ...


class ToolChecks:
    """The checks of one definition's tool calls."""

    __slots__ = ("_contracts", "_definition", "_findings", "_policy")

    def __init__(
        self, definition: Definition, contracts: Contracts, policy: BusinessConfig | None, findings: Findings
    ) -> None:
        self._definition = definition
        self._contracts = contracts
        self._policy = policy
        self._findings = findings

    def check(self) -> None:
        """Check every tool step."""
        keyed: dict[tuple[str, str, str], tuple[str, Pointer]] = {}
        for index, step in enumerate(self._definition.steps):
            if isinstance(step, LoopStep):
                self._check_body(step, ("steps", index, "body"))
            elif isinstance(step, ToolStep):
                contract = self._check_call(step, ("steps", index))
                if contract is not None:
                    self._check_content_key(step, contract, ("steps", index), keyed)

    def _check_body(self, loop: LoopStep, pointer: Pointer) -> None:
        body = frozenset(step.id for step in loop.body)
        for place, step in enumerate(loop.body):
            contract = self._check_call(step, (*pointer, place)) if isinstance(step, ToolStep) else None
            if contract is not None and isinstance(step, ToolStep):
                self._check_iterations(step, contract, (*pointer, place, "input"), body)

    def _check_call(self, step: ToolStep, pointer: Pointer) -> ToolContract | None:
        self._check_numbers(step, pointer)
        contract = self._find(step, pointer)
        if contract is not None:
            self._check_arguments(step, contract, (*pointer, "input"))
            if self._policy is not None:
                self._check_policy(step, contract, (*pointer, "tool"), self._policy)
        return contract

    def _check_iterations(self, step: ToolStep, contract: ToolContract, pointer: Pointer, body: frozenset[str]) -> None:
        """Check a call of a loop's body: what it is told differs where it uses the loop, or another of its steps."""
        try:
            references = compile_template(dict(step.input), roots=LOOP_ROOTS).references
        except ExpressionError:
            return  # told with the other expressions
        if not any(path[0] == "iteration" or path[1:2] == () or path[1] in body for path in references):
            found = check_repeated_call(contract, step.input, varying=frozenset({"iteration"}), pointer=pointer).found
            for finding in found:
                self._findings.add(finding.code, finding.pointer, finding.message)

    def _find(self, step: ToolStep, step_pointer: Pointer) -> ToolContract | None:
        pointer = (*step_pointer, "tool")
        contract = self._contracts.find_contract(step.tool, step.tool_version or None)
        if contract is None:
            hint = did_you_mean(step.tool, self._contracts.names())
            newest = self._contracts.find_contract(step.tool)
            message = f"expected a known tool, got {step.tool!r}{hint}"
            if newest is not None:
                pointer = (*step_pointer, "tool_version")
                message = (
                    f"expected a known version of {step.tool}, got {step.tool_version!r}; newest is {newest.version}"
                )
            self._findings.add("TOOL_UNKNOWN", pointer, message)
            return None
        if step.contract_digest and step.contract_digest != contract_digest(contract):
            self._findings.add(
                "CONTRACT_CHANGED",
                pointer,
                f"expected the contract of {step.tool} {contract.version} as it is, got another digest; compile again",
            )
        return contract

    def _check_numbers(self, step: ToolStep, pointer: Pointer) -> None:
        for name, value, minimum in (
            ("timeout_ms", step.timeout_ms, 1),
            ("attempts_max", step.retry.attempts_max, 1),
            ("delay_initial_ms", step.retry.delay_initial_ms, 0),
            ("delay_max_ms", step.retry.delay_max_ms, 0),
            ("multiplier", step.retry.multiplier, 1),
        ):
            if value is not None and value < minimum:
                place = (*pointer, name) if name == "timeout_ms" else (*pointer, "retry", name)
                self._findings.add("VALUE_INVALID", place, f"expected at least {minimum} for {name}, got {value}")
        if not 0 <= step.retry.jitter_ratio <= 1:
            place = (*pointer, "retry", "jitter_ratio")
            self._findings.add("VALUE_INVALID", place, f"expected 0 to 1, got {step.retry.jitter_ratio}")

    def _check_arguments(self, step: ToolStep, contract: ToolContract, pointer: Pointer) -> None:
        check_template_input(step.input, contract.input_schema, pointer, self._findings, what=contract.name)

    def _check_content_key(
        self,
        step: ToolStep,
        contract: ToolContract,
        pointer: Pointer,
        keyed: dict[tuple[str, str, str], tuple[str, Pointer]],
    ) -> None:
        """Warn of two steps whose calls are one call, because their tool happens once per content."""
        if contract.idempotency is not Idempotency.ARGUMENTS or not contract.has_effect:
            return
        constant = _constant(dict(step.input))
        if constant is None:
            return
        key = (step.tool, step.tool_version, digest(constant[0]))
        first, place = keyed.setdefault(key, (step.id, pointer))
        if place != pointer:
            self._findings.add(
                "IDEMPOTENCY_SHARED",
                (*pointer, "input"),
                f"expected other arguments than those of step {first!r}, got equal ones; "
                f"{contract.name} happens once per content, so this step would only get the first one's outcome",
                related=(("the same call", (*place, "input")),),
            )

    def _check_policy(self, step: ToolStep, contract: ToolContract, pointer: Pointer, policy: BusinessConfig) -> None:
        principal = step.principal if isinstance(step.principal, str) else None
        if not is_covered(policy, contract=contract, principal_id=principal):
            whose = "" if principal is None else f" of principal {principal!r}"
            self._findings.add(
                "SCOPE_MISSING",
                pointer,
                f"expected a scope for {contract.name} ({contract.operation}){whose} in business config {policy.name}, "
                "got none; add one, with every host that the tool connects to",
            )
        if is_without_rule(policy, contract):
            self._findings.add(
                "APPROVAL_MISSING",
                pointer,
                f"expected an approval rule for {contract.name}, which moves money, in business config {policy.name}, "
                "got none; add one, if need be with a condition",
            )


def check_bounds_of(definition: Definition, policy: BusinessConfig | None, findings: Findings) -> None:
    """Check that the bounds are positive, and that the steps which always run fit into them."""
    check_positive(definition.bounds, findings)
    bounds = definition.bounds if policy is None else definition.bounds.tightened(policy.bounds)
    _check_counts(bounds, _calls(definition.steps, _first_iteration), "BOUNDS_TOO_SMALL", findings)
    if any(isinstance(step, LoopStep) for step in definition.steps) and not _is_reported(findings, "BOUNDS_TOO_SMALL"):
        _check_counts(bounds, _calls(definition.steps, _every_iteration), "BOUNDS_BELOW_ITERATIONS", findings)


_CAUSES: Final = {
    "BOUNDS_TOO_SMALL": "that many steps run without a condition",
    "BOUNDS_BELOW_ITERATIONS": "so many steps run if every loop needs all its iterations",
}


def _check_counts(bounds: Bounds, calls: Counter[str], code: str, findings: Findings) -> None:
    total = calls.total()
    needs = [("steps_max", bounds.steps_max, total), ("tool_calls_max", bounds.tool_calls_max, total)]
    needs += [
        (f"tool_calls_max_by_tool of {tool}", limit, calls[tool])
        for tool, limit in bounds.tool_calls_max_by_tool.items()
    ]
    for name, limit, needed in needs:
        if needed > limit > 0:
            message = f"expected {name} of at least {needed}, got {limit}: {_CAUSES[code]}"
            findings.add(code, ("bounds",), message)


def _calls(steps: Iterable[Step], iterations: Callable[[LoopStep], int]) -> Counter[str]:
    """Return how often each tool is called by steps without a condition, loops counted so many times."""
    calls: Counter[str] = Counter()
    for step in steps:
        if step.condition is not None:
            continue
        if isinstance(step, ToolStep):
            calls[step.tool] += 1
        elif isinstance(step, LoopStep):
            for tool, count in _calls(step.body, iterations).items():
                calls[tool] += count * iterations(step)
    return calls


def _first_iteration(_loop: LoopStep) -> int:
    return 1


def _every_iteration(loop: LoopStep) -> int:
    return max(loop.iterations_max, 1)


def _is_reported(findings: Findings, code: str) -> bool:
    return any(finding.code == code for finding in findings.found)


def check_positive(bounds: Bounds, findings: Findings) -> None:
    """Check that no bound forbids everything; a cost of zero allows free calls."""
    for name in _POSITIVE_BOUNDS:
        value = getattr(bounds, name)
        if value < 1:
            findings.add("BOUNDS_ZERO", ("bounds", name), f"expected {name} above zero, got {value}; nothing could run")
    if bounds.cost_usd_micros_max < 0:
        findings.add("BOUNDS_ZERO", ("bounds", "cost_usd_micros_max"), "expected zero or more, got less")
    for tool, limit in bounds.tool_calls_max_by_tool.items():
        if limit < 0:
            findings.add("BOUNDS_ZERO", ("bounds", "tool_calls_max_by_tool", tool), "expected zero or more, got less")


def check_template_input(
    given: Mapping[str, JsonValue], schema: Mapping[str, Any], pointer: Pointer, findings: Findings, *, what: str
) -> None:
    """Check a template against the schema of what it makes: its names, and the values that are constant."""
    known = known_properties(schema)
    if known is not None:
        for name in given:
            if name not in known:
                findings.add(
                    "ARGUMENT_UNKNOWN",
                    (*pointer, name),
                    f"expected an argument of {what}, got {name!r}{did_you_mean(name, known)}",
                )
    for name in schema.get("required", ()):
        if name not in given:
            findings.add("ARGUMENT_MISSING", pointer, f"expected {name!r} for {what}, got nothing; it is required")
    for name, value in given.items():
        constant = _constant(value)
        subschema = schema.get("properties", {}).get(name)
        if constant is not None and isinstance(subschema, Mapping):
            definitions = {keyword: schema[keyword] for keyword in ("$defs", "definitions") if keyword in schema}
            for message in _mismatches(constant[0], {**subschema, **definitions}):
                findings.add("ARGUMENT_INVALID", (*pointer, name), f"{message} ($ is {name})")


def is_without_rule(policy: BusinessConfig, contract: ToolContract) -> bool:
    """Whether a tool moves money and no approval rule is about it (CC-04)."""
    return contract.side_effect_level is SideEffectLevel.FINANCIAL and not any(
        matches_tool(rule.tool, contract.name) for rule in policy.approval_rules
    )


def check_repeated_call(
    contract: ToolContract, given: Mapping[str, JsonValue], *, varying: frozenset[str], pointer: Pointer
) -> Findings:
    """Check a call that is made again and again (in a loop, for each item, or by a poll).

    A tool that happens once per content needs an argument that differs each time.

    Args:
        contract: The tool's contract.
        given: The template of its arguments.
        varying: Roots of expressions that differ each time, like ``item``.
        pointer: Where the arguments stand.
    """
    findings = Findings()
    if contract.idempotency is not Idempotency.ARGUMENTS or not contract.has_effect:
        return findings
    references = compile_template(dict(given), roots=RUN_ROOTS | varying).references
    if not any(path[0] in varying for path in references):
        findings.add(
            "IDEMPOTENCY_REPEATED",
            pointer,
            f"expected an argument of {contract.name} that uses {' or '.join(sorted(varying))}, got none: it happens "
            "once per content, so every call after the first would do nothing",
        )
    return findings


def _mismatches(value: JsonValue, schema: Mapping[str, Any]) -> list[str]:
    try:
        return [str(mismatch) for mismatch in Schema(close_schema(schema)).mismatches(value)]
    except ContractInvalidError:
        return []  # it refers to a part of the whole; the call itself will be checked


def _constant(value: JsonValue) -> tuple[JsonValue] | None:
    """Return the value of a template that is constant, in a tuple because it may be null."""
    encoded = msgspec.json.encode(value)
    if b"${{" in encoded and b"$${{" not in encoded:
        return None  # not worth compiling
    try:
        template = compile_template(value, roots=RUN_ROOTS)
    except ExpressionError:
        return None
    return (template.render({}),) if template.is_constant else None
