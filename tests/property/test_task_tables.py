"""Laws of task tables: nothing raises, and what was written is read again."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from remit.diagnostics import Diagnostics
from remit.plans.task_table import TaskTable, write
from remit.plans.task_table.columns import TaskField
from remit.plans.task_table.reading import read_record
from remit.plans.task_table.record import TableForm, TaskRecord, Value
from remit.plans.texts import read_text
from tests.unit.plans.task_table.reading import DOCUMENTS, SEED, read

NAMES = (TaskField.TITLE, TaskField.DEPENDS_ON, TaskField.OWNER, TaskField.EFFORT, TaskField.STATUS)
PIECES = (
    "|",
    "..",
    "*",
    "(",
    "`",
    "#",
    "\n",
    "—",
    "▼",
    "◄",
    "│",
    "P1-TASK-99",
    "..9999",
    "/b",
    "\\|",
    "\t",
    "💥",
    "```",
)
TEXTS = st.text(st.sampled_from("abAB12 |\\-.,;()*é中"), min_size=1, max_size=12).map(str.strip)


def record_of(text: str) -> TaskTable:
    read_in = read_text(text.encode(), path="plan.md", diagnostics=Diagnostics())
    assert read_in is not None
    return read_record(read_in).record


@st.composite
def records(draw: st.DrawFn) -> TaskTable:
    count = draw(st.integers(1, 5))
    form = draw(st.sampled_from(TableForm))
    tasks = []
    for number in range(1, count + 1):
        texts = ["Title", *(draw(TEXTS.filter(is_representable)) for _ in NAMES[1:])]
        named = [(TaskField.TASK_ID, f"T-{number}"), *zip(NAMES, texts, strict=True)]
        values = tuple(Value(name=meant.value, meant=meant, text=text) for meant, text in named)
        tasks.append(
            TaskRecord(
                id=f"T-{number}", title="Title", values=values, heading="" if form is TableForm.FIELDS else "Work"
            )
        )
    return TaskTable(title="Plan", form=form, tasks=tuple(tasks))


def is_representable(text: str) -> bool:
    """Whether a cell can hold a text: an odd number of backslashes before a pipe has no spelling."""
    position = text.find("|")
    while position >= 0:
        before = text[:position]
        if (len(before) - len(before.rstrip("\\"))) % 2:
            return False
        position = text.find("|", position + 1)
    return True


@settings(deadline=None, max_examples=150)
@given(records())
def test_written_record_is_read_again(record: TaskTable) -> None:
    """
    Reading what was written of a record gives the record.
    """
    assert record == record_of(write(record))


@pytest.mark.parametrize("path", [SEED, *sorted(DOCUMENTS.glob("*.md"))], ids=lambda path: path.stem)
def test_documents_are_written_and_read_again(path) -> None:  # type: ignore[no-untyped-def]
    """
    Real documents keep everything that was read of them.
    """
    record = record_of(path.read_text(encoding="utf-8"))

    assert record == record_of(write(record))


@pytest.mark.parametrize("seed", range(60))
def test_mutated_document_gives_findings_only(seed: int) -> None:
    """
    However a document is damaged, reading it raises nothing.
    """
    chance = random.Random(seed)
    text = (SEED if seed % 3 == 0 else sorted(DOCUMENTS.glob("*.md"))[seed % 2]).read_text(encoding="utf-8")
    for _ in range(chance.randint(1, 12)):
        start = chance.randrange(len(text))
        text = text[:start] + chance.choice(PIECES) + text[start + chance.randint(0, 40) :]

    assert read(text).plan is not None
