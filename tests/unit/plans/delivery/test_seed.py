"""A real plan of 11 phases whose text is mojibake: what is read, counted, paired and found."""

from decimal import Decimal
from pathlib import Path

import pytest

from remit.diagnostics import Diagnostics
from remit.plans.delivery import DeliveryPlan, PairedBy, PhaseSum, pair_items, phase_sums, read_delivery
from remit.plans.formats import PlanReading, read_plan
from remit.plans.plan import PlanFormat, TaskKind
from remit.plans.texts import PlanReporter, read_text

SEED = Path(__file__).parents[3] / "plans" / "seeds" / "orchestration-delivery-plan.md"
RAW = SEED.read_bytes()

BUILDER = ("builder",)
TESTER = ("tester",)


@pytest.fixture(scope="module")
def record() -> DeliveryPlan:
    diagnostics = Diagnostics()
    text = read_text(RAW, path="plan.md", diagnostics=diagnostics)
    assert text is not None
    found = read_delivery(text, PlanReporter(text, diagnostics))
    assert found is not None
    return found


@pytest.fixture(scope="module")
def sums(record: DeliveryPlan) -> dict[str, PhaseSum]:
    return {found.phase: found for found in phase_sums(record)}


@pytest.fixture(scope="module")
def reading() -> PlanReading:
    return read_plan(RAW, path="plan.md")


def test_items_of_each_phase_are_counted(sums: dict[str, PhaseSum]) -> None:
    """
    Builder's and tester's items of the phases are those that people counted by hand; one more is of all three roles.
    """
    counts = {phase: (found.items[BUILDER], found.items[TESTER]) for phase, found in sums.items()}

    assert {
        "0": (3, 5), "1": (9, 16), "2": (6, 8), "3": (6, 7), "4": (5, 7), "5": (3, 5), "6": (3, 4), "7": (4, 5),
        "8": (3, 4), "9": (3, 6), "10": (3, 6),
    } == counts  # fmt: skip
    assert {("builder", "tester", "human"): 1} == {
        roles: count for found in sums.values() for roles, count in found.items.items() if len(roles) > 1
    }


def test_marks_in_the_text_are_all_items(record: DeliveryPlan) -> None:
    """
    Every line of the file with a mark is an item, at its own line, and there is no other.
    """
    marked = sum(line.startswith(b"- [ ] (") for line in RAW.splitlines())

    assert marked == len(record.items) == len({item.id for item in record.items})


def test_days_of_each_phase_are_summed(sums: dict[str, PhaseSum]) -> None:
    """
    Person-days of builder and tester are those of the items, those for each agent seven times.
    """
    days = {phase: (found.days["builder"].days_max, found.days["tester"].days_max) for phase, found in sums.items()}

    # fmt: off
    assert {
        "0": ("1.25", "3"), "1": ("10.75", "13.75"), "2": ("4.75", "6"), "3": ("5", "6"), "4": ("8.25", "10.5"),
        "5": ("3.25", "3.75"), "6": ("2.5", "3.25"), "7": ("2.75", "3"), "8": ("2.25", "2.75"), "9": ("3.25", "4.25"),
        "10": ("3.5", "5.25"),
    } == {phase: (f"{builder.normalize():f}", f"{tester.normalize():f}") for phase, (builder, tester) in days.items()}
    # fmt: on
    assert Decimal("0.5") == sums["10"].days["human"].days_max
    assert () == tuple(id_ for found in sums.values() for id_ in found.unestimated)


def test_estimates_for_each_agent_are_multiplied(record: DeliveryPlan) -> None:
    """
    The checklist is repeated for the seven entries of the list above it, two of which are done.
    """
    checklist = [item for item in record.items if item.id.startswith("4.3-")]

    assert [(7, 5)] * 4 == [(item.repeats, item.repeats_open) for item in checklist]


def test_gates_risks_and_roles_are_read(record: DeliveryPlan) -> None:
    """
    Two gates, four risks, and who builds and tests.
    """
    assert [("A", "5"), ("B", "10")] == [(gate.id, gate.after) for gate in record.gates]
    assert ["R-01", "R-02", "R-03", "R-04"] == [risk.id for risk in record.risks]
    assert (("Codex",), ("Claude",)) == (record.names("builder"), record.names("tester"))


def test_tests_are_paired_with_what_they_test(record: DeliveryPlan) -> None:
    """
    A test is paired by the class whose file it names, by words, or by order; of the rest the plan has no test.
    """
    pairing = pair_items(record)
    by_test = {pair.test: (pair.work, pair.by) for pair in pairing.pairs}

    assert ("1.2-B2", PairedBy.NAME) == by_test["1.2-T2"]
    assert ("4.1-B1", PairedBy.NAME) == by_test["4.1-T2"]
    assert ("4.1-B2", PairedBy.WORDS) == by_test["4.1-T1"]
    assert ("7-B3", PairedBy.WORDS) == by_test["7-T3"]
    assert ("3.3-B2", PairedBy.ORDER) == by_test["3.3-T2"]
    assert ("0-B2", "3.1-B1", "4.1-B3") == pairing.untested


def test_plan_has_the_phases_in_order_with_their_gates(reading: PlanReading) -> None:
    """
    The common plan has eleven phases, gates after two of them, and each test depends on what it tests.
    """
    plan = reading.plan
    assert plan is not None

    assert PlanFormat.DELIVERY_PLAN == plan.format
    assert [str(number) for number in range(11)] == [phase.id for phase in plan.phases]
    assert {"5": "A", "10": "B"} == {phase.id: phase.gate.id for phase in plan.phases if phase.gate is not None}
    work, test = plan.task("1.2-B3"), plan.task("1.2-T3")
    assert work is not None
    assert test is not None
    assert (("1.2-T3",), TaskKind.WORK) == (work.tests, work.kind)
    assert (["1.2-B3"], TaskKind.TEST) == ([one.id for one in test.depends_on], test.kind)


def test_findings_are_the_real_ones(reading: PlanReading) -> None:
    """
    Every finding of the plan was checked by hand; warnings are these and no others.
    """
    found = [f"{one.span.start.line} {one.code}" for one in reading.diagnostics if one.severity != "note"]

    assert [
        "1 MOJIBAKE_REPAIRED",
        "258 WORK_WITHOUT_TEST",
        "283 PHASE_OVERBOOKED",
        "358 PHASE_OVERBOOKED",
        "392 PHASE_OVERBOOKED",
        "397 WORK_WITHOUT_TEST",
        "440 WORK_WITHOUT_TEST",
        "463 ITEM_ESTIMATE_EACH_CONTRADICTED",
        "481 PHASE_TOTAL_CONTRADICTED",
    ] == found
