"""Sums: how many items and person-days each role has in each phase.

Owns: the arithmetic. An item of several roles counts once for each of them.
Does not know: what the sums are compared with.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from remit.plans.delivery.record import DeliveryPlan, Item, Phase

_NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Days:
    """Person-days between two bounds."""

    days_min: Decimal = _NOTHING
    days_max: Decimal = _NOTHING

    def plus(self, other: Days) -> Days:
        """Return the sum of both."""
        return Days(days_min=self.days_min + other.days_min, days_max=self.days_max + other.days_max)


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseSum:
    """The sums of one phase.

    ``items`` counts by roles: an item of builder, tester and human is one of its own. ``days`` are person-days by role;
    ``unestimated`` the ids of items without an estimate, which no sum has.
    """

    phase: str
    items: Mapping[tuple[str, ...], int]
    days: Mapping[str, Days]
    unestimated: tuple[str, ...]

    @property
    def total(self) -> Days:
        """Return the person-days of all roles together."""
        found = Days()
        for days in self.days.values():
            found = found.plus(days)
        return found


def phase_sums(plan: DeliveryPlan) -> tuple[PhaseSum, ...]:
    """Return the sums of each phase, in order."""
    return tuple(sum_phase(phase) for phase in plan.phases)


def sum_phase(phase: Phase, *, times: Callable[[Item], int] = lambda item: item.repeats) -> PhaseSum:
    """Return the sums of a phase.

    Args:
        phase: The phase.
        times: How often an item is done whose estimate is for each of several things.
    """
    days: dict[str, Days] = {}
    for item in phase.items:
        for role in item.roles or ("",):
            days[role] = days.get(role, Days()).plus(_days(item, times(item)))
    return PhaseSum(
        phase=phase.id,
        items=dict(Counter(item.roles for item in phase.items)),
        days=days,
        unestimated=tuple(item.id for item in phase.items if item.duration is None),
    )


def _days(item: Item, times: int) -> Days:
    if item.duration is None:
        return Days()
    return Days(days_min=item.duration.days_min * times, days_max=item.duration.days_max * times)
