"""Checks of human gates and loops by themselves, and of the principals that steps act as.

Owns: who must not decide, what lets a run go on, and the numbers of a loop. Does not know: expressions, tools.
"""

from __future__ import annotations

from typing import Final

from remit.core.definition import Definition, GateStep, LoopStep, ToolStep
from remit.governance.findings import Findings, Pointer
from remit.governance.graph_checks import every_step
from remit.governance.policy import BusinessConfig
from remit.governance.scopes import ANY
from remit.governance.suggestions import did_you_mean

ROLE_PREFIX: Final = "role:"
"""Begins an approver that stands for everyone with a role."""


def check_gates_and_loops(definition: Definition, policy: BusinessConfig | None, findings: Findings) -> None:
    """Check every gate and loop, and with a business config that it knows who acts."""
    acting = {
        step.principal
        for _, step in every_step(definition)
        if isinstance(step, ToolStep) and isinstance(step.principal, str)
    }
    for pointer, step in every_step(definition):
        match step:
            case GateStep():
                _check_approvers(step, pointer, acting, findings)
                _check_options(step, pointer, findings)
            case LoopStep():
                _check_loop(step, pointer, findings)
            case ToolStep() if isinstance(step.principal, str) and policy is not None:
                _check_principal(step.principal, (*pointer, "principal"), policy, findings)
            case _:
                pass


def _check_approvers(gate: GateStep, pointer: Pointer, acting: set[str], findings: Findings) -> None:
    if not gate.approvers:
        message = f"expected who may decide at gate {gate.id!r}, got nobody; name principals or roles in approvers"
        findings.add("GATE_APPROVER_MISSING", (*pointer, "approvers"), message)
        return
    for place, approver in enumerate(gate.approvers):
        if approver in acting:
            findings.add(
                "GATE_APPROVER_ACTS",
                (*pointer, "approvers", place),
                f"expected somebody who acts in no step, got {approver!r}, who does; who does the work must not "
                "decide about it",
            )
    if len(set(gate.approvers)) != len(gate.approvers):
        message = f"expected each approver once, got {', '.join(gate.approvers)}; remove one"
        findings.add("GATE_INVALID", (*pointer, "approvers"), message)
    has_role = any(approver.startswith(ROLE_PREFIX) for approver in gate.approvers)
    people = len(set(gate.approvers))
    is_too_many = gate.approvers_required > people and not has_role
    if gate.approvers_required < 1 or is_too_many:
        findings.add(
            "GATE_INVALID",
            (*pointer, "approvers_required"),
            f"expected 1 to {people} as approvers_required of gate {gate.id!r}, got {gate.approvers_required}; "
            "that many may decide",
        )


def _check_options(gate: GateStep, pointer: Pointer, findings: Findings) -> None:
    if len(set(gate.options)) != len(gate.options):
        message = f"expected each option once, got {', '.join(gate.options)}; remove one"
        findings.add("GATE_INVALID", (*pointer, "options"), message)
    for place, option in enumerate(gate.passing):
        if option not in gate.options:
            message = f"expected one of the options, got {option!r}{did_you_mean(option, gate.options)}"
            findings.add("GATE_INVALID", (*pointer, "passing", place), message)
    known = set(gate.passing) & set(gate.options)
    if not known:
        message = f"expected an option that lets the run go on after gate {gate.id!r}, got none; name one in passing"
        findings.add("GATE_INVALID", (*pointer, "passing"), message)
    elif known == set(gate.options):
        message = f"expected an option of gate {gate.id!r} that is not in passing, got none; nobody could refuse"
        findings.add("GATE_INVALID", (*pointer, "options"), message)
    if gate.timeout_ms is not None and gate.timeout_ms < 1:
        message = f"expected at least one millisecond, got {gate.timeout_ms}"
        findings.add("VALUE_INVALID", (*pointer, "timeout_ms"), message)


def _check_loop(loop: LoopStep, pointer: Pointer, findings: Findings) -> None:
    if not loop.body:
        message = f"expected at least one step in loop {loop.id!r}, got none; write what it repeats"
        findings.add("LOOP_EMPTY", (*pointer, "body"), message)
    if loop.iterations_max < 1:
        message = f"expected at least one iteration, got {loop.iterations_max}"
        findings.add("VALUE_INVALID", (*pointer, "iterations_max"), message)


def _check_principal(principal: str, pointer: Pointer, policy: BusinessConfig, findings: Findings) -> None:
    named = {name for scope in policy.scopes for name in scope.principals}
    if principal not in named:
        findings.add(
            "PRINCIPAL_UNKNOWN",
            pointer,
            f"expected a principal that a scope of business config {policy.name} names, got {principal!r}"
            f"{did_you_mean(principal, named - {ANY})}",
        )
