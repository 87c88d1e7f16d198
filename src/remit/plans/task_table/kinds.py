"""Kinds of tables: which of a document's tables hold tasks, and what the others are about.

Owns: the judgement, from headings, columns and samples of what stands in them.
Does not know: the tasks.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from remit.plans.markdown import Table
from remit.plans.markdown.inline import shown
from remit.plans.task_table import languages
from remit.plans.task_table.columns import TaskField, field_named, is_task_word, mapping_of, plain, planning_fields
from remit.plans.task_table.ids import is_id
from remit.plans.task_table.record import SideKind
from remit.plans.task_table.schema import schema_columns
from remit.plans.task_table.states import mark_of, without_mark

_MOST: Final = 60
"""So many percent of the cells of a column tell what it holds."""

SAMPLE_ROWS: Final = 60
"""So many rows tell what a column holds."""

_GROUPED: Final = frozenset({
    TaskField.WORKSTREAM, TaskField.EFFORT, TaskField.OWNER, TaskField.PRIORITY, TaskField.PHASE, TaskField.STATUS,
    TaskField.ROLE, TaskField.KIND, TaskField.RISK, TaskField.VERIFICATION_METHOD, TaskField.COMPONENT,
})  # fmt: skip
"""Fields by whose values tasks are counted."""

COUNT_WORDS: Final = frozenset({"tasks", "task", "count", "total", "number", "taskcount", "totaltasks", "oftasks", "n"})
TASK_LIST_WORDS: Final = frozenset({"task", "tasks", "taskid", "taskids", "implementedby", "coveredby"})
_METRIC_WORDS: Final = frozenset({"metric", "metrics", "measure", "statistic", "summary", "kpi", "what", "item"})
_VALUE_WORDS: Final = frozenset({"value", "values", "count", "number", "total", "amount"})
FIELD_WORDS: Final = frozenset({
    "field", "attribute", "property", "key", "name", "", "column", "feld", "campo", "champ", "veld",
    "поле", "字段", "項目",
})  # fmt: skip

VALUE_WORDS: Final = frozenset({
    "value", "values", "details", "description", "", "content", "wert", "valor", "valeur", "valore", "waarde",
    "значение", "值", "値",
})  # fmt: skip
"""What stands above the values of a table of fields."""

_TASK_NOUNS: Final = frozenset({"task", "story", "ticket", "issue", "step"}) | languages.TASK_WORDS
_LABELLED: Final = re.compile(
    r"(?:(?:[^\W\d_]+ )?#?\d{1,9}(?:[.):]|\s[-\u2013\u2014])\s|\S+(?::|\s?[-\u2013\u2014:])\s)"
)
"""An id that is set off from the title behind it: ``1. Build``, ``Task 2: Build``, ``T3 – Build``."""

_FOREIGN_COLUMNS: Final = frozenset({
    "mitigation", "mitigations", "impact", "likelihood", "probability", "changes", "change", "version", "metric",
    "definition", "meaning", "term", "endpoint", "decision", "question", "answer", "assumption", "rationale", "email",
    "threshold", "baseline", "expected", "expectedresult", "actual", "actualresult",
})  # fmt: skip
"""Headings of tables about risks, changes, words, decisions and the like."""

_FOREIGN_SECTIONS: Final = frozenset({
    "risk", "risks", "decision", "decisions", "question", "questions", "glossary", "requirement", "requirements",
    "changelog", "milestones", "metrics", "contacts", "team", "endpoints", "references", "assumptions", "schema",
    "history", "stakeholders", "tests", "legend", "raci",
})  # fmt: skip
_TASK_SECTIONS: Final = frozenset({"task", "tasks", "work", "plan", "backlog", "todo", "breakdown", "wbs", "items"})

TELLING: Final = frozenset({TaskField.DEPENDS_ON, TaskField.STATUS, TaskField.EFFORT, TaskField.VERIFY})
"""Fields that little else than tasks has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """What the columns of a task table mean; ``is_joint`` is set where one cell holds id and title."""

    mapping: Mapping[int, TaskField]
    is_joint: bool = False


