"""Updating a file changes one cell and no other byte."""

import pytest

from remit.errors import UsageError
from remit.plans.plan import TaskState
from remit.plans.task_table import set_field, set_state
from tests.unit.plans.task_table.reading import DOCUMENTS, SEED, read

ROWS = (DOCUMENTS / "rows.md").read_bytes()


def changed(before: bytes, after: bytes) -> list[tuple[bytes, bytes]]:
    pairs = zip(before.splitlines(keepends=True), after.splitlines(keepends=True), strict=True)
    return [(one, other) for one, other in pairs if one != other]


@pytest.mark.parametrize("number", range(1, 33))
def test_status_of_each_task_changes_one_word(number: int) -> None:
    """
    The state of every task of the seed can be set, in the word of its Schema table.
    """
    raw = SEED.read_bytes()
    after = set_state(raw, f"P1-TASK-{number:02}", TaskState.STUCK)

    assert [(b"| **Status** | NOT_STARTED |\n", b"| **Status** | BLOCKED |\n")] == changed(raw, after)
    plan = read(after).plan
    assert plan is not None
    assert {f"P1-TASK-{number:02}"} == {task.id for task in plan.tasks if task.state is TaskState.STUCK}


def test_state_is_written_as_the_document_writes_it() -> None:
    """
    Without a Schema table the word is the one that other tasks use; a state that is already there changes nothing.
    """
    assert set_state(ROWS, "1", TaskState.DONE) == ROWS
    assert "| ✅ |" in changed(ROWS, set_state(ROWS, "8", TaskState.DONE))[0][1].decode()


def test_byte_order_mark_and_line_ends_stay() -> None:
    """
    What stands around the cell stays byte for byte.
    """
    raw = b"\xef\xbb\xbf" + ROWS.replace(b"\n", b"\r\n")
    after = set_field(raw, "2", "Assignee", "Eve | Mallory")

    assert raw.replace(b"| Bo | #1 |", rb"| Eve \| Mallory | #1 |") == after


def test_empty_cell_is_filled() -> None:
    """
    A cell without text takes one.
    """
    after = set_field(ROWS, "row-5", "Assignee", "Eve")

    plan = read(after).plan
    assert plan is not None
    assert "Eve" == plan.tasks[4].owner
    assert 1 == len(changed(ROWS, after))


@pytest.mark.parametrize(
    ("task", "field", "value"),
    [("77", "Task", "x"), ("3", "Task", "x"), ("1", "Colour", "x"), ("1", "Task", "a\nb"), ("1", "Task", " a")],
    ids=["no-task", "two-tasks", "no-field", "two-lines", "space"],
)
def test_impossible_update_is_refused(task: str, field: str, value: str) -> None:
    """
    What names no cell for certain, or cannot stand in one, is refused.
    """
    with pytest.raises(UsageError, match="expected"):
        set_field(ROWS, task, field, value)


def test_state_is_not_written_with_the_remark_of_another_task() -> None:
    """
    A date or a share behind a state belongs to its task.
    """
    raw = (
        b"| ID | Task | Status |\n|-|-|-|\n| T1 | a | Shipped (2026-01-03) |\n| T2 | b | 55% |\n| T3 | c | todo |\n"
        b"| T4 | d | Shipped |\n"
    )

    assert b"| T3 | c | Shipped |" in set_state(raw, "T3", TaskState.DONE)
    assert b"| T3 | c | IN_PROGRESS |" in set_state(raw, "T3", TaskState.IN_PROGRESS)
