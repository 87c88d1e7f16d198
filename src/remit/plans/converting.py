"""Converting plan documents: to the canonical form of their format, or to another form without guessing.

Owns: which conversions there are, and the reason of each that there is not. What was written is read back and compared
before it is given out, so nothing is lost without a word.
Does not know: files, and any format's grammar.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from remit.diagnostics import Diagnostics, Severity, Source
from remit.diagnostics.fixes import fix_until_done
from remit.plans.codes import ALL_CODES
from remit.plans.contract import (
    NO_DEFAULTS,
    ContractDefaults,
    Fanout,
    IssueContract,
    PlanningContract,
    Record,
    has_header,
    issues_of,
    open_fields,
    open_issue_text,
    read_contract,
    read_fanout,
    read_issue,
    write,
    write_issue_json,
)
from remit.plans.documents import shorten
from remit.plans.formats import PlanReading, read_plan
from remit.plans.options import PlanOptions
from remit.plans.plan import PlanFormat
from remit.plans.rewriting import (
    Missing,
    Rewritten,
    export_spectra,
    lines_words,
    rewrite_delivery,
    rewrite_spectra,
    rewrite_task_table,
)
from remit.plans.spectra import is_exported
from remit.plans.texts import PlanReporter, PlanText, read_text


class Target(StrEnum):
    """What a document can be converted to."""

    PLANNING_CONTRACT = "planning-contract"
    FANOUT = "fanout"
    ISSUE_CONTRACT = "issue-contract"
    ISSUE_CONTRACT_JSON = "issue-contract-json"
    SPECTRA = "spectra"
    SPECTRA_JSON = "spectra-json"
    DELIVERY_PLAN = "delivery-plan"
    TASK_TABLE = "task-table"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConvertOptions:
    """What a conversion may add: ``first_number`` of issues, and the ``defaults`` of a planning contract."""

    first_number: int = 1
    defaults: ContractDefaults = NO_DEFAULTS


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenFile:
    """One document that came of a conversion; ``name`` is what to call it beside others."""

    name: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversion:
    """What came of a document; ``remarks`` say what was left out or open."""

    files: tuple[WrittenFile, ...]
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why a document is not converted."""

    reason: str


AS_IT_IS: Final = ConvertOptions()

_GRAPH: Final = "Plans: texts, tasks and their graph"
_KEPT: Final = frozenset(
    {
        "DECLARATION_MISSING", "DEPENDENCY_CYCLE", "DEPENDENCY_SELF", "DEPENDENCY_UNKNOWN", "FANOUT_MARKER_SHARED",
        "INVARIANT_UNKNOWN", "MILESTONE_DUPLICATE",
    }
)  # fmt: skip
"""Errors that take nothing from a record: what is wrong is converted as it stands."""

_UNFIT: Final = (
    "a value in its header would have a comma or a line end in it, or a section a heading of its own level; "
    "change that first"
)
_OTHERWISE: Final = "the canonical form would say something else; correct what `remit plan check` finds first"
_LOSING: Final = frozenset({"CHARACTER_FORBIDDEN", "ENCODING_INVALID"})
_STRICT: Final = frozenset({PlanFormat.PLANNING_CONTRACT, PlanFormat.FANOUT, PlanFormat.ISSUE_CONTRACT})
"""Formats of which an error hides what a document says; of the others a line that is left out is said by itself."""

_REASONS: Final = {
    (PlanFormat.PLANNING_CONTRACT, Target.FANOUT): (
        "a milestone does not say who does it, and what of it is a developer's task and what is QA's; write the tasks, "
        "`remit plan schema fanout --template` prints a file to begin with"
    ),
    (PlanFormat.PLANNING_CONTRACT, Target.ISSUE_CONTRACT): (
        "a milestone is no task: it has no role, scope or paths; write a fanout file and convert that, with the "
        "contract as --defaults"
    ),
    (PlanFormat.FANOUT, Target.PLANNING_CONTRACT): (
        "a fanout knows no outcomes, dependencies and defaults, which a planning contract must have"
    ),
    (PlanFormat.FANOUT, Target.ISSUE_CONTRACT_JSON): (
        "what a fanout leaves open cannot stand in JSON; convert to issue-contract, fill in the placeholders, then "
        "convert those"
    ),
    (PlanFormat.ISSUE_CONTRACT, Target.FANOUT): (
        "a fanout task has no place for an issue's id, status, priority, complexity, paths and tests"
    ),
    (PlanFormat.ISSUE_CONTRACT, Target.PLANNING_CONTRACT): "an issue contract is one task of a roadmap, and no roadmap",
}


