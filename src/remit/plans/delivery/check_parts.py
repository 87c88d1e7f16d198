"""Checks of what each phase should have, and of items that stand twice.

Owns: goals, exit criteria, empty phases, repeated items, items whose roles nobody gives.
Does not know: numbers and estimates.
"""

from __future__ import annotations

from typing import Final

from remit.plans.delivery.lines import plain
from remit.plans.delivery.pairing import stems_of
from remit.plans.delivery.record import DeliveryPlan, Item, Phase, Section
from remit.plans.texts import PlanReporter

_WORDS_MIN: Final = 2
"""Items of different sections are the same only if their titles have so many words that say something."""


def check_parts(plan: DeliveryPlan, reporter: PlanReporter) -> None:
    """Report phases that lack something, and items that stand twice."""
    _check_goals(plan.phases, reporter)
    for phase in plan.phases:
        _check_phase(phase, reporter)
        _check_repeated(phase, reporter)
    if plan.items and not any(item.roles for item in plan.items):
        reporter.report(
            "ITEM_ROLE_MISSING",
            "expected items to say who does them, (B), (T) or (H), got none that does; nothing can be paired or summed "
            "by role",
            at=plan.items[0].at,
        )


def _check_phase(phase: Phase, reporter: PlanReporter) -> None:
    if not phase.items:
        reporter.report(
            "PHASE_EMPTY",
            f"expected items in phase {phase.id}, such as `- [ ] (B) Title (1d)`, got none; add them",
            at=phase.at,
        )


def _check_goals(phases: tuple[Phase, ...], reporter: PlanReporter) -> None:
    """Report phases without goal or exit criteria; where no phase has any, the first stands for all."""
    aimless = [phase for phase in phases if not phase.goal]
    endless = [phase for phase in phases if not phase.criteria]
    for phase in aimless if len(aimless) < len(phases) else aimless[:1]:
        whose = f"phase {phase.id}" if len(aimless) < len(phases) else "each phase"
        reporter.report(
            "PHASE_GOAL_MISSING",
            f"expected a goal of {whose}, `**Goal:** …`, got none; say what it is for",
            at=phase.at,
        )
    for phase in endless if len(endless) < len(phases) else endless[:1]:
        whose = f"phase {phase.id}" if len(endless) < len(phases) else "each phase"
        reporter.report(
            "EXIT_CRITERIA_MISSING",
            f"expected exit criteria of {whose}, `**Exit Criteria**` and a list, got none; say when it has ended",
            at=phase.at,
        )


def _check_repeated(phase: Phase, reporter: PlanReporter) -> None:
    """Report items with the same words; a title such as `Tests`, which says only what kind of item it is, may recur."""
    first: dict[tuple[tuple[str, ...], str], tuple[Section, Item]] = {}
    for section in phase.sections:
        for item in section.items:
            words = len(stems_of(item))
            where, before = first.setdefault((item.roles, plain(item.title).casefold()), (section, item))
            if before is item or not words or (where is not section and words < _WORDS_MIN):
                continue
            reporter.report(
                "ITEM_REPEATED",
                f"expected each item once, got {plain(item.title)[:60]!r} again; remove one, or say how they differ",
                at=item.at,
                related={f"the same item, {before.id}": before.at},
            )
