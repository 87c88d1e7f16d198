"""Plans to orchestrations: the order of work, and the proof that what is handed out is accepted.

Owns: the result, and what is reported of a plan that cannot be compiled, at its place in the plan.
Does not know: formats of plans, files.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from remit.core.definition import Definition
from remit.diagnostics import Diagnostic, Diagnostics, Severity
from remit.governance.policy import BusinessConfig
from remit.plans.analysis import Analysis
from remit.plans.business import compile_business
from remit.plans.catalogue import Catalogue
from remit.plans.compiling.document import Written, write_document
from remit.plans.compiling.names import Names, definition_name
from remit.plans.compiling.outline import Outline, Part, outline_plan
from remit.plans.compiling.remit_file import write_remit
from remit.plans.compiling.settings import DEFAULTS, CompileSettings
from remit.plans.compiling.tasks import write_scope
from remit.plans.documents import shorten
from remit.plans.orchestration import compile_orchestration
from remit.plans.orchestration.nesting import ITERATIONS_MAX
from remit.plans.plan import NOWHERE, Plan, PlanFormat, PlanPhase, PlanTask, TaskKind, TaskState
from remit.plans.texts import PlanReporter
from remit.ports.declared import OUTSIDE_PATTERN

_OUTSIDE: Final = re.compile(OUTSIDE_PATTERN)

_TOO_LARGE: Final = frozenset({"DOCUMENT_TOO_LARGE", "LIMIT_EXCEEDED"})
"""Findings that are about how much there is, whichever task they stand at."""

NAMED_MAX: Final = 10
REPORTED_MAX: Final = 20
"""Most tasks whose refusal is reported: the first tells most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Compilation:
    """What came of a plan: its orchestration as text and definition, and the remit file that it needs.

    All of it was checked, the definition also against that remit file.
    """

    text: str
    definition: Definition
    remit_text: str
    remit: BusinessConfig


def compile_plan(
    plan: Plan,
    analysis: Analysis,
    *,
    reporter: PlanReporter,
    contracts: Catalogue,
    settings: CompileSettings = DEFAULTS,
) -> Compilation | None:
    """Return the orchestration of a plan; ``None`` if findings of it, also those from before, are errors.

    Args:
        plan: What was read.
        analysis: What follows from it.
        reporter: Reports into the findings of the plan's text.
        contracts: The tools, with the declared ones.
        settings: Who acts and who decides.
    """
    path = reporter.source.path
    if reporter.diagnostics.has_errors or not _is_compilable(plan, analysis, reporter):
        return None
    names = Names()
    outline = outline_plan(plan, analysis, names)
    written = write_document(plan, outline, names, settings=settings, path=path)
    _tell(plan, outline, written, reporter)
    return _proven(plan, written, reporter, contracts=contracts, settings=settings)


def _is_compilable(plan: Plan, analysis: Analysis, reporter: PlanReporter) -> bool:
    """Whether an outline can be made; why not is reported."""
    placed = {task_id for wave in analysis.waves for task_id in wave}
    stray = [task for task in plan.tasks if task.id not in placed]
    if stray:
        reporter.report(
            "COMPILE_REFUSED",
            f"expected an order in which tasks can be done, got none for {_listed(stray)}; remove what they wait for "
            "in a circle",
            at=stray[0].at,
        )
        return False
    if analysis.untested:
        reporter.report(
            "COMPILE_REFUSED",
            f"expected an order in which tasks can be done, got none between the tests of {analysis.untested[0]} and "
            "what waits for it, because there are too many of both; test it in one task, or write the dependencies",
            at=next(task.at for task in plan.tasks if task.id == analysis.untested[0]),
        )
        return False
    if all(task.state is TaskState.DONE for task in plan.tasks):
        message = "expected a task that is not done, got none; set the mark of what is to be done again to [ ]"
        reporter.report("COMPILE_NOTHING_LEFT", message, at=plan.tasks[0].at if plan.tasks else NOWHERE)
        return False
    is_fine = True
    for task in plan.tasks:
        if task.state is TaskState.DONE or task.kind is TaskKind.HUMAN_GATE:
            continue
        for claim in (*write_scope(plan, task), *task.reads, *task.denied):
            if _OUTSIDE.search(claim.path):
                is_fine = False
                reporter.report(
                    "COMPILE_PATH_OUTSIDE",
                    f"expected a path inside of the workspace for task {task.id}, got {shorten(claim.written)}; "
                    "write it from the workspace's root, without '..'",
                    at=task.at if claim.at == NOWHERE else claim.at,
                )
        if task.iterations_max is not None and not 1 <= task.iterations_max <= ITERATIONS_MAX:
            is_fine = False
            reporter.report(
                "COMPILE_ITERATIONS",
                f"expected 1 to {ITERATIONS_MAX} iterations of task {task.id}, got {task.iterations_max}; "
                "split a task that needs more",
                at=task.at,
            )
    return is_fine


