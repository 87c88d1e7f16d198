"""Checks of states: nothing is done before what it waits for.

Owns: the order in which items, tests, criteria and phases may be done.
Does not know: marks.
"""

from __future__ import annotations

from itertools import pairwise

from remit.diagnostics import Severity
from remit.plans.delivery.pairing import PairedBy, Pairing
from remit.plans.delivery.record import DeliveryPlan, DeliveryRule, Item, Phase
from remit.plans.plan import TaskState
from remit.plans.texts import PlanReporter


def check_states(plan: DeliveryPlan, pairing: Pairing, reporter: PlanReporter) -> None:
    """Report what is marked as done too early."""
    _check_tests(plan, pairing, reporter)
    for phase in plan.phases:
        for item in phase.items:
            _check_details(item, reporter)
        _check_phase(phase, reporter)
    _check_order(plan, reporter)


def _check_tests(plan: DeliveryPlan, pairing: Pairing, reporter: PlanReporter) -> None:
    items = {item.id: item for item in plan.items}
    rule = plan.states(DeliveryRule.TESTED_BEFORE_DONE)
    for work, pairs in pairing.tests_of().items():
        if items[work].state is not TaskState.DONE:
            continue
        late = [pair for pair in pairs if items[pair.test].state is not TaskState.DONE]
        if not late:
            continue
        related = {f"its test {pair.test}": items[pair.test].at for pair in late}
        if rule is not None:
            related["the rule"] = rule.at
        is_certain = rule is not None and any(pair.by is not PairedBy.ORDER for pair in late)
        said = " (the plan says so)" if rule is not None else ""
        reporter.report(
            "WORK_DONE_BEFORE_TEST",
            f"expected {work} to be done once its test is{said}, got it done with "
            f"{', '.join(pair.test for pair in late)} open; finish the test first, or take the mark back",
            at=items[work].mark_at,
            related=related,
            severity=Severity.ERROR if is_certain else Severity.WARNING,
        )


def _check_details(item: Item, reporter: PlanReporter) -> None:
    still = [detail for detail in item.details if detail.state not in {None, TaskState.DONE}]
    if item.state is TaskState.DONE and still:
        reporter.report(
            "ITEM_DONE_WITH_OPEN_PARTS",
            f"expected every part of {item.id} to be done, as it is, got {still[0].text[:60]!r} open; finish it, or "
            "take the mark back",
            at=item.mark_at,
            related={"the first open part": still[0].at},
        )


def _check_phase(phase: Phase, reporter: PlanReporter) -> None:
    if not phase.is_done:
        return
    still = [item for item in phase.items if item.state is not TaskState.DONE]
    if still:
        reporter.report(
            "PHASE_DONE_WITH_OPEN_ITEMS",
            f"expected every item of phase {phase.id} to be done, as its heading says, got {still[0].id} open; correct "
            "one of them",
            at=phase.at,
            related={f"{still[0].id}": still[0].at},
        )
    unmet = [criterion for criterion in phase.criteria if criterion.state not in {None, TaskState.DONE}]
    if unmet:
        reporter.report(
            "PHASE_DONE_WITH_OPEN_CRITERIA",
            f"expected the exit criteria of phase {phase.id} to be met, as it is done, got {unmet[0].text[:60]!r} "
            "open; meet it, or reopen an item",
            at=unmet[0].at,
            related={"the phase": phase.at},
        )


def _check_order(plan: DeliveryPlan, reporter: PlanReporter) -> None:
    """Report phases with progress while the one before them has items that are not done."""
    with_items = [phase for phase in plan.phases if phase.items]
    for before, phase in pairwise(with_items):
        started = [item for item in phase.items if item.state is not TaskState.PENDING]
        still = [item for item in before.items if item.state is not TaskState.DONE]
        if started and still:
            reporter.report(
                "PHASE_STARTED_EARLY",
                f"expected phase {phase.id} to begin when phase {before.id} has ended, got {started[0].id} begun with "
                f"{still[0].id} open; finish phase {before.id} first",
                at=started[0].mark_at,
                related={f"{still[0].id}": still[0].at},
            )
