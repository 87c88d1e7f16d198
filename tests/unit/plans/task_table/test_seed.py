"""The task table of AutoBiz: what it says about itself in two places, and where both differ."""

from decimal import Decimal

import pytest

from remit.plans.formats import PlanReading, read_plan
from remit.plans.plan import PlanFormat, TaskState
from remit.plans.texts import Edit, apply_edits
from tests.unit.plans.task_table.reading import DOCUMENTS, SEED, table_lines

FINDINGS = DOCUMENTS.parent / "autobiz.findings"


@pytest.fixture(scope="module")
def seed() -> PlanReading:
    return read_plan(SEED.read_bytes(), path="autobiz.md")


def messages(reading: PlanReading, code: str) -> list[str]:
    return [one.message for one in reading.diagnostics if one.code == code]


def test_seed_is_told_to_be_a_task_table(seed: PlanReading) -> None:
    """
    The format shows from the text, and all thirty-two tasks are read.
    """
    assert PlanFormat.TASK_TABLE == seed.format
    assert seed.plan is not None
    assert [f"P1-TASK-{number:02}" for number in range(1, 33)] == [task.id for task in seed.plan.tasks]
    assert 0 == seed.diagnostics.omitted_count


def test_seed_has_exactly_its_findings(seed: PlanReading) -> None:
    """
    Every finding is one that was verified by hand, and none is missing.
    """
    assert FINDINGS.read_text(encoding="utf-8").splitlines() == table_lines(seed)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("TABLE_TOTAL_WRONG", "P0 Tasks to be 30 of 32 tasks"),
        ("TABLE_TOTAL_WRONG", "P1 Tasks to be 2 of 32 tasks"),
        (
            "TABLE_DISTRIBUTION_WRONG",
            "Workstream Infra to count what the tasks say: Tasks 2 (got 3), P0 2 (got 3)",
        ),
        ("TABLE_DISTRIBUTION_WRONG", "Workstream Kernel to count what the tasks say: Tasks 15 (got 12), P0 14"),
        ("TABLE_DISTRIBUTION_WRONG", "Workstream QA to count what the tasks say: Tasks 3 (got 5)"),
        ("TABLE_DISTRIBUTION_WRONG", "Effort S to count what the tasks say: Count 7 (got 6)"),
        ("TABLE_DISTRIBUTION_WRONG", "Effort M to count what the tasks say: Count 21 (got 20)"),
        ("TABLE_SUM_WRONG", "Count to add up to the total of 32, got 30"),
        ("TABLE_SUM_WRONG", "Developer-Weeks to add up to 24-35"),
        ("TABLE_PATH_LENGTH_WRONG", "Critical Path Length to be 11"),
        ("TABLE_DRAWN_PATH_LENGTH", "got 12"),
        ("TABLE_DRAWN_EDGE_WRONG", "from P1-TASK-03 to P1-TASK-06"),
        ("TABLE_DRAWN_EDGE_WRONG", "from P1-TASK-03 to P1-TASK-10"),
        ("TABLE_DRAWN_EDGE_WRONG", "from P1-TASK-07 to P1-TASK-08"),
        ("TABLE_DRAWN_EDGE_WRONG", "from P1-TASK-10 to P1-TASK-08"),
        ("TABLE_DRAWN_EDGE_WRONG", "from P1-TASK-15 to P1-TASK-16"),
        ("TABLE_VALUE_UNKNOWN", "got 'Gate' in P1-TASK-31, P1-TASK-32"),
        ("TABLE_REQUIREMENT_UNCOVERED", "P1-R17"),
        ("TABLE_NAME_CONFLICT", "P1-C05"),
        ("TABLE_NAME_CONFLICT", "P1-C02"),
        ("TABLE_SHORTHAND_READ", "'P1-T-RK06a/b/c'"),
        ("TABLE_SHORTHAND_READ", "'P1-C08/C09/C10'"),
        ("TABLE_SHORTHAND_READ", "'P1-T01-NEG-*'"),
        ("TABLE_SHORTHAND_READ", "'P1-T05..T10'"),
        ("TABLE_SHORTHAND_READ", "'(build)'"),
        ("TABLE_COVERAGE_UNPROVEN", "got 66"),
    ],
    ids=lambda value: value.split(",")[0][-30:],
)
def test_known_inconsistency_is_found_once(seed: PlanReading, code: str, words: str) -> None:
    """
    Each known inconsistency of the document has one finding.
    """
    assert 1 == sum(words in message for message in messages(seed, code))


def test_seed_drawing_has_no_other_wrong_line(seed: PlanReading) -> None:
    """
    Of the fifteen drawn lines ten are dependencies.
    """
    assert 5 == len(messages(seed, "TABLE_DRAWN_EDGE_WRONG"))


def test_seed_matrix_passes(seed: PlanReading) -> None:
    """
    The Dependency Matrix is what the tasks say, so nothing is reported about it.
    """
    assert [] == [one for one in seed.diagnostics if one.code.startswith("TABLE_MATRIX")]


def test_seed_tasks_are_read_in_full(seed: PlanReading) -> None:
    """
    Lists are expanded, states and efforts read; a size is what the document's own Effort Summary says.
    """
    assert seed.plan is not None
    task = seed.plan.task("P1-TASK-29")

    assert task is not None
    assert [*range(6, 26), 28] == [int(one.id[-2:]) for one in task.depends_on]
    assert TaskState.PENDING == task.state
    assert task.estimate is not None
    assert (Decimal("6.67"), Decimal(10)) == (task.estimate.days_min, task.estimate.days_max)
    assert 41 + 8 == len(task.test_cases)
    assert ("P0", "QA", "P1") == (task.priority, task.workstream, task.phase)
    assert ["Tests flaky", "oracles drift from reality", "missing negative tests"] == [one.text for one in task.risks]


def test_seed_is_contradicted_by_nothing_new_once_it_is_fixed(seed: PlanReading) -> None:
    """
    Fixes that are certain remove findings, and none of them makes another.
    """
    assert seed.text is not None
    source = seed.text.source
    edits = [
        Edit(
            start=source.offset(one.fix.span.start),
            end=source.offset(one.fix.span.end),
            replacement=one.fix.replacement,
        )
        for one in seed.diagnostics
        if one.fix is not None
    ]

    fixed = read_plan(apply_edits(seed.raw, seed.text, edits), path="autobiz.md")

    before = {(one.span.start.line, one.code) for one in seed.diagnostics}
    after = {(one.span.start.line, one.code) for one in fixed.diagnostics}
    assert edits
    assert set() == after - before
    assert len(after) < len(before)


def test_effort_that_adds_up_to_less_is_told_with_both_places_of_its_total(seed: PlanReading) -> None:
    """
    The summary repeats the total, so there is one finding, which names both places and no fix.
    """
    (finding,) = (one for one in seed.diagnostics if "Developer-Weeks to add up" in one.message)

    assert ["Estimated Total Effort says the same"] == [one.message for one in finding.related]
    assert finding.fix is None
