"""Compile checks: everything that can be known to be wrong before a run.

Owns: the order of the checks, and that all findings come at once. The codes are in ``findings.CHECK_CODES``.
Does not know: the text that was compiled. Pure: the same definition, contracts and business config give the same list.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from remit.core.definition import Definition, EventStep, SignalStep, TimerStep
from remit.errors import ContractInvalidError
from remit.governance.contracts import ToolContract
from remit.governance.expression_checks import ExpressionChecks
from remit.governance.findings import Finding, Findings
from remit.governance.gate_checks import check_gates_and_loops
from remit.governance.graph_checks import check_graph, every_step
from remit.governance.policy import BusinessConfig
from remit.governance.policy_checks import check_business_config
from remit.governance.schemas import require_schema
from remit.governance.tool_checks import Contracts, ToolChecks, check_bounds_of, check_template_input


def check_definition(
    definition: Definition,
    *,
    contracts: Contracts | Mapping[str, ToolContract],
    policy: BusinessConfig | None = None,
) -> list[Finding]:
    """Return everything that is wrong with a definition, in the order of its places.

    Args:
        definition: The definition; expressions need not compile, tools need not exist.
        contracts: The tools that steps may call.
        policy: The business config that runs will be under; with it scopes, approval rules and its bounds are checked.
    """
    findings = Findings()
    graph = check_graph(definition, findings)
    ExpressionChecks(definition, graph, findings).check()
    ToolChecks(definition, _contracts(contracts), policy, findings).check()
    check_bounds_of(definition, policy, findings)
    check_gates_and_loops(definition, policy, findings)
    _check_waits(definition, findings)
    _check_input(definition, findings)
    return findings.in_order()


def check_policy(
    config: BusinessConfig, *, contracts: Contracts | Mapping[str, ToolContract] | None = None
) -> list[Finding]:
    """Return everything that is wrong with a business config, in the order of its places.

    Args:
        config: The business config.
        contracts: The tools that there are; without them scopes and rules are not held against tools.
    """
    findings = Findings()
    check_business_config(config, None if contracts is None else _contracts(contracts), findings)
    return findings.in_order()


def _check_waits(definition: Definition, findings: Findings) -> None:
    for pointer, step in every_step(definition):
        match step:
            case TimerStep() if step.duration_ms < 0:
                message = f"expected zero or more milliseconds, got {step.duration_ms}"
                findings.add("VALUE_INVALID", (*pointer, "duration_ms"), message)
            case SignalStep() | EventStep() if step.timeout_ms is not None and step.timeout_ms < 1:
                message = f"expected at least one millisecond, got {step.timeout_ms}"
                findings.add("VALUE_INVALID", (*pointer, "timeout_ms"), message)
            case _:
                pass


def _check_input(definition: Definition, findings: Findings) -> None:
    if not definition.input_schema:
        return
    try:
        require_schema(definition.input_schema)
    except ContractInvalidError as error:
        findings.add("SCHEMA_MALFORMED", ("input_schema",), error.message)
        return
    for index, trigger in enumerate(definition.triggers):
        pointer = ("triggers", index, "input")
        check_template_input(trigger.input, definition.input_schema, pointer, findings, what=definition.name)


class _Table:
    """Contracts of one version of each tool."""

    def __init__(self, contracts: Mapping[str, ToolContract]) -> None:
        self._contracts = contracts

    def find_contract(self, name: str, version: str | None = None) -> ToolContract | None:
        contract = self._contracts.get(name)
        return contract if contract is not None and version in {None, contract.version} else None

    def names(self) -> Iterable[str]:
        return self._contracts.keys()


def _contracts(contracts: Contracts | Mapping[str, ToolContract]) -> Contracts:
    return _Table(contracts) if isinstance(contracts, Mapping) else contracts
