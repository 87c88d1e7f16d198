"""What people write for ids stands for the ids that they mean."""

import pytest

from remit.plans.task_table.ids import Shorthand, meaning_of
from remit.plans.task_table.references import ReferenceReader, TaskIndex

TASKS = TaskIndex((f"P1-TASK-{number:02}", f"Title {number}") for number in range(1, 33))


@pytest.mark.parametrize(
    ("written", "ids", "shorthand"),
    [
        ("P1-TASK-06..P1-TASK-08", ("P1-TASK-06", "P1-TASK-07", "P1-TASK-08"), Shorthand.RANGE),
        ("P1-T09..T11", ("P1-T09", "P1-T10", "P1-T11"), Shorthand.SHORT_RANGE),
        ("R1 to R3", ("R1", "R2", "R3"), Shorthand.RANGE),
        ("P1-T-RK06a/b/c", ("P1-T-RK06a", "P1-T-RK06b", "P1-T-RK06c"), Shorthand.VARIANTS),
        ("P1-T-RK06a..c", ("P1-T-RK06a", "P1-T-RK06b", "P1-T-RK06c"), Shorthand.VARIANTS),
        ("P1-T-RK06a-c", ("P1-T-RK06a", "P1-T-RK06b", "P1-T-RK06c"), Shorthand.VARIANTS),
        ("P1-C08/C09/C10", ("P1-C08", "P1-C09", "P1-C10"), Shorthand.ALTERNATIVES),
        ("P1-T-CC01..CC02", ("P1-T-CC01", "P1-T-CC02"), Shorthand.SHORT_RANGE),
        ("P1-R17", ("P1-R17",), None),
    ],
)
def test_shorthand_stands_for_its_ids(written: str, ids: tuple[str, ...], shorthand: Shorthand | None) -> None:
    """
    Each way to write several ids is expanded to all of them, in full.
    """
    meaning = meaning_of(written, room=100)

    assert (ids, shorthand) == (meaning.ids, meaning.shorthand)


@pytest.mark.parametrize("written", ["words", "R3..R1", "R3c..a", "R1..Q3", "a/b", "**", "", "x" * 1000, "10 % of it"])
def test_other_text_stands_for_nothing(written: str) -> None:
    """
    Text that is no id, and a range that does not count up, names nothing.
    """
    meaning = meaning_of(written, room=100)

    assert ((), None) == (meaning.ids, meaning.pattern)


@pytest.mark.parametrize(
    ("written", "numbers"),
    [
        ("06..08, 28", [6, 7, 8, 28]),
        ("P1-TASK-03 (via runs), #4", [3, 4]),
        ("task 5 and p1_task_06", [5, 6]),
        ("[`P1-TASK-07`](#seven)", [7]),
        ("title 9; Title 10", [9, 10]),
        ("1-3", [1, 2, 3]),
        ("P1-TASK-3*", [30, 31, 32]),
        ("— (nothing yet)", []),
        ("n/a", []),
    ],
)
def test_cell_names_tasks_in_any_spelling(written: str, numbers: list[int]) -> None:
    """
    Numbers, ranges, links, spellings, patterns and titles lead to the tasks; comments and dashes do not.
    """
    found = ReferenceReader(1000).read(written, 0, TASKS)

    assert [f"P1-TASK-{number:02}" for number in numbers] == [one for one, _ in found.ids()]
    assert () == found.loose


def test_range_beyond_the_room_stands_for_its_ends() -> None:
    """
    A range that would not be linear in the document's size is cut, and that is remembered.
    """
    reader = ReferenceReader(0)
    found = reader.read("R1..R9999", 0)

    assert ["R1", "R9999"] == [one for one, _ in found.ids()]
    assert (0, 9) == reader.overflow
