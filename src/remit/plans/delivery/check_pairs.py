"""Checks of pairs: work without a test, tests of no work item, and who tests whom.

Owns: what is said about the pairing.
Does not know: how pairs are found.
"""

from __future__ import annotations

from typing import Final

from remit.plans.delivery.lines import plain
from remit.plans.delivery.pairing import PairedBy, Pairing, is_work
from remit.plans.delivery.record import BUILDER, TESTER, DeliveryPlan, DeliveryRule, Item
from remit.plans.delivery.vocabulary import AFTER_TESTS, KINDS_OF_TESTS, TESTS, WRITING
from remit.plans.texts import PlanReporter

_SHOWN_MAX: Final = 6


def check_pairs(plan: DeliveryPlan, pairing: Pairing, reporter: PlanReporter) -> None:
    """Report what the pairing lacks, and pairs that only their order tells."""
    items = {item.id: item for item in plan.items}
    _report_untested(plan, pairing, items, reporter)
    _report_general(plan, pairing, items, reporter)
    for pair in pairing.pairs:
        if pair.by is PairedBy.ORDER:
            reporter.report(
                "TEST_PAIRED_BY_ORDER",
                f"expected {pair.test} to name what it tests, got a title that does not tell; it is taken "
                f"as the test of {pair.work} because of their order",
                at=items[pair.test].at,
                related={f"{pair.work}": items[pair.work].at},
            )
    _check_people(plan, reporter)
    _check_builder(plan, reporter)


def _report_untested(plan: DeliveryPlan, pairing: Pairing, items: dict[str, Item], reporter: PlanReporter) -> None:
    if not any(TESTER in item.roles for item in plan.items):
        return
    for id_ in pairing.untested:
        if _writes_tests(items[id_]):
            continue
        reporter.report(
            "WORK_WITHOUT_TEST",
            f"expected a test item for {id_}, {plain(items[id_].title)[:60]!r}, got none that follows or names it; add "
            "one, or name in a test what it tests",
            at=items[id_].at,
        )


def _report_general(plan: DeliveryPlan, pairing: Pairing, items: dict[str, Item], reporter: PlanReporter) -> None:
    """Report the test items of a phase that test no work item; one finding for each phase."""
    if not any(is_work(item) for item in plan.items):
        return
    general = frozenset(pairing.general)
    for phase in plan.phases:
        found = [item.id for item in phase.items if item.id in general]
        if not found:
            continue
        more = f" and {len(found) - _SHOWN_MAX} more" if len(found) > _SHOWN_MAX else ""
        named = (
            f"expected items of the tester to test items of phase {phase.id}, got {', '.join(found[:_SHOWN_MAX])}{more}"
        )
        one = f"{named}, which tests no single one; it is taken as an item of the whole phase"
        several = f"{named}, which test no single one; they are taken as items of the whole phase"
        reporter.report(
            "TEST_WITHOUT_WORK",
            one if len(found) == 1 else several,
            at=items[found[0]].at,
            related={id_: items[id_].at for id_ in found[1:_SHOWN_MAX]},
        )


def _check_people(plan: DeliveryPlan, reporter: PlanReporter) -> None:
    holders = {holder.role: holder for holder in plan.holders}
    builder, tester = holders.get(BUILDER), holders.get(TESTER)
    if builder is None or tester is None:
        return
    both = [name for name in builder.names if name in tester.names]
    if both:
        reporter.report(
            "BUILDER_IS_TESTER",
            f"expected builder and tester to be different, got {', '.join(both)} as both; nobody tests their own work",
            at=tester.at,
            related={"the builder": builder.at},
        )


def _check_builder(plan: DeliveryPlan, reporter: PlanReporter) -> None:
    rule = plan.states(DeliveryRule.BUILDER_WRITES_NO_TESTS)
    if rule is None:
        return
    for item in plan.items:
        if is_work(item) and _writes_tests(item):
            reporter.report(
                "BUILDER_WRITES_TESTS",
                f"expected the tester to write tests, as the plan says, got {item.id} of the builder, "
                f"{plain(item.title)[:60]!r}; give it to the tester",
                at=item.at,
                related={"the rule": rule.at},
            )


def _writes_tests(item: Item) -> bool:
    """Whether a title says that tests are written, and nothing else: `Write unit tests for …`, `Integration tests`."""
    words = plain(item.title).lower().replace(",", " ").replace("/", " ").split()
    if words and words[0] in WRITING:
        words = words[1:]
    for index, word in enumerate(words):
        if word in TESTS:
            following = words[index + 1] if index + 1 < len(words) else "for"
            return following in AFTER_TESTS
        if word not in KINDS_OF_TESTS:
            return False
    return False
