"""Checks of gates, risks and responsibilities.

Owns: what must agree between the places that declare gates, and what a register must have.
Does not know: how they are written.
"""

from __future__ import annotations

from dataclasses import dataclass

from remit.plans.delivery.chapters import Chapters
from remit.plans.delivery.gates import GateMention
from remit.plans.delivery.record import DeliveryPlan, DeliveryRisk, Gate, Involvement
from remit.plans.delivery.vocabulary import LEVELS
from remit.plans.texts import PlanReporter


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What a document says and the record does not keep: headings as written, and where gates are mentioned."""

    chapters: Chapters
    mentions: tuple[GateMention, ...]


def check_gates(plan: DeliveryPlan, evidence: Evidence, reporter: PlanReporter) -> None:
    """Report what is wrong with gates, risks and responsibilities."""
    _check_gates(plan, reporter)
    _check_mentions(plan, evidence, reporter)
    _check_risks(plan, reporter)
    for row in plan.responsibilities:
        if row.shares and not any(share.involvement is Involvement.PRIMARY for share in row.shares):
            reporter.report(
                "RESPONSIBILITY_UNOWNED",
                f"expected one role to own {row.text[:60]!r}, got none; mark one",
                at=row.at,
            )


def _check_gates(plan: DeliveryPlan, reporter: PlanReporter) -> None:
    ids: dict[str, Gate] = {}
    phases: dict[str, Gate] = {}
    for gate in plan.gates:
        if not gate.after:
            reporter.report(
                "GATE_UNPLACED",
                f"expected gate {gate.id} to say which phase it follows, `(After Phase 5)`, got none; add it",
                at=gate.at,
            )
        first = ids.setdefault(gate.id, gate)
        if first is not gate:
            reporter.report(
                "GATE_REPEATED",
                f"expected each gate once, got gate {gate.id} again; remove one, or name it anew",
                at=gate.at,
                related={f"the first gate {gate.id}": first.at},
            )
            continue
        same = phases.setdefault(gate.after, gate)
        if gate.after and same is not gate:
            reporter.report(
                "GATE_REPEATED",
                f"expected one gate after phase {gate.after}, got {same.id} and {gate.id}; make one of them",
                at=gate.at,
                related={f"gate {same.id}": same.at},
            )


def _check_mentions(plan: DeliveryPlan, evidence: Evidence, reporter: PlanReporter) -> None:
    declared = {gate.after: gate for gate in plan.gates if gate.after}
    if not declared or all(gate.at == mention.at for gate in plan.gates for mention in evidence.mentions[:1]):
        return
    for mention in evidence.mentions:
        more = [number for number in mention.numbers if number not in declared]
        fewer = [number for number in declared if number not in mention.numbers] if mention.is_all else []
        if not more and not fewer:
            continue
        names = ", ".join(declared)
        reporter.report(
            "GATE_CONTRADICTED",
            f"expected gates after phases {names}, as declared, got {' '.join(mention.text.split())[:80]!r}; make them "
            "agree",
            at=mention.at,
            related={f"gate {gate.id}": gate.at for gate in list(declared.values())[:4]},
        )


def _check_risks(plan: DeliveryPlan, reporter: PlanReporter) -> None:
    first: dict[str, DeliveryRisk] = {}
    has_mitigations = any(risk.mitigation for risk in plan.risks)
    for risk in plan.risks:
        before = first.setdefault(risk.id, risk)
        if risk.id and before is not risk:
            reporter.report(
                "RISK_REPEATED",
                f"expected each risk id once, got {risk.id} again; number it anew",
                at=risk.at,
                related={f"the first {risk.id}": before.at},
            )
        if has_mitigations and not risk.mitigation:
            reporter.report(
                "RISK_MITIGATION_MISSING",
                f"expected a mitigation of {risk.id or risk.text[:40]!r}, got none; write one, or that it is accepted",
                at=risk.at,
            )
        for name, level in (("impact", risk.impact), ("likelihood", risk.likelihood)):
            words = level.lower().replace("/", " ").replace("-", " ").strip("* ").split()
            if words and not level[:1].isdigit() and words[0] not in LEVELS:
                reporter.report(
                    "RISK_LEVEL_UNKNOWN",
                    f"expected the {name} of {risk.id or risk.text[:40]!r} to be low, medium, high or critical, got "
                    f"{level[:40]!r}",
                    at=risk.at,
                )
