"""Sound plans for laws of the compiler, and what a compiled definition says of them.

Owns: the strategy, and reading a definition back: which step does which task, what comes before what.
Does not know: how plans are compiled.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from hypothesis import strategies as st

from remit.core.canonical import JsonValue
from remit.core.definition import Definition, GateStep, LoopStep, Step, ToolStep
from remit.core.expressions import compile_template
from remit.diagnostics import Diagnostics
from remit.plans.analysis import analyse
from remit.plans.compiling import Compilation, CompileSettings, compile_plan
from remit.plans.plan import (
    Dependency,
    HumanGate,
    PathClaim,
    Plan,
    PlanFormat,
    PlanPhase,
    PlanTask,
    Reference,
    RiskClass,
    TaskKind,
    TaskState,
    Text,
)
from remit.plans.texts import PlanReporter, read_text
from remit.tools.builtin import registry_with
from tests.property.plan_graphs import PHASES

REGISTRY = registry_with([])
SETTINGS = CompileSettings(builder="build-agent", tester="test-agent", approvers=("ada", "role:owner"))

PATHS = ("src/a.ts", "src/b/", "docs/**/*.md", "Ärger/ü.py", "a b.txt", "{x,y}.rs", "${{ input.x }}.ts")
WORDS = st.text(
    st.characters(exclude_categories=("Cs",), exclude_characters="\0") | st.sampled_from("${}'\"#:-\n\t [],&*!|>%@`\\"),
    max_size=12,
) | st.sampled_from(("${{ steps.x.output }}", "$${{ a }}", "null", "yes", "1.0", "- a", "# not a comment", "…"))
TEXTS = st.lists(WORDS.map(lambda text: Text(text=text)), max_size=2).map(tuple)


def claims(paths: Iterable[str]) -> tuple[PathClaim, ...]:
    """Return claims of paths."""
    return tuple(PathClaim(path=path, written=path) for path in paths)


@st.composite
def sound_tasks(draw: st.DrawFn, number: int, phase: str | None) -> PlanTask:
    """Draw a task that waits only for earlier ones."""
    some = st.lists(st.sampled_from(PATHS), max_size=2).map(claims)
    before = draw(st.lists(st.integers(0, number - 1), max_size=3, unique=True)) if number else []
    return PlanTask(
        id=f"T{number}",
        title=draw(WORDS),
        kind=draw(st.sampled_from((TaskKind.WORK, TaskKind.WORK, TaskKind.TEST, TaskKind.HUMAN_GATE))),
        state=draw(st.sampled_from(TaskState)),
        phase=phase,
        objective=draw(WORDS),
        depends_on=tuple(Dependency(id=f"T{other}") for other in before),
        criteria=draw(TEXTS),
        owns=draw(some),
        touches=draw(some),
        reads=draw(some),
        denied=draw(some),
        verify=draw(TEXTS),
        verification=draw(st.sampled_from((None, "TEST", "Review"))),
        wiring=draw(TEXTS),
        wiring_commands=draw(TEXTS),
        assertions=draw(TEXTS),
        invariants=draw(st.sampled_from(((), (Reference(id="replay_idempotent"),)))),
        risk=draw(st.sampled_from((*RiskClass, None))),
        risks=draw(TEXTS),
        iterations_max=draw(st.none() | st.integers(1, 20)),
        files_max=draw(st.none() | st.integers(1, 50)),
        decisions=draw(st.sampled_from(((), (), (Text(text="decision/major"),)))),
    )


@st.composite
def sound_plans(draw: st.DrawFn, *, tasks_max: int = 6) -> Plan:
    """Draw a plan without contradictions, of which something is left to do."""
    count = draw(st.integers(1, tasks_max))
    has_phases = draw(st.booleans())
    phases = sorted(draw(st.lists(st.sampled_from(PHASES), min_size=count, max_size=count))) if has_phases else []
    tasks = [draw(sound_tasks(number, phases[number] if phases else None)) for number in range(count)]
    if all(task.state is TaskState.DONE for task in tasks):
        tasks[-1] = replace(tasks[-1], state=TaskState.PENDING)
    tested = draw(st.lists(st.tuples(st.integers(0, count - 1), st.integers(0, count - 1)), max_size=3))
    for work, test in tested:
        if work < test:
            tasks[work] = replace(tasks[work], tests=(f"T{test}",))
    gates = st.none() | st.builds(HumanGate, id=st.sampled_from(("", "A", "gate 1")), title=WORDS, criteria=TEXTS)
    return Plan(
        format=draw(st.sampled_from(PlanFormat)),
        title=draw(WORDS),
        level=draw(st.none() | st.integers(0, 4)),
        objective=draw(WORDS),
        tasks=tuple(tasks),
        phases=tuple(PlanPhase(id=name, title=name, gate=draw(gates)) for name in PHASES) if has_phases else (),
        decisions=draw(TEXTS),
    )


def compiled(plan: Plan, settings: CompileSettings = SETTINGS) -> tuple[Compilation | None, Diagnostics]:
    """Return what comes of a plan that no text says."""
    diagnostics = Diagnostics()
    text = read_text(b"# A plan\n", path="plan.md", diagnostics=diagnostics)
    assert text is not None
    reporter = PlanReporter(text, diagnostics)
    return compile_plan(plan, analyse(plan), reporter=reporter, contracts=REGISTRY, settings=settings), diagnostics


@dataclass(frozen=True, kw_only=True)
class Reading:
    """A definition read back: the step of each task that is worked on, and which steps come before each step."""

    works: dict[str, LoopStep]
    steps: dict[str, Step]
    before: dict[str, set[str]]

    def gates_before(self, step_id: str) -> list[GateStep]:
        """Return the gates that a step waits for, directly or through others."""
        found = [self.steps[name] for name in sorted(self.before[step_id])]
        return [step for step in found if isinstance(step, GateStep)]


def read_back(definition: Definition) -> Reading:
    """Return what a definition says; works on any order of steps."""
    steps = {step.id: step for step in definition.steps}
    before: dict[str, set[str]] = {}

    def ancestors(step_id: str) -> set[str]:
        if step_id not in before:
            direct = steps[step_id].depends_on
            before[step_id] = set(direct).union(*(ancestors(name) for name in direct))
        return before[step_id]

    for step_id in steps:
        ancestors(step_id)
    works = {
        str(rendered(change_of(step).input["task"])): step for step in definition.steps if isinstance(step, LoopStep)
    }
    return Reading(works=works, steps=steps, before=before)


def change_of(loop: LoopStep) -> ToolStep:
    """Return the first step of a loop, which changes something."""
    first = loop.body[0]
    assert isinstance(first, ToolStep)
    assert "code.change" == first.tool
    return first


def rendered(template: JsonValue) -> JsonValue:
    """Return what a template gives that uses nothing of a run."""
    return compile_template(template, roots=frozenset()).render({})
