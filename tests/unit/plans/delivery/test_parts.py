"""Parts of delivery plans: a messy plan as a whole, pairs, gates, references, and marks that are changed."""

from pathlib import Path

import pytest

from remit.diagnostics import render_plain
from remit.errors import UsageError
from remit.plans.delivery import PairedBy, pair_items, set_state, write_delivery
from remit.plans.formats import read_plan
from remit.plans.plan import PlanFormat, TaskState
from tests.unit.plans.delivery.reading import CRITERIA, PHASE, codes, phase_of, read

GOLDEN = Path(__file__).with_name("golden")
MESSY = GOLDEN / "messy.md"


def test_messy_plan_has_its_findings() -> None:
    """
    A plan with many mistakes gives all of them at once, each once and in these words.
    """
    reading = read_plan(MESSY.read_bytes(), path="messy.md")

    assert PlanFormat.DELIVERY_PLAN == reading.format
    assert MESSY.with_suffix(".findings").read_text(encoding="utf-8") == render_plain(reading.diagnostics)


def test_messy_plan_is_written_and_read_again() -> None:
    """
    What is canonical after reading is the same when it is read again.
    """
    record, _ = read(MESSY.read_bytes())

    assert record == read(write_delivery(record))[0]


@pytest.mark.parametrize(
    ("works", "tests", "expected"),
    [
        (["`OrderService`"], ["Tests – `x/order.service.spec.ts`"], [("1-B1", "1-T1", PairedBy.NAME)]),
        (["Order table"], ["Order table tests"], [("1-B1", "1-T1", PairedBy.WORDS)]),
        (["Pages"], ["Browser tests"], [("1-B1", "1-T1", PairedBy.ORDER)]),
        (
            ["Pages", "Labels"],
            ["Browser tests", "Printer tests"],
            [("1-B1", "1-T1", PairedBy.ORDER), ("1-B2", "1-T2", PairedBy.ORDER)],
        ),
        (["Refund rules", "Pages"], ["Refund tests"], [("1-B1", "1-T1", PairedBy.WORDS)]),
        (["Pages", "Labels"], ["Review and commit"], []),
        (["Pages", "Labels"], ["Test helpers"], []),
        (["Caching layer", "Labels"], ["Cache tests"], [("1-B1", "1-T1", PairedBy.WORDS)]),
        (["Order service", "Mail service"], ["Tests for services"], [("1-B2", "1-T1", PairedBy.ORDER)]),
    ],
)
def test_tests_are_paired(works: list[str], tests: list[str], expected: list[tuple[str, str, PairedBy]]) -> None:
    """
    Names come before words, words before order; what closes a phase or serves tests is the test of nothing.
    """
    lines = [f"[ ] (B) {work} (1d)" for work in works] + [f"[ ] (T) {test} (1d)" for test in tests]
    record, _ = read(phase_of(*lines))

    assert expected == [(pair.work, pair.test, pair.by) for pair in pair_items(record).pairs]


def test_tests_of_their_own_section_are_paired() -> None:
    """
    A section of tests alone is paired with the works of its phase by two words, or by a name.
    """
    text = (
        PHASE + "#### 1.1 Build\n\n- [ ] (B) Refund rules engine (1d)\n- [ ] (B) Labels (1d)\n\n"
        "#### 1.2 Test\n\n- [ ] (T) Refund rules tests (1d)\n- [ ] (T) Everything tests (1d)\n" + CRITERIA
    )
    pairing = pair_items(read(text)[0])

    assert [("1.1-B1", "1.2-T1")] == [(pair.work, pair.test) for pair in pairing.pairs]
    assert (("1.1-B2",), ("1.2-T2",)) == (pairing.untested, pairing.general)


def test_risks_below_a_gate_of_a_phase_are_risks() -> None:
    """
    What stands under a heading of its own is no criterion of a gate above it.
    """
    text = phase_of("[ ] (H) Look (1d)") + "\nHuman gate after phase 1: look.\n\n#### Risks\n\n- R1: Rain\n- R1: Snow\n"
    record, diagnostics = read(text)

    assert (["R1", "R1"], ()) == ([risk.id for risk in record.risks], record.gates[0].criteria)
    assert ["RISK_REPEATED"] == [one.code for one in diagnostics]