def bare(text: str) -> str:
    """Return what a cell or heading says, without the marks of bold, code and links around."""
    return text.strip("`*_[] ~")


def first_id(text: str, *, letters: bool = False) -> tuple[str, str]:
    """Return the id at the beginning of a text such as ``T1: Title`` and the rest; no id if there is none.

    Args:
        text: The text, as it is shown.
        letters: Whether one letter with a dot behind it is an id, as in ``A. Design``.
    """
    words = text.split(None, 1)
    if words and bare(words[0]).casefold() in _TASK_NOUNS and len(words) > 1:
        words = words[1].split(None, 1)
    if not words:
        return "", ""
    head, colon, tail = words[0].partition(":")
    rest = " ".join([tail, *words[1:]] if colon else words[1:])
    found = bare(head).rstrip(".,)")
    is_letter = letters and len(words[0]) == 2 and words[0][0].isalpha() and words[0][1] in ".):"
    return (found, rest.strip(" \t:\u2013\u2014-*`")) if is_letter or is_id(found) else ("", text)


def side_kind(table: Table) -> SideKind | None:
    """Return what a table is about if it holds no tasks for certain."""
    names = [plain(cell.text) for cell in table.header]
    if len(names) < 2:
        return None
    if names[0] in _METRIC_WORDS and names[1] in _VALUE_WORDS:
        return SideKind.SUMMARY
    if _is_schema(table):
        return SideKind.SCHEMA
    if _is_distribution(table, names):
        return SideKind.DISTRIBUTION
    return _traceability(table, names)


def _is_schema(table: Table) -> bool:
    columns = schema_columns(tuple(cell.text for cell in table.header))
    if not {"name", "required"} <= columns.keys():
        return False
    name = columns["name"]
    known = sum(field_named(bare(row[name].text)) is not None for row in table.rows[:SAMPLE_ROWS] if name < len(row))
    return known >= 2


def _is_distribution(table: Table, names: list[str]) -> bool:
    if field_named(table.header[0].text) not in _GROUPED:
        return False
    return any(name in COUNT_WORDS and _is_counted(table, index) for index, name in enumerate(names) if index)


def _is_counted(table: Table, index: int) -> bool:
    cells = [bare(row[index].text) for row in table.rows[:SAMPLE_ROWS] if index < len(row)]
    return 2 * sum(cell[:1].isdigit() and not is_listing(cell) for cell in cells) > len(cells)


def is_listing(cell: str) -> bool:
    """Whether a cell lists several ids."""
    return "," in cell or ".." in cell


def _traceability(table: Table, names: list[str]) -> SideKind | None:
    kind = _traced(names[0])
    if kind is not None and (any(name in TASK_LIST_WORDS for name in names[1:]) or kind is SideKind.REQUIREMENTS):
        return kind if _holds_ids(table, 0) else None
    if len(names) == 2 and names[0] in TASK_LIST_WORDS and _traced(names[1]) is not None:
        return _traced(names[1])
    return None


def _traced(name: str) -> SideKind | None:
    if name.startswith("requirement") or name in {"req", "reqs", "reqid"}:
        return SideKind.REQUIREMENTS
    return SideKind.TESTS if name.startswith("test") else None


def _holds_ids(table: Table, index: int) -> bool:
    """Whether most cells of a column begin with an id, whatever follows."""
    cells = [row[index].text for row in table.rows[:SAMPLE_ROWS] if index < len(row) and row[index].text]
    begins = sum(any(character.isdigit() or character == "*" for character in cell[:80]) for cell in cells)
    return bool(cells) and 2 * begins > len(cells)


def is_matrix(columns: Columns) -> bool:
    """Whether rows name a task and one more thing: they hold tasks only if nothing else in the document does."""
    rest = frozenset(columns.mapping.values()) - {TaskField.TASK_ID}
    return len(rest) == 1 and rest <= {
        TaskField.DEPENDS_ON, TaskField.BLOCKS, TaskField.REQUIREMENT_IDS, TaskField.TEST_CASES,
    }  # fmt: skip


