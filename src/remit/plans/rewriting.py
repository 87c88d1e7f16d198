"""Markdown plans in their canonical form, and what of a document that form has no place for.

Owns: which lines of a document are left out. Its words tell: a line of which most words are not in the result is out.
Does not know: any format's grammar; each has its own record and writer.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, TypeVar

from remit.diagnostics import Diagnostics
from remit.plans.delivery import read_delivery, write_delivery
from remit.plans.spectra import (
    Origin,
    SpectraPlan,
    is_exported,
    missing_of,
    read_exported,
    write_exported,
)
from remit.plans.spectra import read_any as read_any_spectra
from remit.plans.spectra import to_plan as to_spectra_plan
from remit.plans.spectra import write as write_spectra
from remit.plans.task_table import write as write_task_table
from remit.plans.task_table.reading import read_record
from remit.plans.texts import PlanReporter, PlanText, read_text

Record = TypeVar("Record")

_WORD: Final = re.compile(r"\w+")
_LINES_SHOWN_MAX: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Rewritten:
    """A document in canonical form; ``left_out`` are the numbers of the lines that are not in it.

    ``is_faithful`` is false if reading the result gives another record.
    """

    text: str
    left_out: tuple[int, ...]
    is_faithful: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """What a document does not say that another form requires; nothing if the other form would say something else."""

    what: tuple[str, ...]


def rewrite_spectra(text: PlanText) -> Rewritten | None:
    """Return a SPECTRA plan in canonical form."""
    return _rewritten(text, _spectra_record, write_spectra)


def export_spectra(text: PlanText, raw: bytes) -> str | Missing | None:
    """Return a SPECTRA plan as ``plan.json``, or what it lacks for that; ``None`` if the text has no plan.

    Args:
        text: The document, in either form.
        raw: Its bytes, whose hash tells later whether the Markdown has changed since.
    """
    reading = read_any_spectra(text, _quiet(text))
    if reading is None:
        return None
    missing = missing_of(reading.plan)
    if missing:
        return Missing(what=missing)
    exported = read_exported(text, _quiet(text)) if is_exported(text) else None
    origin = _origin(text, raw, reading.plan) if exported is None else exported.origin
    written = write_exported(reading.plan, origin, level=reading.level)
    again = read_text(written.encode(), path="plan.json", diagnostics=Diagnostics())
    found = None if again is None else read_any_spectra(again, _quiet(again))
    common = to_spectra_plan(reading.plan, level=reading.level)
    if found is None or to_spectra_plan(found.plan, level=found.level) != common:
        return Missing(what=())
    return written


def _origin(text: PlanText, raw: bytes, plan: SpectraPlan) -> Origin:
    lines = tuple(text.line_number(task.mark_at[0]) for task in plan.tasks)
    return Origin(source_hash=hashlib.sha256(raw).hexdigest(), lines=lines)


def _spectra_record(text: PlanText) -> SpectraPlan | None:
    reading = read_any_spectra(text, _quiet(text))
    return None if reading is None else reading.plan


def rewrite_delivery(text: PlanText) -> Rewritten | None:
    """Return a delivery plan in canonical form; ``None`` if the text has no phase."""
    return _rewritten(text, lambda one: read_delivery(one, _quiet(one)), write_delivery)


def rewrite_task_table(text: PlanText) -> Rewritten | None:
    """Return a task table in canonical form."""
    return _rewritten(text, lambda one: read_record(one).record, write_task_table)


def lines_words(numbers: Iterable[int]) -> str:
    """Return line numbers as people write them: ``3, 5-8 and 4 more``."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1][1:] = [number]
        else:
            runs.append([number])
    shown = ", ".join("-".join(map(str, run)) for run in runs[:_LINES_SHOWN_MAX])
    return shown if len(runs) <= _LINES_SHOWN_MAX else f"{shown} and {len(runs) - _LINES_SHOWN_MAX} more places"


def _rewritten(
    text: PlanText, read: Callable[[PlanText], Record | None], write: Callable[[Record], str]
) -> Rewritten | None:
    record = read(text)
    if record is None:
        return None
    written = write(record)
    again = read_text(written.encode(), path=text.source.path, diagnostics=Diagnostics())
    is_faithful = again is not None and read(again) == record
    return Rewritten(text=written, left_out=_left_out(text, written), is_faithful=is_faithful)


def _left_out(text: PlanText, written: str) -> tuple[int, ...]:
    """Return the lines of a text of which most words are not in the result, each word taken as often as it stands."""
    left = Counter(_WORD.findall(written.casefold()))
    found: list[int] = []
    for line in text.lines:
        words = _WORD.findall(line.text.casefold())
        kept = 0
        for word in words:
            if left[word] > 0:
                left[word] -= 1
                kept += 1
        if 2 * kept < len(words):
            found.append(line.number)
    return tuple(found)


def _quiet(text: PlanText) -> PlanReporter:
    return PlanReporter(text, Diagnostics())
