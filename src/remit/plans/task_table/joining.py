"""Tasks that stand in several tables, such as one of states and one of estimates: what both say is one task.

Owns: whether two rows are about the same task, and putting together what they say.
Does not know: tables, or what is reported.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from remit.plans.task_table.columns import TaskField, plain
from remit.plans.task_table.record import TaskRecord, Value

_WORD: Final = re.compile(r"\w+")
_FIELDS_MAX: Final = 200
"""A task with more fields is put together no further: each further table would cost as many."""

_NAMES: Final = frozenset({TaskField.TASK_ID, TaskField.TITLE})


def is_same(first: TaskRecord, second: TaskRecord) -> bool:
    """Whether two tasks with the same id are one: they have the same title, or one has none."""
    if len(first.values) > _FIELDS_MAX:
        return False
    titles = plain(first.title), plain(second.title)
    return titles[0] == titles[1] or "" in titles


def join(first: TaskRecord, second: TaskRecord) -> tuple[TaskRecord, list[tuple[Value, Value]]]:
    """Return one task with what both say, and the fields in which they differ; of those the first one stays."""
    values = list(first.values)
    known = {value.meant: index for index, value in reversed(list(enumerate(values))) if value.meant is not None}
    names = {value.name for value in values}
    differing: list[tuple[Value, Value]] = []
    for value in second.values:
        index = None if value.meant is None else known.get(value.meant)
        if index is None:
            if value.meant is not None or value.name not in names:
                values.append(value)
        elif not values[index].text:
            values[index] = replace(value, name=values[index].name)
        elif value.meant not in _NAMES and value.text and _words(value.text) != _words(values[index].text):
            differing.append((values[index], value))
    return replace(first, title=first.title or second.title, values=tuple(values)), differing


def _words(text: str) -> frozenset[str]:
    return frozenset(_WORD.findall(text.casefold()))
