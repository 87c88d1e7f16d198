"""Estimates for each of several things: how many things there are.

Owns: finding the number that ``0.5d each`` is multiplied by, where the plan says it for certain.
Does not know: what the sums are compared with.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

from remit.plans.delivery.durations import days_text
from remit.plans.delivery.record import Duration, Entry, Item, Phase, Section
from remit.plans.plan import Place, TaskState
from remit.plans.texts import PlanReporter

_NUMBERS: Final = {
    word: number
    for number, word in enumerate(
        ("two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"), start=2
    )
}
_SPELLED: Final = "|".join(_NUMBERS)
_REPEATED: Final = re.compile(r"\b(?:for each|for every|repeat for|per)[ -](?:each |every )?(?P<thing>[a-z]{2,30})")
_COUNTED: Final = re.compile(rf"\b(?P<number>\d{{1,3}}|{_SPELLED}) (?P<thing>[a-z]{{2,30}})")
_SHOWN_MAX: Final = 8
"""So many items are named in a finding."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Things:
    """A list of things that a section may be repeated for. ``still_count`` are those that are not done yet.

    ``estimate`` is what the list gives each of them, ``None`` where it gives none or not the same to all.
    """

    count: int
    still_count: int
    at: Place
    estimate: Duration | None


def with_repeats(phase: Phase, reporter: PlanReporter) -> Phase:
    """Return the phase with the number of repeats of each item, and say how they were found."""
    if not any(item.duration is not None and item.duration.is_each for item in phase.items):
        return phase
    counted = _counted(phase.goal)
    lists: list[_Things] = []
    done: list[Section] = []
    for section in phase.sections:
        if len(section.entries) > 1:
            lists.append(_things(section.entries))
        listed = _repeated_for(section, lists, counted)
        items = tuple(_repeated(item, listed, reporter) for item in section.items)
        _report_multiplied(items, listed, reporter)
        if listed is not None:
            _report_contradiction(items, listed, reporter)
        done.append(replace(section, items=items))
    return replace(phase, sections=tuple(done))


def _things(entries: tuple[Entry, ...]) -> _Things:
    given = [entry.duration for entry in entries if entry.duration is not None]
    is_same = len({(one.days_min, one.days_max) for one in given}) == 1
    return _Things(
        count=len(entries),
        still_count=sum(entry.state is not TaskState.DONE for entry in entries),
        at=entries[0].at,
        estimate=given[0] if is_same else None,
    )


def _counted(goal: str) -> dict[str, set[int]]:
    """Return how many of each thing a goal speaks of."""
    found: dict[str, set[int]] = {}
    for match in _COUNTED.finditer(goal.lower()):
        found.setdefault(match["thing"].removesuffix("s"), set()).add(_number(match["number"]))
    return found


def _repeated_for(section: Section, lists: list[_Things], counted: dict[str, set[int]]) -> _Things | None:
    """Return the things that a section is repeated for; ``None`` where that is not certain."""
    title = section.title.lower()
    repeated = _REPEATED.search(title)
    if repeated is None or not lists or ("above" not in title and len(lists) > 1):
        return None
    # The goal may count them too; where it does not agree, nothing is certain.
    numbers = counted.get(repeated["thing"].removesuffix("s"), set())
    return lists[-1] if numbers <= {lists[-1].count} else None


def _repeated(item: Item, listed: _Things | None, reporter: PlanReporter) -> Item:
    duration = item.duration
    if duration is None or not duration.is_each:
        return item
    said = [_number(match["number"]) for match in _COUNTED.finditer(item.title.lower())]
    if len(said) == 1 and said[0]:
        return replace(item, repeats=said[0], repeats_open=said[0])
    if listed is not None:
        return replace(item, repeats=listed.count, repeats_open=listed.still_count)
    reporter.report(
        "ITEM_ESTIMATE_EACH_UNCLEAR",
        f"expected the plan to say for how many things {duration.written} is meant, got no number and no list that the "
        "section is repeated for; it is counted once, write the number",
        at=duration.at,
    )
    return item


def _report_multiplied(items: tuple[Item, ...], listed: _Things | None, reporter: PlanReporter) -> None:
    each = [(item, item.duration) for item in items if item.duration is not None and item.duration.is_each]
    if not each:
        return
    if listed is None:
        for item, duration in each:
            if item.repeats > 1:
                days = days_text(duration.days_max * item.repeats)
                reporter.report(
                    "ITEM_ESTIMATE_EACH",
                    f"expected days for all of them, got {duration.written}; it is read as {days}d, {item.repeats} "
                    "times that, for the number in the title",
                    at=duration.at,
                )
        return
    first = each[0][0]
    still = "" if first.repeats_open == first.repeats else f", {first.repeats_open} of which are not done"
    shown = ", ".join(
        f"{item.id} {days_text(duration.days_max * item.repeats)}d" for item, duration in each[:_SHOWN_MAX]
    )
    more = f" and {len(each) - _SHOWN_MAX} more" if len(each) > _SHOWN_MAX else ""
    reporter.report(
        "ITEM_ESTIMATE_EACH",
        f"expected days for all of them, got days for each; they are read as for the {listed.count} entries of the list"
        f"{still}: {shown}{more}",
        at=each[0][1].at,
        related={"the list": listed.at},
    )


def _report_contradiction(items: tuple[Item, ...], listed: _Things, reporter: PlanReporter) -> None:
    """Report when the list gives each thing another estimate than the checklist that is repeated for it."""
    each = [item.duration for item in items if item.duration is not None and item.duration.is_each]
    given = listed.estimate
    if not each or given is None:
        return
    low, high = _sum(each)
    if (low, high) == (given.days_min, given.days_max):
        return
    shown = days_text(low) if low == high else f"{days_text(low)}-{days_text(high)}"
    parts = " + ".join(one.written.removesuffix(" each") for one in each[:_SHOWN_MAX])
    reporter.report(
        "ITEM_ESTIMATE_EACH_CONTRADICTED",
        f"expected the items for each thing to sum to the {given.written} that the list gives it, got {shown}d "
        f"({parts}{' + …' if len(each) > _SHOWN_MAX else ''}); correct the list or the items",
        at=each[0].at,
        related={"the list": given.at},
    )


def _sum(durations: list[Duration]) -> tuple[Decimal, Decimal]:
    return (
        sum((one.days_min for one in durations), start=Decimal(0)),
        sum((one.days_max for one in durations), start=Decimal(0)),
    )


def _number(word: str) -> int:
    return _NUMBERS.get(word) or int(word)
