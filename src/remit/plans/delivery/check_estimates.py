"""Checks of estimates: what lacks one, and what phases sum to against their weeks and declared totals.

Owns: the comparisons. What can be read in two ways is reported only if it is wrong in both.
Does not know: how durations are written.
"""

from __future__ import annotations

from decimal import Decimal

from remit.plans.delivery.durations import (
    DAYS_OF_WEEK,
    days_text,
    duration_text,
    durations_in,
    find_foreign,
    hidden,
)
from remit.plans.delivery.record import DeliveryPlan, Duration, Item, Phase, letters
from remit.plans.delivery.sums import Days, PhaseSum, sum_phase
from remit.plans.texts import PlanReporter


def check_estimates(plan: DeliveryPlan, reporter: PlanReporter) -> None:
    """Report what is wrong with the estimates of a plan."""
    items = plan.items
    if items and all(item.duration is None for item in items):
        reporter.report(
            "ITEM_ESTIMATE_MISSING",
            "expected estimates such as (1.5d), got none in the whole plan; nothing can be summed",
            at=items[0].at,
        )
        return
    for item in items:
        if item.duration is None:
            _report_missing(item, reporter)
        elif len(item.roles) > 1:
            days = days_text(item.duration.days_max)
            reporter.report(
                "ITEM_ESTIMATE_SHARED",
                f"expected an item for each role, got {item.duration.written} for {letters(item.roles)} together; it "
                f"is read as {days}d for each of them",
                at=item.duration.at,
            )
    for phase in plan.phases:
        full = sum_phase(phase)
        still = sum_phase(phase, times=lambda item: item.repeats_open)
        _check_weeks(plan, phase, still, reporter)
        _check_total(phase, full, still, reporter)


def _report_missing(item: Item, reporter: PlanReporter) -> None:
    """Report an item without an estimate, unless it has one in another unit, which is said already."""
    title = hidden(item.title)
    if find_foreign(title, 0) is not None:
        return
    amounts = durations_in(title, 0)
    got = f"only {', '.join(one.written for one in amounts)} among its words" if amounts else "none"
    meant = f"({duration_text(amounts[0])})" if len(amounts) == 1 else "what it takes in brackets"
    remedy = f"write {meant} behind it if that is meant" if amounts else "add one"
    reporter.report(
        "ITEM_ESTIMATE_MISSING",
        f"expected an estimate of {item.id} such as (1.5d), got {got}; the sums of its phase lack it, {remedy}",
        at=item.at,
    )


def _check_weeks(plan: DeliveryPlan, phase: Phase, still: PhaseSum, reporter: PlanReporter) -> None:
    """Report roles with more to do than the weeks of a phase hold, even if what is done already does not count."""
    if phase.weeks is None:
        return
    over: list[str] = []
    for role, days in still.days.items():
        people = max(1, len(plan.names(role)))
        held = phase.weeks.count * DAYS_OF_WEEK * people
        if role and days.days_min > held:
            over.append(f"{role} {days_text(days.days_min)}d of {held}d")
    if over:
        weeks = "week" if phase.weeks.count == 1 else "weeks"
        reporter.report(
            "PHASE_OVERBOOKED",
            f"expected the items of phase {phase.id} to fit into {phase.weeks.count} {weeks} of {DAYS_OF_WEEK} working "
            f"days for each person, got {', '.join(over)}; give the phase more weeks, or move items",
            at=phase.weeks.at,
            related={"the phase": phase.at},
        )


def _check_total(phase: Phase, full: PhaseSum, still: PhaseSum, reporter: PlanReporter) -> None:
    total = phase.total
    if total is None or full.unestimated:
        return
    readings = [full.total, still.total, _once(phase, full), _once(phase, still)]
    if any(_agrees(total, reading) for reading in readings):
        return
    other = "" if full.total == still.total else f" ({_shown(still.total)} without what the list marks as done)"
    shares = ", ".join(f"{role or 'nobody'} {_shown(days)}" for role, days in full.days.items())
    reporter.report(
        "PHASE_TOTAL_CONTRADICTED",
        f"expected the items of phase {phase.id} to sum to the declared total of {total.written}, got "
        f"{_shown(full.total)}{other}: {shares}; correct the total or the items",
        at=total.at,
        related={"the phase": phase.at},
    )


def _once(phase: Phase, sums: PhaseSum) -> Days:
    """Return the total if an item of several roles counts once."""
    low, high = sums.total.days_min, sums.total.days_max
    for item in phase.items:
        if item.duration is not None and len(item.roles) > 1:
            low -= item.duration.days_min * (len(item.roles) - 1)
            high -= item.duration.days_max * (len(item.roles) - 1)
    return Days(days_min=low, days_max=high)


def _agrees(total: Duration, days: Days) -> bool:
    """Whether a sum is what is declared; ``~14d`` is whatever rounds to 14."""
    slack = Decimal(0)
    if total.is_approximate:
        exponent = total.days_max.as_tuple().exponent
        slack = Decimal(1).scaleb(min(int(exponent), 0)) / 2
    return days.days_min - slack <= total.days_max and total.days_min <= days.days_max + slack


def _shown(days: Days) -> str:
    if days.days_min == days.days_max:
        return f"{days_text(days.days_min)}d"
    return f"{days_text(days.days_min)}-{days_text(days.days_max)}d"
