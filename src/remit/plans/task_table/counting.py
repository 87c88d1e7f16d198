"""Counting: how many tasks have which values.

Owns: the counts, and which field a name of a value belongs to.
Does not know: what a document claims.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Final

from remit.plans.task_table.columns import TaskField, plain
from remit.plans.task_table.details import Details
from remit.plans.task_table.record import TaskRecord

COUNTED_FIELDS: Final = (
    TaskField.PRIORITY, TaskField.STATUS, TaskField.EFFORT, TaskField.WORKSTREAM, TaskField.KIND, TaskField.RISK,
    TaskField.VERIFICATION_METHOD, TaskField.ROLE, TaskField.PHASE, TaskField.OWNER, TaskField.COMPONENT,
)  # fmt: skip
"""Fields whose values a document counts, the likeliest first."""


_COUNTED: Final = frozenset(COUNTED_FIELDS)


class Counts:
    """How many tasks have which value of which field; values are compared without case, marks and space."""

    def __init__(self, details: Details) -> None:
        self.total = len(details.record.tasks)
        self.shown: dict[tuple[TaskField, str], str] = {}
        self._details = details
        self._pairs: dict[tuple[TaskField, TaskField], dict[str, Counter[str]]] = {}

    @cached_property
    def _rows(self) -> list[dict[TaskField, str]]:
        return [self._row(task) for task in self._details.record.tasks]

    @cached_property
    def _single(self) -> Mapping[TaskField, Counter[str]]:
        """How often each value is there; counted when somebody asks, for most documents claim nothing."""
        found: dict[TaskField, Counter[str]] = {meant: Counter() for meant in COUNTED_FIELDS}
        for row in self._rows:
            for meant, key in row.items():
                found[meant][key] += 1
        for declared in self._details.schema.values():
            if declared.meant in found:
                for value in declared.values:
                    found[declared.meant].setdefault(plain(value), 0)
        return found

    def _row(self, task: TaskRecord) -> dict[TaskField, str]:
        row: dict[TaskField, str] = {}
        for value in task.values:
            if value.meant is not None and value.meant in _COUNTED and value.meant not in row:
                key = plain(value.text)
                if key:
                    row[value.meant] = key
                    self.shown.setdefault((value.meant, key), value.text.strip("`* "))
        return row

    def of(self, meant: TaskField) -> Mapping[str, int]:
        """Return how many tasks have which value; none for those that are only declared."""
        return self._single.get(meant, {})

    def with_value(self, by: TaskField, other: TaskField, key: str) -> Mapping[str, int]:
        """Return how many tasks have which value of one field, among those that have a value of another."""
        if (by, other) not in self._pairs:
            table: dict[str, Counter[str]] = {}
            for row in self._rows:
                if by in row and other in row:
                    table.setdefault(row[other], Counter())[row[by]] += 1
            self._pairs[by, other] = table
        return self._pairs[by, other].get(key, {})

    def fields_of(self, name: str) -> Iterator[tuple[TaskField, str]]:
        """Yield the fields that have a value of a name, such as ``P0 Tasks``, and the value as it compares."""
        key = plain(name)
        for wanted in (key, key.removesuffix("tasks"), key.removesuffix("task"), key.removeprefix("tasks")):
            for meant in COUNTED_FIELDS:
                if wanted and wanted in self.of(meant):
                    yield meant, wanted
