"""Plans for laws of the analysis, and the laws' oracles: the same questions answered slowly.

Owns: strategies of plans, and brute force.
Does not know: how the analysis works.
"""

from __future__ import annotations

from decimal import Decimal
from functools import cache
from itertools import combinations, product

from hypothesis import strategies as st

from remit.plans.plan import (
    Dependency,
    Estimate,
    HumanGate,
    PathClaim,
    Plan,
    PlanFormat,
    PlanPhase,
    PlanTask,
    RiskClass,
    TaskKind,
    TaskState,
)

PATHS = (
    "a",
    "a/",
    "./a",
    "A",
    "a/x.ts",
    "a/y.ts",
    "a/*.ts",
    "a/**",
    "b/x.ts",
    "a/**/x.ts",
    "b",
    "{a,b}/x.ts",
    "c/d/e",
    "c",
)
PHASES = ("P1", "P2", "P3")


def claims(paths: list[str]) -> tuple[PathClaim, ...]:
    """Return claims of paths."""
    return tuple(PathClaim(path=path, written=path) for path in paths)


@st.composite
def tasks(draw: st.DrawFn, number: int, count: int, *, phases: bool) -> PlanTask:
    """Draw one task of a plan of ``count``."""
    some = st.lists(st.sampled_from(PATHS), max_size=2)
    days = draw(st.none() | st.tuples(st.integers(0, 4), st.integers(0, 4)))
    named = draw(st.lists(st.integers(0, count), max_size=3))
    return PlanTask(
        id=f"T{number}",
        title=f"Task {number}",
        kind=draw(st.sampled_from((TaskKind.WORK, TaskKind.WORK, TaskKind.TEST))),
        phase=draw(st.sampled_from((*PHASES, None))) if phases else None,
        depends_on=tuple(Dependency(id=f"T{other}") for other in named),
        owns=claims(draw(some)),
        touches=claims(draw(some)),
        tests=tuple(f"T{other}" for other in draw(st.lists(st.integers(0, count - 1), max_size=1))),
        risk=draw(st.sampled_from((*RiskClass, None))),
        state=draw(st.sampled_from(TaskState)),
        estimate=None
        if days is None
        else Estimate(days_min=Decimal(min(days)) / 2, days_max=Decimal(max(days)) / 2, written=""),
    )


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """Draw a plan of up to nine tasks, with unknown and self references, cycles, phases and gates."""
    count = draw(st.integers(1, 9))
    has_phases = draw(st.booleans())
    gate = draw(st.none() | st.just(HumanGate(id="G", title="Gate")))
    return Plan(
        format=PlanFormat.SPECTRA,
        title="Plan",
        level=draw(st.sampled_from((2, 3, None))),
        tasks=tuple(draw(tasks(number, count, phases=has_phases)) for number in range(count)),
        phases=tuple(PlanPhase(id=name, title=name, gate=gate) for name in PHASES) if has_phases else (),
    )


def pairs_of(plan: Plan) -> set[tuple[str, str]]:
    """Return which task comes right before which: said, implied by tests, or by a phase, for each pair of tasks."""
    phase = {task.id: PHASES.index(task.phase) if task.phase and plan.phases else None for task in plan.tasks}

    def backwards(before: str, after: str) -> bool:
        first, second = phase[before], phase[after]
        return first is not None and second is not None and first > second

    said = {
        (dependency.id, task.id)
        for task in plan.tasks
        for dependency in task.depends_on
        if dependency.id in phase and dependency.id != task.id and not backwards(dependency.id, task.id)
    }
    tested = {(task.id, test) for task in plan.tasks for test in task.tests if test != task.id}
    implied = set()
    for before, after in sorted(tested, key=lambda pair: int(pair[0][1:])):
        if (after, before) not in said | implied and not backwards(before, after):
            implied.add((before, after))
    phased = {
        (one, other)
        for one, other in product(phase, repeat=2)
        if phase[one] is not None and phase[other] is not None and phase[one] < phase[other]
    }
    return said | implied | phased | tested_first(plan, said | implied, phased)


def tested_first(plan: Plan, said: set[tuple[str, str]], phased: set[tuple[str, str]]) -> set[tuple[str, str]]:
    """Return each test with what waits for the work that it tests, apart from what would make a circle."""
    names = [task.id for task in plan.tasks]
    kind = {task.id: task.kind for task in plan.tasks}
    tests = {(task.id, test) for task in plan.tasks for test in task.tests if (task.id, test) in said}
    for test in names:
        works = {one for one, other in said if other == test and kind[one] is TaskKind.WORK}
        if kind[test] is TaskKind.TEST and len(works) == 1:
            tests.add((works.pop(), test))
    wanted = {
        (test, after)
        for work, test in tests
        for before, after in said
        if before == work and (work, after) not in tests and (test, after) not in said
    }
    before = closure(names, said | phased)
    sound = {(test, after) for test, after in wanted if (after, test) not in before}
    joined = closure(names, said | phased | sound)
    return {(test, after) for test, after in sound if (after, test) not in joined}


def closure(names: list[str], pairs: set[tuple[str, str]]) -> set[tuple[str, str]]:
    """Return which task comes before which through any number of pairs."""
    found = set(pairs)
    for middle in names:
        found |= {(one, other) for one in names for other in names if {(one, middle), (middle, other)} <= found}
    return found


def chains(plan: Plan) -> list[tuple[str, ...]]:
    """Return every sequence of tasks, outside of cycles, each of which comes before the next; at most nine tasks."""
    names = [task.id for task in plan.tasks]
    before = closure(names, pairs_of(plan))
    acyclic = [name for name in names if (name, name) not in before]
    found: list[tuple[str, ...]] = []
    for size in range(1, len(acyclic) + 1):
        for some in combinations(acyclic, size):
            ordered = sorted(some, key=lambda name: sum((other, name) in before for other in some))
            if all((one, other) in before for one, other in combinations(ordered, 2)):
                found.append(tuple(ordered))
    return found


NAMES = ("x.ts", "y.ts", "d", "e", "q")
FILES = frozenset(
    "/".join(parts)
    for size in (1, 2, 3, 4)
    for parts in product(("a", "b", "c", *NAMES), repeat=size)
    if not any(name.endswith(".ts") for name in parts[:-1])
)
"""No folder is called like a file: nothing in a plan would show that it is one."""


@cache
def files_of(path: str) -> frozenset[str]:
    """Return the files of a small world that a path of ``PATHS`` means, each pattern by its meaning in words."""
    key = path.lower().removeprefix("./").rstrip("/")
    if key == "a/*.ts":
        return frozenset({"a/x.ts", "a/y.ts"})
    if key == "a/**":
        return files_of("a")
    if key == "a/**/x.ts":
        return frozenset(file for file in FILES if file.startswith("a/") and file.endswith("/x.ts"))
    if key == "{a,b}/x.ts":
        return files_of("a/x.ts") | files_of("b/x.ts")
    return frozenset(file for file in FILES if file == key or file.startswith(f"{key}/"))
