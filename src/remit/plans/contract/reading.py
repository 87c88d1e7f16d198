"""Reading planning contracts and fanout files: from a tree to their records.

Owns: which fields must be there.
Does not know: the planning rules, and what a plan makes of a record.
"""

from __future__ import annotations

from remit.plans.contract import words
from remit.plans.contract.records import (
    NO_DEFAULTS,
    ContractDefaults,
    Fanout,
    FanoutTask,
    Milestone,
    PlanningContract,
    Role,
)
from remit.plans.contract.rules import require_declared
from remit.plans.contract.sources import read_root
from remit.plans.contract.values import Values
from remit.plans.fields import Fields
from remit.plans.texts import PlanReporter, PlanText


def read_contract(text: PlanText, reporter: PlanReporter) -> PlanningContract | None:
    """Return the planning contract that a text is, as far as it can be read; ``None`` if nothing can."""
    root = read_root(text, reporter, "planning-contract", what="a planning contract")
    if root is None:
        return None
    values = Values(Fields(reporter, root, words.CONTRACT))
    roadmap = values.nested("roadmap", words.ROADMAP)
    defaults = values.nested("contract_defaults", words.DEFAULTS)
    values.require("decisions")
    if roadmap is not None:
        roadmap.require("version", "objective")
    return PlanningContract(
        version="" if roadmap is None else roadmap.text("version"),
        objective="" if roadmap is None else roadmap.text("objective"),
        milestones=() if roadmap is None else tuple(map(_milestone, roadmap.each("milestones", words.MILESTONE))),
        defaults=NO_DEFAULTS if defaults is None else _defaults(defaults),
        decisions=values.texts("decisions"),
        schema=values.text(words.SCHEMA_FIELD),
    )


def read_fanout(text: PlanText, reporter: PlanReporter) -> Fanout | None:
    """Return the fanout file that a text is, as far as it can be read; ``None`` if nothing can."""
    root = read_root(text, reporter, "fanout", what="a fanout file")
    if root is None:
        return None
    values = Values(Fields(reporter, root, words.FANOUT))
    tasks = tuple(map(_task, values.each("tasks", words.FANOUT_TASK)))
    return Fanout(tasks=tasks, schema=values.text(words.SCHEMA_FIELD))


def _milestone(values: Values) -> Milestone:
    values.require("id", "title", "outcome", "dependencies", "risks", "risk_class", "max_diff_scope")
    values.require_some("acceptance")
    return Milestone(
        id=values.text("id"),
        title=values.text("title"),
        outcome=values.text("outcome"),
        dependencies=values.comma_references("dependencies"),
        acceptance=values.texts("acceptance"),
        risks=values.texts("risks"),
        risk_class=values.choice("risk_class", words.CLASSES),
        max_diff_scope=values.files_max("max_diff_scope"),
        at=values.fields.value_place("id"),
    )


def _defaults(values: Values) -> ContractDefaults:
    values.require("risk_class", "max_diff_scope", "evidence_required")
    values.require_some("acceptance_tests")
    values.require_some("invariants")
    return ContractDefaults(
        risk_class=values.choice("risk_class", words.CLASSES),
        max_diff_scope=values.files_max("max_diff_scope"),
        acceptance_tests=values.comma_texts("acceptance_tests"),
        invariants=values.comma_references("invariants"),
        evidence_required=values.truth("evidence_required"),
    )


def _task(values: Values) -> FanoutTask:
    values.require("title", "role")
    values.require_some("acceptance")
    role = values.choice("role", words.ROLES)
    require_declared(values, role)
    return FanoutTask(
        title=values.text("title"),
        role=role or Role.DEVELOPER,
        summary=values.text("summary"),
        labels=values.comma_texts("labels"),
        acceptance=values.texts("acceptance"),
        notes=values.text("notes"),
        chains=values.one_or_more("chains", singular="chain"),
        risk_class=values.choice("risk_class", words.CLASSES),
        max_diff_scope=values.files_max("max_diff_scope"),
        invariants=values.comma_references("invariants"),
        at=values.fields.value_place("title"),
    )