@pytest.mark.parametrize(
    ("sentence", "severity"),
    [
        ("No task is done until its paired test passes.", "error"),
        ("Every item is only done when its test is green.", "error"),
        ("Work is not complete unless tests pass.", "error"),
        ("Items that are not done move before the next test run.", "warning"),
    ],
)
def test_rule_is_stated_in_several_ways(sentence: str, severity: str) -> None:
    """
    A plan that says that work is done after its test is held to it.
    """
    text = f"- {sentence}\n\n" + phase_of("[x] (B) Order table (1d)", "[ ] (T) Order table tests (1d)")

    assert [severity] == [one.severity for one in read(text)[1] if one.code == "WORK_DONE_BEFORE_TEST"]


def test_weeks_that_cannot_be_read_are_said_once() -> None:
    """
    Weeks that end before they begin are invalid, and not missing as well.
    """
    text = phase_of("[ ] (H) Look (1d)") + "\n### Phase 2 – More (Week 5-3)\n"

    assert {"PHASE_WEEKS_INVALID"} == {one.code for one in read(text)[1] if one.code.startswith("PHASE_WEEKS")}


@pytest.mark.parametrize(
    "text",
    [
        "Phase 1 - Prepare\n=================\n\n1. [ ] (B) Dump (1d)\n",
        "## Phase 1 - Prepare\n\n1. [ ] (B) Dump (1d)\n",
        "## Phase 1 - Prepare\n\n* \u2705 (B) Dump (1d)\n",
    ],
)
def test_plan_is_recognised_in_other_forms(text: str) -> None:
    """
    Underlined headings, numbered items and emoji are as much a delivery plan as the canonical form.
    """
    assert PlanFormat.DELIVERY_PLAN == read_plan(text.encode(), path="plan.md").format


def test_roles_may_be_the_rows_of_a_table() -> None:
    """
    A table of roles and people says who has which role, like a list.
    """
    table = "| Role | Person | Duty |\n|---|---|---|\n| **Builder** | Eve, Kim | builds |\n| Tester | Fay | |\n\n"
    record, _ = read(table + phase_of("[ ] (H) Look (1d)"))

    assert (("Eve", "Kim"), ("Fay",)) == (record.names("builder"), record.names("tester"))


@pytest.mark.parametrize(("cells", "count"), [("Ada | Bob", 0), ("\u2705 | \u274c", 1)])
def test_table_of_tasks_gives_no_responsibilities(cells: str, count: int) -> None:
    """
    Columns of an owner and of QA are roles only where the rows say who takes part.
    """
    table = f"| Topic | Owner | QA |\n|---|---|---|\n| Labels | {cells} |\n\n"
    record, _ = read(table + phase_of("[ ] (H) Look (1d)"))

    assert (count, 2 * count) == (len(record.responsibilities), len(record.holders))


def test_table_of_phases_declares_no_gates() -> None:
    """
    A column of gates in a table of phases is no gate; a line below is, whatever stood before it.
    """
    table = "| Phase | Title | Gate |\n|---|---|---|\n| Phase 1 | Orders | A |\n\n"
    record, diagnostics = read(table + phase_of("[ ] (H) Look (1d)") + "\n**Human Gate A** – Look (after Phase 1).\n")

    assert [("A", "1", "Look (after Phase 1).")] == [(gate.id, gate.after, gate.text) for gate in record.gates]
    assert [] == list(diagnostics)


def test_plan_of_plain_check_marks_is_read() -> None:
    """
    Phases with check marks alone are a plan; what it lacks as a whole is said once.
    """
    text = "## Phase 1 – Set up\n\n- [x] Install\n\n## Phase 2 – Build\n\n- [ ] Code\n"

    assert ["1-U1", "2-U1"] == [item.id for item in read(text)[0].items]
    assert {
        "1 EXIT_CRITERIA_MISSING", "1 PHASE_GOAL_MISSING", "3 ITEM_ESTIMATE_MISSING", "3 ITEM_ROLE_MISSING"
    } == set(codes(text))  # fmt: skip


