"""Planning contracts, fanout files and issue contracts: JSON and header files to records and plans."""

from remit.plans.contract.front import read_contract_plan, read_fanout_plan, read_issue_plan
from remit.plans.contract.issue import read_issue
from remit.plans.contract.reading import read_contract, read_fanout
from remit.plans.contract.sources import contract_likeness, fanout_likeness, issue_likeness

__all__ = [
    "contract_likeness",
    "fanout_likeness",
    "issue_likeness",
    "read_contract",
    "read_contract_plan",
    "read_fanout",
    "read_fanout_plan",
    "read_issue",
    "read_issue_plan",
]
