"""Plans that tests show: small ones built by hand, and random ones of any size."""

from __future__ import annotations

import random
from decimal import Decimal

from remit.diagnostics import Diagnostics
from remit.plans.analysis import analyse
from remit.plans.plan import (
    Dependency,
    Estimate,
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
from remit.plans.showing import PlanView, view_plan
from remit.plans.texts import PlanText


def view_of(plan: Plan, *, diagnostics: Diagnostics | None = None, text: PlanText | None = None) -> PlanView:
    """Return a plan as it is shown."""
    return view_plan(plan, analyse(plan), path="plan.md", diagnostics=diagnostics or Diagnostics(), text=text)


def plan_of(*tasks: PlanTask, title: str = "A plan", phases: tuple[PlanPhase, ...] = ()) -> Plan:
    """Return a plan of these tasks."""
    return Plan(format=PlanFormat.SPECTRA, title=title, level=3, tasks=tasks, phases=phases)


def after(*ids: str) -> tuple[Dependency, ...]:
    """Return dependencies on tasks."""
    return tuple(Dependency(id=task_id) for task_id in ids)


def claims(*paths: str) -> tuple[PathClaim, ...]:
    """Return claims of paths."""
    return tuple(PathClaim(path=path, written=path) for path in paths)


def estimate(least: str, most: str) -> Estimate:
    """Return an estimate in days."""
    return Estimate(days_min=Decimal(least), days_max=Decimal(most), written=f"{least}-{most}d")


def payments() -> Plan:
    """Return a chain of four tasks with one beside it, in every state and most risks."""
    return plan_of(
        PlanTask(
            id="001",
            title="Define the `contract`",
            risk=RiskClass.HIGH,
            state=TaskState.DONE,
            owns=claims("contracts/audit.ts"),
            verify=(Text(text="pnpm test"),),
            criteria=(Text(text="Has an id."),),
            estimate=estimate("1", "2"),
            requirements=(Reference(id="R1"),),
            test_cases=(Reference(id="T1"),),
        ),
        PlanTask(
            id="002",
            title="Emit events",
            risk=RiskClass.MEDIUM,
            state=TaskState.IN_PROGRESS,
            depends_on=after("001"),
            touches=claims("contracts/audit.ts"),
            estimate=estimate("0.5", "0.5"),
        ),
        PlanTask(
            id="003", title="Retry failures", risk=RiskClass.CRITICAL, state=TaskState.STUCK, depends_on=after("002")
        ),
        PlanTask(id="004", title="Cover all of it", kind=TaskKind.TEST, depends_on=after("003", "001"), role="tester"),
        PlanTask(id="005", title="Write the runbook", risk=RiskClass.LOW, touches=claims("contracts/audit.ts")),
        title="Payments audit",
    )


def random_plan(count: int, *, seed: int = 1, phase_count: int = 0) -> Plan:
    """Return a plan of so many tasks; the same for the same numbers."""
    chance = random.Random(seed)
    tasks = []
    for number in range(count):
        earlier = {
            chance.randrange(max(0, number - 12) if chance.random() > 0.1 else 0, number)
            for _ in range(chance.choice([0, 1, 1, 2, 3]))
            if number
        }
        tasks.append(
            PlanTask(
                id=f"T-{number + 1:04}",
                title=" ".join(chance.choice(_WORDS) for _ in range(chance.randint(1, 9))),
                risk=chance.choice([None, *RiskClass]),
                state=chance.choice(list(TaskState)),
                kind=chance.choice(list(TaskKind)),
                role=chance.choice(["builder", "tester", None]),
                phase=f"p{number * phase_count // count}" if phase_count else None,
                estimate=chance.choice([None, estimate("0.25", "1"), estimate("2", "2")]),
                requirements=(Reference(id=f"R-{chance.randrange(count)}"),),
                owns=claims(f"src/a{chance.randrange(count)}.py"),
                depends_on=after(*(f"T-{other + 1:04}" for other in sorted(earlier))),
            )
        )
    phases = tuple(
        PlanPhase(id=f"p{number}", title=f"Phase {number}", goal="Reach it.", gate=_GATE if number == 1 else None)
        for number in range(phase_count)
    )
    requirements = tuple(Reference(id=f"R-{number}") for number in range(count))
    return Plan(
        format=PlanFormat.TASK_TABLE, title=f"Of {count}", tasks=tuple(tasks), phases=phases, requirements=requirements
    )


_GATE = HumanGate(id="G1", title="Somebody agrees", criteria=(Text(text="All of it works."),))
_WORDS = (
    "migrate",
    "`orders`",
    "OrchestrationDefinitionsRepository",
    "integration/tests/of_everything.spec.ts",
    "événements",
    "検証",
    "webhook",
)
