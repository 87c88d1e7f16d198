"""The front-ends of planning contracts, fanout files and issue contracts.

Owns: the order of work: text, record, rules, plan.
Does not know: how any of them is done.
"""

from __future__ import annotations

from remit.plans.contract.issue import read_issue
from remit.plans.contract.planning import plan_of_contract, plan_of_fanout, plan_of_issue
from remit.plans.contract.reading import read_contract, read_fanout
from remit.plans.contract.rules import check_contract, check_fanout, check_issue
from remit.plans.options import PlanOptions
from remit.plans.plan import Plan
from remit.plans.texts import PlanReporter, PlanText


def read_contract_plan(text: PlanText, reporter: PlanReporter, options: PlanOptions) -> Plan | None:
    """Return the plan that a planning contract is."""
    contract = read_contract(text, reporter)
    if contract is None:
        return None
    check_contract(contract, reporter, options.invariants)
    return plan_of_contract(contract)


def read_fanout_plan(text: PlanText, reporter: PlanReporter, options: PlanOptions) -> Plan | None:
    """Return the plan that a fanout file is."""
    fanout = read_fanout(text, reporter)
    if fanout is None:
        return None
    check_fanout(fanout, reporter, options.invariants)
    return plan_of_fanout(fanout)


def read_issue_plan(text: PlanText, reporter: PlanReporter, options: PlanOptions) -> Plan | None:
    """Return the plan that an issue contract is."""
    issue = read_issue(text, reporter)
    if issue is None:
        return None
    check_issue(issue, reporter, options.invariants)
    return plan_of_issue(issue)