def _tell(plan: Plan, outline: Outline, written: Written, reporter: PlanReporter) -> None:
    """Report what the compiler decided, or left to whoever starts the run."""
    stuck = [task for task in outline.tasks if task.state is TaskState.STUCK]
    unscoped = [task for _, task in written.open_writes]
    open_ids = {task.id for task in unscoped}
    by_files = [task for task in outline.tasks if not (task.owns or task.touches) and task.id not in open_ids]
    message = "expected open marks, got {tasks} done; nothing is compiled of that, set its mark to [ ] to do it again"
    _report("COMPILE_DONE_SKIPPED", message, outline.done, reporter)
    message = "expected tasks that can begin, got {tasks} stuck; a human gate stands before it, or clear what stops it"
    _report("COMPILE_STUCK_GATED", message, stuck, reporter)
    message = (
        "expected what {tasks} may change, got neither owns nor touches; what Files names may be changed, and nothing "
        "else"
    )
    _report("COMPILE_SCOPE_FROM_FILES", message, by_files, reporter)
    message = (
        "expected paths that {tasks} may change, got none that the plan grants; name them in the run's input (write), "
        "or in the plan"
    )
    _report("COMPILE_SCOPE_OPEN", message, unscoped, reporter)
    message = (
        "expected a command that verifies {tasks}, got none; name one for all of these in the run's input (verify), "
        "or in the plan"
    )
    _report("COMPILE_VERIFY_OPEN", message, written.open_verifies, reporter)
    begun = {task.phase for task in outline.tasks}
    unread = [phase for phase in plan.phases if phase.exit_criteria and phase.gate is None and phase.id in begun]
    if unread:
        reporter.report(
            "COMPILE_CRITERIA_UNREAD",
            f"expected somebody who reads the exit criteria of {_listed(unread, 'phase')}, got no human gate behind "
            "them; later phases begin when all tasks have passed, write a gate where that is not enough",
            at=unread[0].at,
        )
    if plan.format is PlanFormat.FANOUT and plan.phases:
        message = (
            "expected an order of what builds and what verifies, got none for {tasks}, because fanouts have no "
            "dependencies; they are compiled to wait for all that is built"
        )
        _report("COMPILE_ORDERED", message, [task for task in outline.tasks if task.kind is TaskKind.TEST], reporter)
    _tell_order(outline, reporter)


def _report(code: str, message: str, tasks: Sequence[PlanTask], reporter: PlanReporter) -> None:
    """Report something about tasks at the first of them, if it is about any."""
    if tasks:
        reporter.report(code, message.format(tasks=_listed(tasks)), at=tasks[0].at)


def _tell_order(outline: Outline, reporter: PlanReporter) -> None:
    """Report which tasks wait although the plan gives them no order."""
    held = [step for step in outline.steps if step.held_by and step.task is not None]
    if not held:
        return
    tasks = [step.task for step in held if step.task is not None]
    if outline.why_single is not None:
        message = (
            f"expected an order of all tasks, because {outline.why_single}, got none for {_listed(tasks)}; each is "
            "compiled to wait for the one before it"
        )
    else:
        names = {step.id: step.task.id for step in outline.steps if step.part is Part.TASK and step.task is not None}
        first = f"{tasks[0].id} waits for {names[held[0].held_by[0]]}"
        message = (
            f"expected an order of tasks that change the same files, got none for {_listed(tasks)}; each is compiled "
            f"to wait ({first}), write the dependency where another order is meant"
        )
    reporter.report("COMPILE_ORDERED", message, at=tasks[0].at)


def _proven(
    plan: Plan, written: Written, reporter: PlanReporter, *, contracts: Catalogue, settings: CompileSettings
) -> Compilation | None:
    """Return what was written once it was checked as if somebody else had written it."""
    remit_text = write_remit(written, business=settings.name or definition_name(plan.title))
    business = compile_business(remit_text.encode(), path="remit.yaml", contracts=contracts)
    checked = compile_orchestration(
        written.text.encode(), path="orchestration.yaml", contracts=contracts, policy=business.config
    )
    _report_refusals(checked.diagnostics, written, reporter)
    _report_refusals(business.diagnostics, None, reporter)
    if checked.definition is None or business.config is None:
        return None
    return Compilation(text=written.text, definition=checked.definition, remit_text=remit_text, remit=business.config)


def _report_refusals(found: Diagnostics, written: Written | None, reporter: PlanReporter) -> None:
    """Report what is refused of the document at the tasks that it comes from, or else at the plan, once each."""
    first: dict[str, tuple[PlanTask | None, Diagnostic]] = {}
    for finding in found:
        if finding.severity is Severity.ERROR:
            task = None if written is None else _task_at(finding, written)
            first.setdefault("" if task is None else task.id, (task, finding))
    if len(first) > 1:
        first.pop("", None)  # its title or objective says the same as a task
    for task, finding in list(first.values())[:REPORTED_MAX]:
        about = "the plan" if task is None else f"task {task.id}"
        if finding.code in _TOO_LARGE:
            reporter.report(
                "COMPILE_REFUSED",
                f"expected a plan that fits into one orchestration, got more: {finding.message.partition(';')[0]}; "
                "split the plan, best at a phase or gate",
                at=NOWHERE,
            )
            return
        reporter.report(
            "COMPILE_REFUSED",
            f"expected {about} to compile to an orchestration that is accepted, got {finding.code}: {finding.message}",
            at=NOWHERE if task is None else task.at,
        )


def _task_at(finding: Diagnostic, written: Written) -> PlanTask | None:
    """Return the task that the line of a finding is about."""
    lines = [first for first, _ in written.lines_of]
    place = bisect_right(lines, finding.span.start.line) - 1
    return written.lines_of[place][1] if place >= 0 else None


def _listed(named: Sequence[PlanTask | PlanPhase], word: str = "task") -> str:
    more = f" and {len(named) - NAMED_MAX} more" if len(named) > NAMED_MAX else ""
    return f"{word}{'' if len(named) == 1 else 's'} {', '.join(one.id for one in named[:NAMED_MAX])}{more}"
