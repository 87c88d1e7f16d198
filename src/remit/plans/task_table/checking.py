"""Checks of task tables: everything that a document says in two places.

Owns: the order of the checks.
Does not know: any of them in detail, and what all formats have in common.
"""

from __future__ import annotations

from remit.plans.plan import Plan
from remit.plans.task_table.counting import Counts
from remit.plans.task_table.details import Details
from remit.plans.task_table.distributions import check_distributions
from remit.plans.task_table.matrices import Matrices
from remit.plans.task_table.names import check_names
from remit.plans.task_table.notes import report_shorthands
from remit.plans.task_table.order_checks import Order, check_order
from remit.plans.task_table.schema_checks import check_schema
from remit.plans.task_table.totals import check_summary
from remit.plans.task_table.trace_checks import check_traces
from remit.plans.texts import PlanReporter


def check(details: Details, matrices: Matrices, plan: Plan, reporter: PlanReporter) -> None:
    """Report what the document contradicts itself in."""
    if not details.tasks:
        return
    counts = Counts(details)
    check_schema(details, reporter)
    check_summary(details, counts, reporter)
    check_distributions(details, counts, reporter)
    check_order(details, matrices, Order(plan), reporter)
    check_traces(details, matrices, reporter)
    check_names(details, reporter)
    report_shorthands(details, reporter)
