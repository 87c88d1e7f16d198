"""Tables of tasks as people keep them: what is read of each, and what is said about it.

Beside each `messy/*.md` stands what is expected: how the columns are read, a line for each task (id, title, state, what
comes first, owner, days), and a line `line:column CODE` for each other finding.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from remit.diagnostics import Diagnostics
from remit.plans.formats import PlanReading, read_plan
from remit.plans.plan import PlanFormat, PlanTask
from remit.plans.task_table import write
from remit.plans.task_table.reading import read_record
from remit.plans.texts import read_text

MESSY = Path(__file__).parent / "messy"
FILES = sorted(MESSY.glob("*.md"))


def told(reading: PlanReading) -> Iterator[str]:
    """Return the lines that say what came of a document."""
    assert reading.plan is not None
    columns = [one for one in reading.diagnostics if one.code == "TABLE_COLUMNS_READ"]
    yield from (one.message.partition("read so: ")[2] for one in columns)
    yield from map(row, reading.plan.tasks)
    yield from (f"{one.span.start} {one.code}" for one in reading.diagnostics if one not in columns)


def row(task: PlanTask) -> str:
    estimate = task.estimate
    days = "" if estimate is None else f"{estimate.days_min}-{estimate.days_max}"
    before = " ".join(one.id for one in task.depends_on)
    said = (task.id, task.title, task.state.value, before, task.owner or "", days, task.phase or "")
    return "| " + " | ".join(said).rstrip(" |")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_messy_table_is_read_as_it_is_meant(path: Path) -> None:
    """
    Columns, tasks and findings are those that a reader of the document would expect.
    """
    reading = read_plan(path.read_bytes(), path="plan.md")

    assert PlanFormat.TASK_TABLE == reading.format
    assert path.with_suffix(".read").read_text(encoding="utf-8").splitlines() == list(told(reading))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_messy_table_is_written_and_read_again(path: Path) -> None:
    """
    The canonical form of a messy table says the same.
    """
    text = read_text(path.read_bytes(), path="plan.md", diagnostics=Diagnostics())
    assert text is not None
    record = read_record(text).record

    again = read_text(write(record).encode(), path="plan.md", diagnostics=Diagnostics())

    assert again is not None
    assert record == read_record(again).record


def test_column_of_counts_is_no_column_of_ids() -> None:
    """
    A heading such as N counts something; only with its mark, as in French, it is a number of tasks.
    """
    table = "| Aufgabe | N | Status |\n|-|-|-|\n| Bauen | 3 | offen |\n| Testen | 3 | erledigt |\n"

    counted = read_plan(table.encode(), path="plan.md").plan
    numbered = read_plan(table.replace("N |", "N° |").replace("Testen | 3", "Testen | 4").encode(), path="plan.md").plan

    assert counted is not None
    assert ["row-1", "row-2"] == [task.id for task in counted.tasks]
    assert numbered is not None
    assert ["3", "4"] == [task.id for task in numbered.tasks]
