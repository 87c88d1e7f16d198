"""A notation for plans of tests: one task a line, such as ``001 after=002 owns=a.ts,b.ts risk=high``.

Owns: reading it with places.
Does not know: any format.
"""

from __future__ import annotations

import re
from decimal import Decimal

from remit.diagnostics import Diagnostic, Diagnostics
from remit.plans.analysis import Analysis, analyse, check_plan
from remit.plans.plan import (
    DeclaredParallelism,
    Dependency,
    Estimate,
    HumanGate,
    PathClaim,
    Place,
    Plan,
    PlanFormat,
    PlanPhase,
    PlanTask,
    Reference,
    RiskClass,
    TaskKind,
    TaskState,
)
from remit.plans.texts import PlanReporter, PlanText, read_text

WORD = re.compile(r"\S+")
Values = dict[str, list[tuple[str, Place]]]


def read(text: str, *, level: int | None = 3) -> tuple[Plan, PlanText]:
    """Return the plan of a text; lines that begin with ``phase``, ``independent``, ``recommend`` are about the plan."""
    found = read_text(text.encode(), path="plan.md", diagnostics=Diagnostics())
    assert found is not None
    plan = Plan(format=PlanFormat.SPECTRA, title="Plan", level=level)
    for line in found.lines:
        words = [
            (word.group(), (line.start + word.start(), line.start + word.end())) for word in WORD.finditer(line.text)
        ]
        if words:
            plan = with_line(plan, words)
    return plan, found


def with_line(plan: Plan, words: list[tuple[str, Place]]) -> Plan:
    """Return the plan with what a line says."""
    (name, at), *rest = words
    references = tuple(Reference(id=word, at=place) for word, place in rest)
    known = plan.parallelism or DeclaredParallelism()
    match name:
        case "phase":
            gate = HumanGate(id=rest[1][0], title="Gate") if len(rest) > 1 else None
            return replaced(plan, phases=(*plan.phases, PlanPhase(id=rest[0][0], title=rest[0][0], gate=gate)))
        case "independent":
            return replaced(plan, parallelism=replaced(known, independent=references))
        case "recommend":
            found = replaced(known, recommendation=rest[0][0], recommendation_at=rest[0][1])
            return replaced(plan, parallelism=found)
        case "requirements":
            return replaced(plan, requirements=references)
    return replaced(plan, tasks=(*plan.tasks, task(name, at, values(rest))))


def replaced(record, **changes):  # type: ignore[no-untyped-def]
    """Return a record with some fields changed."""
    return type(record)(**{name: getattr(record, name) for name in record.__dataclass_fields__} | changes)


def values(words: list[tuple[str, Place]]) -> Values:
    """Return the values of ``name=a,b`` with their places."""
    found: Values = {}
    for word, (start, _) in words:
        name, _, listed = word.partition("=")
        offset = start + len(name) + 1
        for value in listed.split(","):
            found.setdefault(name, []).append((value, (offset, offset + len(value))))
            offset += len(value) + 1
    return found


def task(name: str, at: Place, given: Values) -> PlanTask:
    """Return the task of a line."""

    def claims(role: str) -> tuple[PathClaim, ...]:
        return tuple(PathClaim(path=value, written=value, at=place) for value, place in given.get(role, ()))

    def one(role: str) -> str | None:
        return given[role][0][0] if role in given else None

    days = [Decimal(value) for value, _ in given.get("days", ())]
    state = given.get("state", [("pending", at)])[0]
    return PlanTask(
        id=name,
        title=name,
        at=at,
        kind=TaskKind(one("kind") or "work"),
        phase=one("phase"),
        role=one("role"),
        depends_on=tuple(Dependency(id=value, at=place) for value, place in given.get("after", ())),
        owns=claims("owns"),
        touches=claims("touches"),
        reads=claims("reads"),
        files=claims("files"),
        tests=tuple(value for value, _ in given.get("tests", ())),
        test_cases=tuple(Reference(id=value, at=place) for value, place in given.get("cases", ())),
        requirements=tuple(Reference(id=value, at=place) for value, place in given.get("for", ())),
        risk=RiskClass(one("risk")) if "risk" in given else None,
        state=TaskState(state[0]),
        state_at=state[1],
        estimate=Estimate(days_min=days[0], days_max=days[-1], written="") if days else None,
    )


def analysed(text: str, *, level: int | None = 3) -> Analysis:
    """Return the analysis of a text."""
    return analyse(read(text, level=level)[0])


def findings(text: str, *, level: int | None = 3) -> list[Diagnostic]:
    """Return what the common checks find in a text."""
    plan, found = read(text, level=level)
    diagnostics = Diagnostics()
    check_plan(plan, analyse(plan), PlanReporter(found, diagnostics))
    return list(diagnostics)


def marked(text: str, finding: Diagnostic) -> str:
    """Return what stands at the place of a finding."""
    start, end = finding.span.start, finding.span.end
    assert start.line == end.line
    return text.split("\n")[start.line - 1][start.column - 1 : end.column - 1]