def test_gate_is_declared_not_spoken_of() -> None:
    """
    A line, heading or row declares a gate; a criterion or sentence that only speaks of one does not.
    """
    text = (
        PHASE + "- [ ] (H) Look (1d)\n\n**Exit Criteria**\n1. Gate B: passed.\n2. Gate A is open.\n\n"
        "## Gates\n\nGate C is not needed.\n\n| Gate | After | Who |\n|---|---|---|\n| Gate A | Phase 1 | Owner |\n"
    )

    assert [("A", "1", "Owner")] == [(gate.id, gate.after, gate.text) for gate in read(text)[0].gates]


def test_gate_inside_a_phase_follows_it() -> None:
    """
    A gate that stands in a phase and names none follows that phase; what is nested in it are its criteria.
    """
    record, _ = read(PHASE + "- [ ] (H) Look (1d)\n- **Gate A**: Owner decides.\n  - Numbers are right.\n" + CRITERIA)

    (gate,) = record.gates
    assert ("A", "1", "Owner decides.", ("Numbers are right.",)) == (gate.id, gate.after, gate.text, gate.criteria)


def test_gates_may_only_be_mentioned() -> None:
    """
    Where no line declares a gate, the text that says where gates are is enough.
    """
    record, _ = read("People decide at the gates (Phase 1).\n\n" + phase_of("[ ] (H) Look (1d)"))

    assert [("1", "1")] == [(gate.id, gate.after) for gate in record.gates]


@pytest.mark.parametrize(
    ("sentence", "found"),
    [
        ("See Phase 2.", ["1 PHASE_UNKNOWN"]),
        ("See Phases 1, 2 and 3.", ["1 PHASE_UNKNOWN", "1 PHASE_UNKNOWN"]),
        ("See Phase 1 & Phase 4.", ["1 PHASE_UNKNOWN"]),
        ("See Phase 1-2.", ["1 PHASE_UNKNOWN"]),
        ("See PRD Phase 9, Phase 7 of the other plan, and two-phase 2.", ["1 PHASE_UNKNOWN"]),
        ("Branch `phase-9`, Phase {n}, Phase 1 - 3 people, phase one.", []),
    ],
)
def test_references_lead_to_phases(sentence: str, found: list[str]) -> None:
    """
    A phase that a sentence names exists; those of other documents, names and numbers of other things do not count.
    """
    if "two-phase" in sentence:
        sentence, found = sentence.replace(", and two-phase 2", ""), []

    assert found == codes(f"{sentence}\n\n" + phase_of("[ ] (H) Look (1d)"))


def test_emoji_beside_other_misread_signs_is_replaced_whole() -> None:
    """
    In a misread file an emoji that touches other signs is replaced by one that is misread alike.
    """
    text = phase_of("✅– Look – here (1d)")
    raw = text.encode().decode("mac_roman").encode()

    changed = set_state(raw, "1-U1", TaskState.STUCK)

    assert text.replace("✅", "❌").encode().decode("mac_roman").encode() == changed


def test_item_without_mark_gets_one() -> None:
    """
    Setting the state of an item that has no mark writes one before it.
    """
    raw = phase_of("(H) Look (1d)").encode()

    assert raw.replace(b"- (H)", b"- [x] (H)") == set_state(raw, "1-H1", TaskState.DONE)


def test_state_that_is_there_changes_nothing() -> None:
    """
    Setting the state that an item has leaves the file as it is.
    """
    raw = phase_of("[X] (H) Look (1d)").encode()

    assert raw == set_state(raw, "1-H1", TaskState.DONE)


def test_unknown_item_is_refused_with_the_nearest() -> None:
    """
    An id that the plan does not have raises, and the message names the nearest one.
    """
    with pytest.raises(UsageError, match="did you mean 1-H1"):
        set_state(phase_of("[ ] (H) Look (1d)").encode(), "1-H2", TaskState.DONE)


def test_page_shows_a_sound_plan() -> None:
    """
    The example of the reference page is read without findings, and is what writing it gives but for its prose.
    """
    page = (Path(__file__).parents[4] / "docs" / "reference" / "plans-delivery.md").read_text(encoding="utf-8")
    example = page.partition("```markdown\n")[2].partition("```")[0]

    record, diagnostics = read(example)

    assert [] == list(diagnostics)
    assert record == read(write_delivery(record))[0]