def field_columns(table: Table) -> bool:
    """Whether a table has the form of one task: names of fields, and what they hold."""
    if len(table.header) != 2:
        return False
    head = table.header[0].text
    if plain(head) not in FIELD_WORDS and field_named(bare(head)) is None:
        return False
    known = sum(field_named(bare(row[0].text)) is not None for row in table.rows[:SAMPLE_ROWS] if row)
    return known >= 2 and 2 * known >= min(len(table.rows), SAMPLE_ROWS)


def task_columns(table: Table, heading: str) -> Columns | None:
    """Return what the columns mean if each row of a table is a task."""
    header = [shown(cell.text) for cell in table.header]
    if {plain(name) for name in header} & _FOREIGN_COLUMNS or is_foreign_section(heading):
        return None
    if _traced(plain(header[0])) is not None:
        # A list of requirements or tests.
        return None
    samples = [_sample(table, index) for index in range(len(header))]
    ids = frozenset(index for index, cells in enumerate(samples) if _share(cells, is_id) >= _MOST)
    mapping = mapping_of(header, ids_in_column=ids)
    _add_marks(mapping, header, table)
    joint = next((index for index, name in enumerate(header) if _is_joint(name, samples[index])), None)
    if joint is not None and TaskField.TASK_ID not in mapping.values():
        joined = {**mapping, joint: TaskField.TITLE}
        return Columns(mapping=joined, is_joint=True) if planning_fields(mapping) else None
    return Columns(mapping=mapping) if _describes_tasks(mapping, ids, header) else None


def _add_marks(mapping: dict[int, TaskField], header: list[str], table: Table) -> None:
    """A column of boxes and marks is the state of tasks, whatever its heading."""
    if TaskField.STATUS in mapping.values():
        return
    for index, name in enumerate(header):
        if index not in mapping and not plain(name).replace("number", ""):
            cells = [row[index].text for row in table.rows[:SAMPLE_ROWS] if index < len(row) and row[index].text]
            if _share(cells, lambda cell: mark_of(cell) is not None) >= _MOST:
                mapping[index] = TaskField.STATUS
                return


def is_foreign_section(heading: str) -> bool:
    """Whether a heading announces something else than tasks."""
    words = {plain(word) for word in heading.split()}
    words.add(plain(heading))
    return bool(words & _FOREIGN_SECTIONS) and not words & _TASK_SECTIONS


def _describes_tasks(mapping: Mapping[int, TaskField], ids: frozenset[int], header: list[str]) -> bool:
    fields = {meant: index for index, meant in mapping.items()}
    planning = planning_fields(mapping)
    has_id = fields.get(TaskField.TASK_ID) in ids
    if not planning or not (has_id or TaskField.TITLE in fields):
        return False
    if any(
        is_task_word(name) or plain(name).startswith(("task", "todo", "activity", "whatneeds", "whatto"))
        for name in header
    ):
        return True
    if has_id and TaskField.TITLE in fields:
        return len(planning) >= 2 or bool(planning & TELLING)
    if has_id:
        return TaskField.DEPENDS_ON in planning
    return len(planning) >= 2 and bool(planning & TELLING)


def _sample(table: Table, index: int) -> list[str]:
    """Return what the first cells of a column say that say anything, without boxes and marks before it."""
    cells = (without_mark(row[index].text) for row in table.rows[:SAMPLE_ROWS] if index < len(row))
    return [text for cell in cells if (text := shown(cell))]


def _share(cells: list[str], holds: Callable[[str], bool]) -> int:
    """Return of how many percent of some cells something holds."""
    return 100 * sum(map(holds, cells)) // len(cells) if cells else 0


def _is_joint(name: str, cells: list[str]) -> bool:
    """Whether most cells of a column hold id and title; under ``Name`` and the like only where a mark divides them."""
    if is_task_word(name):
        return _share(cells, _has_both) >= _MOST
    return field_named(name) is TaskField.TITLE and _share(cells, _is_labelled) >= _MOST


def _has_both(text: str) -> bool:
    found, rest = first_id(text, letters=True)
    return bool(found and rest) and (not found.isdigit() or _is_labelled(text))


def _is_labelled(text: str) -> bool:
    return _LABELLED.match(text) is not None and all(first_id(text, letters=True))
