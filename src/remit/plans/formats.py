"""Formats of plan documents: which one a file has, and reading any of them.

Owns: the table of formats, and the order of work: text, format, common checks.
Does not know: a format's grammar (the format's own package does).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from remit.diagnostics import Diagnostic, Diagnostics, Source
from remit.plans import contract, delivery, spectra, task_table
from remit.plans.analysis import Analysis, analyse, check_plan
from remit.plans.files import read_file, shown_path
from remit.plans.options import AS_WRITTEN, PlanOptions
from remit.plans.plan import Plan, PlanFormat
from remit.plans.texts import PLAN_BYTES_MAX, PlanReporter, PlanText, read_text


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanReading:
    """What came of one file. ``plan`` is there also when findings are errors, unless nothing could be read.

    ``analysis`` is there whenever ``plan`` is.
    """

    path: str
    raw: bytes
    format: PlanFormat | None
    text: PlanText | None
    plan: Plan | None
    diagnostics: Diagnostics
    analysis: Analysis | None = None

    @property
    def source(self) -> Source | None:
        """Return the text that findings point into."""
        return None if self.text is None else self.text.source


@dataclass(frozen=True, slots=True, kw_only=True)
class Front:
    """The front-end of one format.

    ``likeness`` says from 0 to 100 how much a text looks like the format (it must be quick, and never raise); ``read``
    returns the plan with whatever can be read, and reports everything that is wrong.
    """

    format: PlanFormat
    likeness: Callable[[PlanText], int]
    read: Callable[[PlanText, PlanReporter, PlanOptions], Plan | None]


FRONTS: Final[Mapping[PlanFormat, Front]] = {
    front.format: front
    for front in (
        Front(format=PlanFormat.SPECTRA, likeness=spectra.likeness, read=spectra.read),
        Front(format=PlanFormat.TASK_TABLE, likeness=task_table.likeness, read=task_table.read),
        Front(format=PlanFormat.DELIVERY_PLAN, likeness=delivery.likeness, read=delivery.read),
        Front(
            format=PlanFormat.PLANNING_CONTRACT, likeness=contract.contract_likeness, read=contract.read_contract_plan
        ),
        Front(format=PlanFormat.FANOUT, likeness=contract.fanout_likeness, read=contract.read_fanout_plan),
        Front(format=PlanFormat.ISSUE_CONTRACT, likeness=contract.issue_likeness, read=contract.read_issue_plan),
    )
}
"""The front-end of each format."""


def read_plan_file(path: str | Path, options: PlanOptions = AS_WRITTEN) -> PlanReading:
    """Read one file; what is wrong with it, also that it cannot be read, is in the findings."""
    shown = shown_path(path)
    raw = read_file(path, bytes_max=PLAN_BYTES_MAX)
    if isinstance(raw, Diagnostic):
        return PlanReading(path=shown, raw=b"", format=None, text=None, plan=None, diagnostics=Diagnostics([raw]))
    return read_plan(raw, path=shown, options=options)


def read_plan(raw: bytes, *, path: str, options: PlanOptions = AS_WRITTEN) -> PlanReading:
    """Read a plan document of any format: every finding at once, and the plan as far as it could be read."""
    diagnostics = Diagnostics()
    text = read_text(raw, path=path, diagnostics=diagnostics)
    found = None if text is None else options.format or format_of(text)
    plan: Plan | None = None
    analysis: Analysis | None = None
    if text is not None:
        reporter = PlanReporter(text, diagnostics)
        if found is None:
            _report_unknown(text, reporter)
        else:
            plan = FRONTS[found].read(text, reporter, options)
        analysis = None if plan is None else analyse(plan)
        if plan is not None and analysis is not None:
            check_plan(plan, analysis, reporter)
    return PlanReading(
        path=path, raw=raw, format=found, text=text, plan=plan, diagnostics=diagnostics, analysis=analysis
    )


def format_of(text: PlanText) -> PlanFormat | None:
    """Return the format that a text looks like most; ``None`` if it looks like none."""
    scores = {front.format: front.likeness(text) for front in FRONTS.values()}
    best = max(scores, key=lambda name: scores[name], default=None)
    return best if best is not None and scores[best] else None


def _report_unknown(text: PlanText, reporter: PlanReporter) -> None:
    if not text.text.strip():
        reporter.report("DOCUMENT_EMPTY", "expected a plan, got an empty file", at=(0, 0))
        return
    names = ", ".join(PlanFormat)
    reporter.report(
        "PLAN_FORMAT_UNKNOWN",
        f"expected a plan of a known format ({names}), got none of them; say which with --kind",
        at=(0, 0),
    )