def convert(
    reading: PlanReading, target: Target | None = None, options: ConvertOptions = AS_IT_IS
) -> Conversion | Refusal:
    """Return what a document becomes; without a target the canonical form of its own format.

    Fixes that are certain are made on the way. Refused with a reason: documents with other errors that hide what they
    say, and conversions that would have to guess.
    """
    if reading.text is None or reading.format is None:
        return Refusal(reason="the file could not be read as a plan")
    hindrance = _hindrance(reading.diagnostics, reading.format)
    if hindrance is not None:
        return _mended(reading, target, options) or Refusal(reason=hindrance)
    wanted = target or _own(reading.format, reading.text)
    if wanted is None:
        return Refusal(reason=f"nothing is known of the canonical form of a {reading.format.value}")
    if (reading.format, wanted) == (PlanFormat.SPECTRA, Target.SPECTRA_JSON):
        return _spectra_json(reading.text, reading.raw)
    act = _CONVERSIONS.get((reading.format, wanted))
    if act is None:
        return Refusal(reason=_REASONS.get((reading.format, wanted)) or _usual_reason(reading.format, wanted))
    return act(reading.text, options)


def _mended(reading: PlanReading, target: Target | None, options: ConvertOptions) -> Conversion | Refusal | None:
    """Return what a document becomes once its certain fixes are made; ``None`` if errors hinder it even then."""
    plan_options = PlanOptions(format=reading.format)

    def check(raw: bytes) -> tuple[Source | None, Diagnostics]:
        again = read_plan(raw, path=reading.path, options=plan_options)
        return again.source, again.diagnostics

    if reading.format not in _STRICT or any(finding.code in _LOSING for finding in reading.diagnostics):
        return None
    fixed = fix_until_done(reading.raw, check)
    again = read_plan(fixed.raw, path=reading.path, options=plan_options)
    if not fixed.made or again.format is None or _hindrance(again.diagnostics, again.format) is not None:
        return None
    result = convert(again, target, options)
    if isinstance(result, Refusal):
        return result
    count = len(fixed.made)
    said = f"{count} {'finding' if count == 1 else 'findings'} corrected on the way, as `remit plan check --fix` does"
    return replace(result, remarks=(said, *result.remarks))


def _usual_reason(found: PlanFormat, wanted: Target) -> str:
    known = ", ".join(target.value for source, target in _CONVERSIONS if source is found)
    return f"what has the format {found.value} does not hold what {wanted.value} has to say; it can become: {known}"


def _hindrance(diagnostics: Diagnostics, found: PlanFormat) -> str | None:
    """Return why a document's findings make a conversion lose something, ``None`` if they do not."""
    for finding in diagnostics:
        is_hiding = found in _STRICT and finding.severity is Severity.ERROR and not _is_kept(finding.code)
        if finding.code in _LOSING or is_hiding:
            return (
                f"it would lose what stands at {finding.span.start} ({finding.code}); correct it first, "
                "`remit plan check --fix` corrects what is certain"
            )
    return None


def _is_kept(code: str) -> bool:
    return code in _KEPT or ALL_CODES[code].group == _GRAPH


def _own(found: PlanFormat, text: PlanText) -> Target | None:
    """Return the form that a document already has, more or less."""
    if found is PlanFormat.ISSUE_CONTRACT and not has_header(text):
        return Target.ISSUE_CONTRACT_JSON
    if found is PlanFormat.SPECTRA and is_exported(text):
        return Target.SPECTRA_JSON
    return next((target for target in Target if target.value == found.value), None)


def _contract(text: PlanText, options: ConvertOptions) -> Conversion | Refusal:  # noqa: ARG001 - one form for all
    record = read_contract(text, _quiet(text))
    return _unread() if record is None else _checked(record, write(record), "planning-contract.json", text)


def _fanout(text: PlanText, options: ConvertOptions) -> Conversion | Refusal:  # noqa: ARG001 - one form for all
    record = read_fanout(text, _quiet(text))
    return _unread() if record is None else _checked(record, write(record), "fanout.json", text)


def _issue(text: PlanText, options: ConvertOptions) -> Conversion | Refusal:  # noqa: ARG001 - one form for all
    record = read_issue(text, _quiet(text))
    if record is None:
        return _unread()
    plain = replace(record, schema="")
    made = _checked(plain, write(plain), f"{record.id}.md", text)
    if record.schema and isinstance(made, Conversion):
        return replace(made, remarks=(*made.remarks, "the address of the schema is left out: a header has none"))
    return made


def _issue_json(text: PlanText, options: ConvertOptions) -> Conversion | Refusal:  # noqa: ARG001 - one form for all
    record = read_issue(text, _quiet(text))
    return _unread() if record is None else _checked(record, write_issue_json(record), f"{record.id}.json", text)


def _spectra(text: PlanText, options: ConvertOptions) -> Conversion | Refusal:  # noqa: ARG001 - one form for all
    made = _rewritten(rewrite_spectra(text), "plan.md")
    if is_exported(text) and isinstance(made, Conversion):
        return replace(made, remarks=("the hash and the line numbers of the Markdown that it came from are left out",))
    return made


