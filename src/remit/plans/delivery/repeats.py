"""Estimates for each of several things: how many things there are.

Owns: finding the number that ``0.5d each`` is multiplied by, where the plan says it for certain.
Does not know: what the sums are compared with.
"""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal
from typing import Final

from remit.plans.delivery.durations import days_text
from remit.plans.delivery.record import Duration, Entry, Item, Phase, Section
from remit.plans.plan import TaskState
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


def with_repeats(phase: Phase, reporter: PlanReporter) -> Phase:
    """Return the phase with the number of repeats of each item, and say how they were found."""
    if not any(item.duration is not None and item.duration.is_each for item in phase.items):
        return phase
    done: list[Section] = []
    for section in phase.sections:
        listed = _things(section, (*done, section), phase)
        items = tuple(_repeated(item, listed, reporter) for item in section.items)
        _report_multiplied(items, listed, reporter)
        if listed:
            _report_contradiction(items, listed, reporter)
        done.append(replace(section, items=items))
    return replace(phase, sections=tuple(done))


def _things(section: Section, before: tuple[Section, ...], phase: Phase) -> tuple[Entry, ...]:
    """Return the entries that a section is repeated for; none where that is not certain."""
    title = section.title.lower()
    repeated = _REPEATED.search(title)
    lists = [one.entries for one in before if len(one.entries) > 1]
    if repeated is None or not lists:
        return ()
    if "above" not in title and len(lists) > 1:
        return ()
    thing = repeated["thing"].removesuffix("s")
    entries = lists[-1]
    # The goal may count them too; where it does not agree, nothing is certain.
    counted = [
        _number(match["number"])
        for match in _COUNTED.finditer(phase.goal.lower())
        if match["thing"].removesuffix("s") == thing
    ]
    return () if any(number != len(entries) for number in counted) else entries


def _repeated(item: Item, listed: tuple[Entry, ...], reporter: PlanReporter) -> Item:
    duration = item.duration
    if duration is None or not duration.is_each:
        return item
    said = [_number(match["number"]) for match in _COUNTED.finditer(item.title.lower())]
    if len(said) == 1 and said[0]:
        return replace(item, repeats=said[0], repeats_open=said[0])
    if listed:
        still = sum(entry.state is not TaskState.DONE for entry in listed)
        return replace(item, repeats=len(listed), repeats_open=still)
    reporter.report(
        "ITEM_ESTIMATE_EACH_UNCLEAR",
        f"expected the plan to say for how many things {duration.written} is meant, got no number and no list that the "
        "section is repeated for; it is counted once, write the number",
        at=duration.at,
    )
    return item


def _report_multiplied(items: tuple[Item, ...], listed: tuple[Entry, ...], reporter: PlanReporter) -> None:
    each = [(item, item.duration) for item in items if item.duration is not None and item.duration.is_each]
    if not each:
        return
    if not listed:
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
    shown = ", ".join(f"{item.id} {days_text(duration.days_max * item.repeats)}d" for item, duration in each)
    reporter.report(
        "ITEM_ESTIMATE_EACH",
        f"expected days for all of them, got days for each; they are read as for the {len(listed)} entries of the list"
        f"{still}: {shown}",
        at=each[0][1].at,
        related={"the list": listed[0].at},
    )


def _report_contradiction(items: tuple[Item, ...], listed: tuple[Entry, ...], reporter: PlanReporter) -> None:
    """Report when the list gives each thing another estimate than the checklist that is repeated for it."""
    each = [item.duration for item in items if item.duration is not None and item.duration.is_each]
    given = [entry.duration for entry in listed if entry.duration is not None]
    if not each or len({(one.days_min, one.days_max) for one in given}) != 1:
        return
    low, high = _sum(each)
    if (low, high) == (given[0].days_min, given[0].days_max):
        return
    shown = days_text(low) if low == high else f"{days_text(low)}-{days_text(high)}"
    reporter.report(
        "ITEM_ESTIMATE_EACH_CONTRADICTED",
        f"expected the items for each thing to sum to the {given[0].written} that the list gives it, got {shown}d "
        f"({' + '.join(one.written.removesuffix(' each') for one in each)}); correct the list or the items",
        at=each[0].at,
        related={"the list": given[0].at},
    )


def _sum(durations: list[Duration]) -> tuple[Decimal, Decimal]:
    return (
        sum((one.days_min for one in durations), start=Decimal(0)),
        sum((one.days_max for one in durations), start=Decimal(0)),
    )


def _number(word: str) -> int:
    return _NUMBERS.get(word) or int(word)
