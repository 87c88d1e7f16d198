"""Writing planning contracts, fanout files and issue contracts in their canonical form.

Owns: the form. Reading what was written gives the record back.
Does not know: where a record comes from. What a record does not say is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from remit.plans.contract.records import (
    ContractDefaults,
    Fanout,
    FanoutTask,
    IssueContract,
    Milestone,
    PlanningContract,
    Record,
    Section,
)
from remit.plans.contract.words import HEADER_FIELDS, SCHEMA_FIELD
from remit.plans.json_text import json_text
from remit.plans.plan import Reference, Text


def write(record: Record) -> str:
    """Return the canonical text of a record: JSON, or the header file of an issue contract."""
    match record:
        case PlanningContract():
            return json_text({**_schema(record.schema), **_contract(record)})
        case Fanout():
            return json_text({**_schema(record.schema), "tasks": [_fanout_task(task) for task in record.tasks]})
        case IssueContract():
            return issue_text(record, issue_fields(record))


def write_issue_json(issue: IssueContract) -> str:
    """Return an issue contract as JSON."""
    fields = {name: value for name, value in issue_fields(issue).items() if _says(value)}
    preamble = {"preamble": issue.preamble} if issue.preamble else {}
    return json_text(
        {**_schema(issue.schema), **fields, **preamble, "sections": [_section(section) for section in issue.sections]}
    )


def _contract(contract: PlanningContract) -> dict[str, Any]:
    return {
        "roadmap": {
            "version": contract.version,
            "objective": contract.objective,
            "milestones": [_milestone(milestone) for milestone in contract.milestones],
        },
        "contract_defaults": _defaults(contract.defaults),
        "decisions": _texts(contract.decisions),
    }


def _milestone(milestone: Milestone) -> dict[str, Any]:
    return {
        "id": milestone.id,
        "title": milestone.title,
        "outcome": milestone.outcome,
        "dependencies": _ids(milestone.dependencies),
        "acceptance": _texts(milestone.acceptance),
        "risks": _texts(milestone.risks),
        **_said({"risk_class": milestone.risk_class, "max_diff_scope": milestone.max_diff_scope}),
    }


def _defaults(defaults: ContractDefaults) -> dict[str, Any]:
    return {
        **_said({"risk_class": defaults.risk_class, "max_diff_scope": defaults.max_diff_scope}),
        "acceptance_tests": _texts(defaults.acceptance_tests),
        "invariants": _ids(defaults.invariants),
        **_said({"evidence_required": defaults.evidence_required}),
    }


def _fanout_task(task: FanoutTask) -> dict[str, Any]:
    return _said(
        {
            "title": task.title,
            "role": task.role,
            "summary": task.summary,
            "labels": _texts(task.labels),
            "acceptance": _texts(task.acceptance),
            "notes": task.notes,
            "chains": _texts(task.chains),
            "risk_class": task.risk_class,
            "max_diff_scope": task.max_diff_scope,
            "invariants": _ids(task.invariants),
        }
    )


def issue_fields(issue: IssueContract) -> dict[str, Any]:
    """Return the fields of the header in their order."""
    values: dict[str, Any] = {
        "id": issue.id,
        "role": issue.role,
        "status": issue.status,
        "priority": issue.priority,
        "depends_on": _ids(issue.depends_on),
        "title": issue.title,
        "complexity": issue.complexity,
        "risk_class": issue.risk_class,
        "max_diff_scope": issue.max_diff_scope,
        "allowed_paths": _texts(issue.allowed_paths),
        "denied_paths": _texts(issue.denied_paths),
        "acceptance_tests": _texts(issue.acceptance_tests),
        "invariants": _ids(issue.invariants),
        "non_goals": issue.non_goals,
        "evidence_required": issue.evidence_required,
    }
    assert tuple(values) == HEADER_FIELDS
    return values


def _section(section: Section) -> dict[str, str]:
    return {"title": section.title, "text": section.text}


def issue_text(issue: IssueContract, fields: Mapping[str, Any]) -> str:
    """Return the header file of an issue contract with these fields in its header."""
    header = [f"{name}: {_header_value(value)}" for name, value in fields.items() if _says(value)]
    preamble = [issue.preamble] if issue.preamble else []
    sections = [f"## {section.title}\n\n{section.text}".rstrip() for section in issue.sections]
    return "\n".join([*header, "---"]) + "\n\n" + "\n\n".join([*preamble, *sections]) + "\n"


def _header_value(value: object) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case list():
            return ", ".join(value)
        case _:
            return str(value)


def _schema(address: str) -> dict[str, str]:
    return {SCHEMA_FIELD: address} if address else {}


def _texts(texts: Iterable[Text]) -> list[str]:
    return [text.text for text in texts]


def _ids(references: Iterable[Reference]) -> list[str]:
    return [reference.id for reference in references]


def _said(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if _says(value)}


def _says(value: object) -> bool:
    return value is not None and value not in ("", [])