def _spectra_json(text: PlanText, raw: bytes) -> Conversion | Refusal:
    result = export_spectra(text, raw)
    if result is None:
        return _unread()
    if isinstance(result, Missing):
        lacking = f"plan.json must have {', '.join(result.what)}, and the plan has none; write it first"
        return Refusal(reason=lacking if result.what else _OTHERWISE)
    canonical = None if is_exported(text) else rewrite_spectra(text)
    remarks = (_left_out(canonical.left_out),) if canonical is not None and canonical.left_out else ()
    return Conversion(files=(WrittenFile(name="plan.json", text=result),), remarks=remarks)


def _left_out(numbers: tuple[int, ...]) -> str:
    return f"left out, for the form has no place for them: line {lines_words(numbers)}"


def _delivery(text: PlanText, options: ConvertOptions) -> Conversion | Refusal:  # noqa: ARG001 - one form for all
    return _rewritten(rewrite_delivery(text), "delivery-plan.md")


def _task_table(text: PlanText, options: ConvertOptions) -> Conversion | Refusal:  # noqa: ARG001 - one form for all
    return _rewritten(rewrite_task_table(text), "tasks.md")


def _rewritten(result: Rewritten | None, name: str) -> Conversion | Refusal:
    if result is None:
        return _unread()
    if not result.is_faithful:
        return Refusal(reason=_OTHERWISE)
    remarks = (_left_out(result.left_out),) if result.left_out else ()
    return Conversion(files=(WrittenFile(name=name, text=result.text),), remarks=remarks)


def _issues(text: PlanText, options: ConvertOptions) -> Conversion | Refusal:
    fanout = read_fanout(text, _quiet(text))
    if fanout is None:
        return _unread()
    issues = issues_of(fanout, first_number=options.first_number, defaults=options.defaults)
    remarks = [f"{issue.id} leaves open: {', '.join(open_fields(issue))}" for issue in issues if open_fields(issue)]
    files = tuple(WrittenFile(name=f"{issue.id}.md", text=open_issue_text(issue)) for issue in issues)
    for task, issue, file in zip(fanout.tasks, issues, files, strict=True):
        if not _says_same(issue, file):
            return Refusal(reason=f"{shorten(task.title)} as an issue would say something else: {_UNFIT}")
    return Conversion(files=files, remarks=tuple(remarks))


def _says_same(issue: IssueContract, file: WrittenFile) -> bool:
    """Whether the file of an issue gives it back, apart from what it leaves open."""
    text = read_text(file.text.encode(), path=file.name, diagnostics=Diagnostics())
    found = None if text is None else read_issue(text, _quiet(text))
    left_open = {name: getattr(issue, name) for name in open_fields(issue)}
    return found is not None and replace(found, **left_open) == issue


def _checked(record: Record, written: str, name: str, text: PlanText) -> Conversion | Refusal:
    """Return what was written, unless reading it gives another record."""
    again = read_text(written.encode(), path=name, diagnostics=Diagnostics())
    if again is None or _read_like(record, again) != record:
        return Refusal(reason=f"the other form would say something else: {_UNFIT}")
    is_page = text.text.lstrip()[:1] != "{" and not (isinstance(record, IssueContract) and has_header(text))
    remarks = ("the page around the JSON is left out",) if is_page else ()
    return Conversion(files=(WrittenFile(name=name, text=written),), remarks=remarks)


def _read_like(record: Record, text: PlanText) -> Record | None:
    match record:
        case PlanningContract():
            return read_contract(text, _quiet(text))
        case Fanout():
            return read_fanout(text, _quiet(text))
        case IssueContract():
            return read_issue(text, _quiet(text))


def _quiet(text: PlanText) -> PlanReporter:
    return PlanReporter(text, Diagnostics())


def _unread() -> Refusal:
    return Refusal(reason="the file could not be read as what it looks like")


_CONVERSIONS: Final[dict[tuple[PlanFormat, Target], Callable[[PlanText, ConvertOptions], Conversion | Refusal]]] = {
    (PlanFormat.PLANNING_CONTRACT, Target.PLANNING_CONTRACT): _contract,
    (PlanFormat.FANOUT, Target.FANOUT): _fanout,
    (PlanFormat.FANOUT, Target.ISSUE_CONTRACT): _issues,
    (PlanFormat.ISSUE_CONTRACT, Target.ISSUE_CONTRACT): _issue,
    (PlanFormat.SPECTRA, Target.SPECTRA): _spectra,
    (PlanFormat.DELIVERY_PLAN, Target.DELIVERY_PLAN): _delivery,
    (PlanFormat.TASK_TABLE, Target.TASK_TABLE): _task_table,
    (PlanFormat.ISSUE_CONTRACT, Target.ISSUE_CONTRACT_JSON): _issue_json,
}
