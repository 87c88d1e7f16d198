"""The planning rules, as far as a file shows whether they were kept.

Owns: rules 1 to 4 and 6 to 8 for contracts, fanouts and issues. docs/reference/plans-contract.md lists them, and those
that no file shows.
Does not know: how a document is written. Words are judged by ``wording``.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from remit.governance.suggestions import nearest
from remit.plans.contract.forms import says_nothing
from remit.plans.contract.placeholders import placeholder_in
from remit.plans.contract.records import Fanout, FanoutTask, IssueContract, Milestone, PlanningContract, Role
from remit.plans.contract.slugs import slug_of
from remit.plans.contract.values import Values
from remit.plans.contract.wording import Aim, aim_of, first_verb, is_evidence, names_code
from remit.plans.contract.words import FANOUT_TASKS_MAX, INVARIANTS, LABEL
from remit.plans.documents import Scalar, shorten
from remit.plans.documents import Sequence as ListNode
from remit.plans.plan import Place, Reference, RiskClass
from remit.plans.texts import PlanReporter

RULED: Final = frozenset({Role.DEVELOPER, Role.QA})
"""Roles whose tasks must declare risk, diff boundary and invariants (rule 6)."""

DECLARED: Final = ("risk_class", "max_diff_scope", "invariants")
_IMPLEMENTING: Final = frozenset({"code", "fix", "implement", "migrate", "port", "refactor", "rewrite", "wire"})
_GRAVE: Final = frozenset({RiskClass.HIGH, RiskClass.CRITICAL})
_ROOTS_SHOWN: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class _Judged:
    """A task with what its words tell."""

    role: Role
    title: str
    text: str
    at: Place
    verb: str
    aim: Aim


def check_contract(contract: PlanningContract, reporter: PlanReporter, known: frozenset[str] | None) -> None:
    """Hold a planning contract against the rules."""
    check_invariants(contract.defaults.invariants, reporter, known)
    _check_ids(contract.milestones, reporter)
    _check_focus(contract.milestones, reporter)
    _check_unknowns(contract, reporter)
    _check_order(contract.milestones, reporter)


def check_fanout(fanout: Fanout, reporter: PlanReporter, known: frozenset[str] | None) -> None:
    """Hold a fanout file against the rules."""
    judged = [_judge(task.role, task.title, task.summary, task.at) for task in fanout.tasks]
    builder = next((one for one in judged if one.aim is Aim.BUILDS and one.role is not Role.QA), None)
    first_by_slug: dict[str, FanoutTask] = {}
    for number, (task, one) in enumerate(zip(fanout.tasks, judged, strict=True), start=1):
        check_invariants(task.invariants, reporter, known)
        _check_aim(one, reporter)
        _check_labels(task, reporter)
        _check_marker(task, first_by_slug, reporter)
        is_paper = one.aim is Aim.VERIFIES and is_evidence(task.title)
        if is_paper and task.role is not Role.DEVELOPER and builder is not None:
            _report_early(task.at, builder.title, builder.at, reporter)
        if number == FANOUT_TASKS_MAX + 1:
            _report_many(len(fanout.tasks), task, reporter)
    if fanout.tasks and all(one.aim is Aim.VERIFIES for one in judged):
        reporter.report(
            "PLAN_VERIFIES_ONLY",
            "expected tasks that build something (planning rule 7), got verification only; that is right only when "
            "no gap of features is open: say so in the notes",
            at=fanout.tasks[0].at,
        )


def check_issue(issue: IssueContract, reporter: PlanReporter, known: frozenset[str] | None) -> None:
    """Hold an issue contract against the rules."""
    check_invariants(issue.invariants, reporter, known)
    objective = next((section.text for section in issue.sections if section.title == "Objective"), "")
    if issue.role is not None and issue.title:
        _check_aim(_judge(issue.role, issue.title, objective, issue.at), reporter)


def check_invariants(named: Sequence[Reference], reporter: PlanReporter, known: frozenset[str] | None) -> None:
    """Report each invariant that nobody knows."""
    registry = INVARIANTS if known is None else known
    for reference in named:
        is_open = placeholder_in(reference.id) is not None
        if reference.id not in registry and not is_open and not reporter.diagnostics.is_full:
            whose = f"one of the {len(registry)} known invariants" if known is None else "an invariant of the registry"
            hint = _hint(reference.id, registry, is_own=known is not None)
            reporter.report(
                "INVARIANT_UNKNOWN", f"expected {whose}, got {shorten(reference.id)}; {hint}", at=reference.at
            )


def _hint(name: str, registry: frozenset[str], *, is_own: bool) -> str:
    """Return what to do about an id that a registry lacks."""
    parts = name.replace(";", " ").split()
    if len(parts) > 1 and all(part in registry for part in parts):
        return "name each by itself, separated by commas"
    meant = nearest(name, registry)
    if meant is not None:
        return f"did you mean {meant!r}?"
    return "define it there first" if is_own else "name the file that lists yours with --invariants"


def require_declared(values: Values, role: Role | None) -> None:
    """Report what a developer's or QA's task leaves undeclared (rule 6); nothing else says so.

    A task whose role cannot be read (``None``) has to declare what any but a planner's has.
    """
    missing = [name for name in DECLARED if _is_missing(values, name)]
    if (role is None or role in RULED) and missing:
        whose = "that no planner does" if role is None else f"of role {role.value}"
        values.reporter.report(
            "DECLARATION_MISSING",
            f"expected risk_class, max_diff_scope and invariants on a task {whose} (planning rule 6), "
            f"got no {' and no '.join(missing)}; declare each",
            at=values.fields.value_place("title"),
        )


def _is_missing(values: Values, name: str) -> bool:
    node = values.fields.node(name)
    says_none = name == "invariants" and isinstance(node, Scalar) and says_nothing(str(node.value))
    is_blank = says_none or (isinstance(node, ListNode) and not node.items)
    return is_blank or (node is None and not values.is_misspelt(name))


def _check_ids(milestones: Sequence[Milestone], reporter: PlanReporter) -> None:
    seen: dict[str, Milestone] = {}
    for milestone in milestones:
        first = seen.setdefault(milestone.id, milestone)
        if milestone.id and first is not milestone:
            reporter.report(
                "MILESTONE_DUPLICATE",
                f"expected each milestone id once, got {shorten(milestone.id)} again; rename one",
                at=milestone.at,
                related={"first used here": first.at},
            )


def _check_focus(milestones: Sequence[Milestone], reporter: PlanReporter) -> None:
    """Rule 2: one focused milestone at a time."""
    roots = [milestone for milestone in milestones if not milestone.dependencies]
    if len(roots) > 1:
        shown = ", ".join(milestone.id for milestone in roots[:_ROOTS_SHOWN])
        rest = "" if len(roots) <= _ROOTS_SHOWN else f" and {len(roots) - _ROOTS_SHOWN} more"
        reporter.report(
            "MILESTONES_UNORDERED",
            f"expected one focused milestone at a time (planning rule 2), got {len(roots)} that wait for none: "
            f"{shown}{rest}; name dependencies, or mean them to run at once",
            at=roots[1].at,
            related={"the first stands here": roots[0].at},
        )


def _check_unknowns(contract: PlanningContract, reporter: PlanReporter) -> None:
    """Rule 4: unknowns and assumptions are recorded."""
    for milestone in contract.milestones:
        if milestone.risk_class in _GRAVE and not milestone.risks:
            assert milestone.risk_class is not None
            reporter.report(
                "MILESTONE_RISKS_MISSING",
                f"expected the risks of milestone {milestone.id} (planning rule 4), got none although its risk is "
                f"{milestone.risk_class.value}; write what may go wrong and what is assumed",
                at=milestone.at,
            )


def _check_order(milestones: Sequence[Milestone], reporter: PlanReporter) -> None:
    """Rule 7: features before verification. A milestone that only verifies comes before none that builds."""
    builder: Milestone | None = None
    for milestone in reversed(_in_order(milestones)):
        aim = aim_of(milestone.title, milestone.outcome)
        if aim is Aim.BUILDS:
            builder = milestone
        elif aim is Aim.VERIFIES and builder is not None:
            _report_early(milestone.at, builder.title, builder.at, reporter)


def _in_order(milestones: Sequence[Milestone]) -> list[Milestone]:
    """Return milestones in the order of their dependencies, and of the document where those leave it free."""
    import networkx as nx

    places: dict[str, int] = {}
    for place, milestone in enumerate(milestones):
        places.setdefault(milestone.id, place)
    graph: nx.DiGraph[int] = nx.DiGraph()
    graph.add_nodes_from(range(len(milestones)))
    for place, milestone in enumerate(milestones):
        graph.add_edges_from((places[one.id], place) for one in milestone.dependencies if one.id in places)
    ordered: dict[int, None] = {}
    with suppress(nx.NetworkXUnfeasible):
        for place in nx.lexicographical_topological_sort(graph):
            ordered[place] = None
    # Those of a cycle have no order but the document's.
    return [milestones[place] for place in (*ordered, *sorted(graph.nodes - ordered.keys()))]


def _report_early(at: Place, title: str, builder_at: Place, reporter: PlanReporter) -> None:
    reporter.report(
        "VERIFICATION_EARLY",
        f"expected features before verification (planning rule 7), got verification while {shorten(title)} is still "
        "to be built; build first, or say which code this changes",
        at=at,
        related={"this is still to be built": builder_at},
    )


def _judge(role: Role, title: str, text: str, at: Place) -> _Judged:
    return _Judged(role=role, title=title, text=text, at=at, verb=first_verb(title), aim=aim_of(title, text))


def _check_aim(judged: _Judged, reporter: PlanReporter) -> None:
    """Rules 1 and 8: planners implement nothing, developers implement something."""
    title = judged.title
    if judged.role is Role.DEVELOPER and judged.aim is Aim.VERIFIES:
        reporter.report(
            "OBJECTIVE_VERIFIES",
            f"expected an objective that changes code (planning rule 8), got {shorten(title)}, which only verifies; "
            "say what is built and where, or give it to QA",
            at=judged.at,
        )
    elif judged.role is Role.DEVELOPER and judged.aim is Aim.DOCUMENTS:
        reporter.report(
            "OBJECTIVE_DOCUMENTS",
            f"expected an objective that changes code (planning rule 8), got {shorten(title)}, which only writes about "
            "it; say what is built and where, or give it to a planner",
            at=judged.at,
        )
    elif judged.role is Role.DEVELOPER and judged.aim is Aim.VAGUE:
        reporter.report(
            "OBJECTIVE_VAGUE",
            f"expected a concrete objective (planning rule 8), got {shorten(title)}; say what is built and where, "
            "such as 'implement the stream producer in internal/store/'",
            at=judged.at,
        )
    elif judged.role is Role.PLANNER and judged.verb in _IMPLEMENTING and names_code(f"{title}\n{judged.text}"):
        reporter.report(
            "PLANNER_IMPLEMENTS",
            f"expected a planner to write no production code (planning rule 1), got {shorten(title)}; "
            "give it to a developer",
            at=judged.at,
        )


def _check_labels(task: FanoutTask, reporter: PlanReporter) -> None:
    for label in task.labels:
        if LABEL.fullmatch(label.text) is None and placeholder_in(label.text) is None:
            reporter.report(
                "LABEL_DROPPED",
                f"expected a label type/…, area/…, priority/…, release/…, sev0 to sev3, risk/high or decision/major, "
                f"got {shorten(label.text)}; others are dropped when issues are made: remove it",
                at=label.at,
            )


def _check_marker(task: FanoutTask, first_by_slug: dict[str, FanoutTask], reporter: PlanReporter) -> None:
    slug = slug_of(task)
    first = first_by_slug.setdefault(slug, task)
    if task.title and first is not task:
        reporter.report(
            "FANOUT_MARKER_SHARED",
            f"expected titles that differ in their first characters, got the marker {slug!r} again; the second issue "
            "would be taken for the first and not be made: rename one",
            at=task.at,
            related={"first used here": first.at},
        )


def _report_many(count: int, task: FanoutTask, reporter: PlanReporter) -> None:
    reporter.report(
        "FANOUT_CUT",
        f"expected at most {FANOUT_TASKS_MAX} tasks, got {count}; those from here on become no issues: "
        "put them into a fanout of their own",
        at=task.at,
    )
