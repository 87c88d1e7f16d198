"""Checks of names: an id that a document calls by two names stands for two things.

Owns: which name stands in parentheses behind which id, and finding two different ones.
Does not know: what the ids are.
"""

from __future__ import annotations

from collections.abc import Iterator

from remit.plans.plan import Place
from remit.plans.task_table.columns import plain
from remit.plans.task_table.details import Details, TaskDetails
from remit.plans.task_table.references import Mention
from remit.plans.texts import PlanReporter


def check_names(details: Details, reporter: PlanReporter) -> None:
    """Report each further name of a component's id, once."""
    first: dict[str, tuple[str, Place, str]] = {}
    reported: set[tuple[str, str]] = set()
    for task in details.tasks:
        for written, name, mention in _names(task):
            known = first.setdefault(written, (name, mention.at, task.id))
            if plain(known[0]) == plain(name) or (written, plain(name)) in reported:
                continue
            reported.add((written, plain(name)))
            reporter.report(
                "TABLE_NAME_CONFLICT",
                f"expected {written} to have one name, got {name!r} in {task.id} and {known[0]!r} in {known[2]}; "
                "correct the id of one, or use one name",
                at=mention.at,
                related={f"called {known[0]}": known[1]},
            )


def _names(task: TaskDetails) -> Iterator[tuple[str, str, Mention]]:
    """Yield ids with the name behind each: of several ids as many names, or one for the only id."""
    for mention in task.components.mentions:
        names = [name.strip() for name in mention.comment.split(",") if name.strip()]
        if len(mention.ids) == 1 and mention.comment.strip():
            yield mention.ids[0], mention.comment.strip(), mention
        elif len(names) == len(mention.ids):
            for written, name in zip(mention.ids, names, strict=True):
                yield written, name, mention
