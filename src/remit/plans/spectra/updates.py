"""Changes to a document that exists: check marks and values of fields, and no other byte.

Owns: finding the place of a mark or value, and putting another there.
Does not know: why. Line ends, byte-order marks, mojibake and whatever else stands in the file stay as they are.
"""

from __future__ import annotations

from typing import Final

from remit.diagnostics import Diagnostics
from remit.errors import UsageError
from remit.governance.suggestions import did_you_mean
from remit.plans.plan import TaskState
from remit.plans.spectra import names
from remit.plans.spectra.exported import is_exported
from remit.plans.spectra.ids import same_id
from remit.plans.spectra.reading import read_spectra
from remit.plans.spectra.record import SpectraTask
from remit.plans.texts import Edit, PlanReporter, PlanText, apply_edits, read_text

VALUES: Final = frozenset(
    {
        names.FILES,
        names.VERIFY,
        names.RISK,
        names.ITERATIONS,
        names.SCOPE,
        names.DEPENDENCIES,
        names.OWNS,
        names.TOUCHES,
        names.READS,
        names.CLI,
        names.INTEGRATION,
    }
)
"""Fields whose value stands on one line."""


def set_state(raw: bytes, task_id: str, state: TaskState, *, path: str = "plan.md") -> bytes:
    """Return the document with another check mark on a task: one character differs.

    A mark that says the state already stays as it is, whatever its spelling.

    Raises:
        UsageError: there is no such task, or it has no check mark, or the bytes are JSON or not UTF-8.
    """
    text, task = _find(raw, task_id, path)
    if task.description is None:
        raise UsageError(f"expected a check mark below task {task.id} in {path}, got none; add '- [ ] {task.id}: ...'")
    start, end = task.mark_at
    if task.state is state and end > start:
        return raw
    return apply_edits(raw, text, [Edit(start=start, end=end, replacement=names.MARK_OF[state])])


def set_value(raw: bytes, task_id: str, field: str, value: str, *, path: str = "plan.md") -> bytes:
    """Return the document with another value behind the key of a task's field.

    Args:
        raw: The document.
        task_id: The task.
        field: One of ``VALUES``.
        value: What is written behind the key, as the format wants it (commands in backticks, lists in brackets).
        path: The file as the user named it.

    Raises:
        UsageError: there is no such task or field, the value has more than one line, or the bytes are JSON or
            not UTF-8.
    """
    if field not in VALUES:
        raise UsageError(f"expected one of {', '.join(sorted(VALUES))}, got {field!r}{did_you_mean(field, VALUES)}")
    if not value.isprintable() or not value.strip():
        raise UsageError(f"expected a value on one line, got {value!r}")
    text, task = _find(raw, task_id, path)
    place = task.places.get(field)
    if place is None:
        raise UsageError(f"expected the field {field!r} in task {task.id} of {path}, got none; add it")
    start, end = place
    space = " " if start == end and text.text[start - 1 : start] == ":" else ""
    return apply_edits(raw, text, [Edit(start=start, end=end, replacement=space + value.strip())])


def _find(raw: bytes, task_id: str, path: str) -> tuple[PlanText, SpectraTask]:
    diagnostics = Diagnostics()
    text = read_text(raw, path=path, diagnostics=diagnostics)
    if text is None:
        raise UsageError(f"expected a plan in {path}, got a file that cannot be read: {diagnostics.summary()}")
    if is_exported(text):
        raise UsageError(f"expected a plan in Markdown in {path}, got JSON; change the Markdown, and convert it again")
    tasks = read_spectra(text, PlanReporter(text, diagnostics)).plan.tasks
    wanted = same_id(task_id)
    found = next((task for task in tasks if task.id == wanted), None)
    if found is None:
        hint = did_you_mean(wanted, [task.id for task in tasks])
        raise UsageError(f"expected the id of a task of {path}, got {task_id!r}{hint}")
    return text, found
