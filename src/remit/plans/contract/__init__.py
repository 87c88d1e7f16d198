"""Planning contracts, fanout files and issue contracts: JSON and header files to records and plans, and back."""

from remit.plans.contract.converting import issues_of, open_fields, open_issue_text
from remit.plans.contract.front import read_contract_plan, read_fanout_plan, read_issue_plan
from remit.plans.contract.issue import read_issue
from remit.plans.contract.reading import read_contract, read_fanout
from remit.plans.contract.records import (
    NO_DEFAULTS,
    ContractDefaults,
    Criterion,
    Fanout,
    FanoutTask,
    IssueContract,
    Milestone,
    PlanningContract,
    Priority,
    Record,
    Role,
    Section,
)
from remit.plans.contract.registry import read_registry
from remit.plans.contract.sources import contract_likeness, fanout_likeness, has_header, issue_likeness
from remit.plans.contract.updating import mark_criterion, set_status
from remit.plans.contract.writing import write, write_issue_json

__all__ = [
    "NO_DEFAULTS",
    "ContractDefaults",
    "Criterion",
    "Fanout",
    "FanoutTask",
    "IssueContract",
    "Milestone",
    "PlanningContract",
    "Priority",
    "Record",
    "Role",
    "Section",
    "contract_likeness",
    "fanout_likeness",
    "has_header",
    "issue_likeness",
    "issues_of",
    "mark_criterion",
    "open_fields",
    "open_issue_text",
    "read_contract",
    "read_contract_plan",
    "read_fanout",
    "read_fanout_plan",
    "read_issue",
    "read_issue_plan",
    "read_registry",
    "set_status",
    "write",
    "write_issue_json",
]
