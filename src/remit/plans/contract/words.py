"""The words of planning contracts, fanout files and issue contracts: fields, choices, known invariants, labels.

Owns: the tables. Schemas, reader and writer go by them; tests compare.
Does not know: what a value must look like.
"""

from __future__ import annotations

import re
from typing import Final

from remit.plans.contract.records import Priority, Role
from remit.plans.fields import FieldTable
from remit.plans.plan import RiskClass

SCHEMA_FIELD: Final = "$schema"
"""May stand in every document and says nothing about its content."""

CONTRACT: Final = FieldTable(
    what="a planning contract",
    names=frozenset({SCHEMA_FIELD, "roadmap", "contract_defaults", "decisions"}),
)
ROADMAP: Final = FieldTable(what="the roadmap", names=frozenset({"version", "objective", "milestones"}))
MILESTONE: Final = FieldTable(
    what="a milestone",
    names=frozenset(
        {"id", "title", "outcome", "dependencies", "acceptance", "risks", "risk_class", "max_diff_scope"},
    ),
    other_names={"depends_on": "dependencies", "acceptance_criteria": "acceptance"},
    elsewhere={
        **dict.fromkeys(("role", "labels", "summary", "notes", "chains"), "a task of a fanout file has it"),
        **dict.fromkeys(("acceptance_tests", "invariants", "evidence_required"), "the contract defaults have it"),
        **dict.fromkeys(("status", "priority", "allowed_paths", "denied_paths"), "an issue contract has it"),
    },
)
DEFAULTS: Final = FieldTable(
    what="the contract defaults",
    names=frozenset({"risk_class", "max_diff_scope", "acceptance_tests", "invariants", "evidence_required"}),
)
FANOUT: Final = FieldTable(what="a fanout file", names=frozenset({SCHEMA_FIELD, "tasks"}))
FANOUT_TASK: Final = FieldTable(
    what="a fanout task",
    names=frozenset(
        {
            "title", "role", "summary", "labels", "acceptance", "notes", "chains", "risk_class", "max_diff_scope",
            "invariants",
        }
    ),
    other_names={"objective": "summary", "acceptance_criteria": "acceptance", "chain": "chains"},
    elsewhere={
        **dict.fromkeys(("depends_on", "dependencies"), "a fanout knows no order: write it into the notes"),
        **dict.fromkeys(("priority", "status"), "write a label such as priority/p1"),
        **dict.fromkeys(("acceptance_tests", "evidence_required"), "the defaults of the planning contract say it"),
        **dict.fromkeys(("allowed_paths", "denied_paths", "complexity", "id"), "an issue contract has it"),
    },
)  # fmt: skip
HEADER_FIELDS: Final = (
    "id", "role", "status", "priority", "depends_on", "title", "complexity", "risk_class", "max_diff_scope",
    "allowed_paths", "denied_paths", "acceptance_tests", "invariants", "non_goals", "evidence_required",
)  # fmt: skip
"""The header of an issue contract, in the order in which it is written."""

ISSUE_HEADER: Final = FieldTable(what="an issue contract", names=frozenset(HEADER_FIELDS))
ISSUE_JSON: Final = FieldTable(
    what="an issue contract", names=frozenset({SCHEMA_FIELD, *HEADER_FIELDS, "preamble", "sections"})
)
SECTION: Final = FieldTable(what="a section", names=frozenset({"title", "text"}))

LIST_FIELDS: Final = frozenset({"depends_on", "allowed_paths", "denied_paths", "acceptance_tests", "invariants"})
"""Fields of the header that hold several values, separated by commas."""

SECTIONS: Final = ("Objective", "In Scope", "Out of Scope", "Acceptance Criteria", "Non Goals")
"""The sections that an issue contract must have."""

ACCEPTANCE: Final = "Acceptance Criteria"

ROLES: Final = tuple(Role)
PRIORITIES: Final = tuple(Priority)
CLASSES: Final = tuple(RiskClass)
STATUSES: Final = ("ready", "in-progress", "blocked", "done", "cancelled")
"""The known ones; a queue may have others, which nobody picks up."""

ISSUE_ID: Final = re.compile(r"I-[0-9]{4,9}")

INVARIANTS: Final = frozenset(
    {
        "canonical_event_id_unique", "replay_idempotent", "cursor_monotonic", "signed_delta_conservation",
        "solana_fee_event_coverage", "base_fee_split_coverage", "reorg_recovery_deterministic",
        "chain_adapter_runtime_wired",
    }
)  # fmt: skip
"""The ids that are known where nobody gives others."""

LABEL: Final = re.compile(r"(?:type|area|priority|release)/.+|sev[0-3]|risk/high|decision/major")
"""Labels that mean something; others are dropped by those who make issues of a fanout."""

MAJOR_DECISION: Final = "decision/major"
FANOUT_TASKS_MAX: Final = 8
"""So many tasks of a fanout become issues; the ones after them are left out."""

FILES_MAX: Final = 1_000_000
"""Largest diff boundary; one that allows more bounds nothing."""
