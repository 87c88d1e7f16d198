"""Plans of every format, as text: small ones by chance, large ones of a given size.

Owns: what they say. They are sound unless chance names a task that is not there.
Does not know: the readers.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from random import Random
from typing import Any, Final

from remit.plans.plan import PlanFormat

RISKS: Final = ("low", "medium", "high")
WORDS: Final = (
    "publish",
    "retry",
    "ledger",
    "audit",
    "schema",
    "cursor",
    "runbook",
    "delta",
    "\u00fcber",
    "\u6d4b\u8bd5",
)


def spectra(random: Random, count: int) -> str:
    """Return a SPECTRA plan of level 3."""
    head = "# SPECTRA Execution Plan\n\n## Project: Generated\n## Level: 3\n## Generated: 2026-02-10\n\n---\n\n"
    tasks = [_spectra_task(random, number) for number in range(1, count + 1)]
    links = ", ".join(f"{number:03} -> {number + 1:03}" for number in range(1, count, 3)) or "none"
    tail = f"---\n\n## Parallelism Assessment\n- Independent tasks: [none]\n- Sequential dependencies: [{links}]\n"
    return head + "\n".join(tasks) + tail + "- Recommendation: TEAM_ELIGIBLE\n"


def _spectra_task(random: Random, number: int) -> str:
    name, title = f"{number:03}", _words(random)
    before = f"- Dependencies: Task {random.randrange(1, number):03}\n" if number > 1 and random.random() < 0.5 else ""
    path = f"src/m{number % 50}/f{number}.ts"
    return (
        f"## Task {name}: {title}\n- [{random.choice(' x')}] {name}: {title}\n- AC:\n"
        f"  - The {_words(random)} test passes.\n  - Output holds {number} rows.\n- Files: {path}\n"
        f"- Verify: `make test-{number}`\n- Risk: {random.choice(RISKS)}\n- Max-iterations: {random.randrange(1, 11)}\n"
        f"- Scope: code\n{before}- File-ownership:\n  - owns: [{path}]\n"
        f"  - touches: [src/m{random.randrange(50)}/shared.ts]\n  - reads: []\n- Wiring-proof:\n"
        f"  - CLI: make test-{number}\n  - Integration: {_words(random)} calls {_words(random)}.\n"
    )


def task_table(random: Random, count: int) -> str:
    """Return a document with a table of fields for each task and a plain table of all."""
    ids = [f"P1-TASK-{number:02}" for number in range(1, count + 1)]
    parts = [f"# Task Table\n\n| Metric | Value |\n|---|---|\n| Total Tasks | {count} |\n\n## Task Details\n"]
    for place, name in enumerate(ids):
        before = random.choice(ids[:place]) if place and random.random() < 0.7 else "\u2014"
        fields = {
            "Task_ID": name, "Phase": "P1", "Workstream": random.choice(("Infra", "Kernel", "QA")),
            "Requirement_IDs": f"P1-R{random.randrange(1, 40):02}, INV-0{random.randrange(1, 9)}",
            "Deliverable": _words(random), "Acceptance_Criteria": _words(random), "Verification_Method": "TEST",
            "Test_Cases": f"P1-T{random.randrange(1, 60):02}", "Priority": random.choice(("P0", "P1")),
            "Effort": random.choice("SML"), "Owner": "Backend", "Depends_On": before, "Risks": _words(random),
            "Status": "NOT_STARTED",
        }  # fmt: skip
        rows = "\n".join(f"| **{key}** | {value} |" for key, value in fields.items())
        parts.append(f"### {name}: {_words(random)}\n\n| Field | Value |\n|-------|-------|\n{rows}\n\n---\n")
    matrix = "\n".join(f"| {name} | \u2014 |" for name in ids[: random.randrange(count) + 1])
    return "\n".join((*parts, f"## Dependency Matrix\n\n| Task | Depends On |\n|---|---|\n{matrix}\n"))


def delivery_plan(random: Random, count: int) -> str:
    """Return a delivery plan of phases with paired items."""
    parts = ["# Delivery Plan\n\n## 1. Phased Execution Plan\n"]
    per_phase = max(1, min(12, count // 2))
    for phase in range(max(1, count // (2 * per_phase))):
        parts.append(f"### Phase {phase} \u2013 {_words(random)} (Week {phase})\n\n**Goal:** {_words(random)}.\n")
        for _ in range(per_phase):
            name, mark, days = _words(random), random.choice(" ~x!"), random.choice(("0.5d", "1d", "1.25d", "2d"))
            details = "".join(f"\n  - Check `src/{_words(random, 1)}.ts`: {_words(random, 6)}" for _ in range(3))
            parts.append(f"- [{mark}] (B) {name} ({days}){details}\n- [ ] (T) {name} tests ({days}){details}")
        parts.append(f"\n**Exit Criteria**\n1. {_words(random)} passes.\n\n---\n")
    return "\n".join(parts)


def planning_contract(random: Random, count: int) -> str:
    """Return a planning contract of some milestones."""
    milestones = [
        {
            "id": f"M{number}", "title": _words(random), "outcome": _words(random),
            "dependencies": [f"M{random.randrange(number)}"] if number else [], "acceptance": [_words(random)],
            "risks": [_words(random)], "risk_class": random.choice(RISKS), "max_diff_scope": random.randrange(1, 40),
        }
        for number in range(count)
    ]  # fmt: skip
    defaults: dict[str, Any] = {
        "risk_class": "medium", "max_diff_scope": 25, "acceptance_tests": ["make test"],
        "invariants": ["replay_idempotent"], "evidence_required": True,
    }  # fmt: skip
    roadmap = {"version": "1.0", "objective": _words(random), "milestones": milestones}
    return json.dumps(
        {"roadmap": roadmap, "contract_defaults": defaults, "decisions": []}, indent=1, ensure_ascii=False
    )


def fanout(random: Random, count: int) -> str:
    """Return a fanout file of some tasks."""
    tasks = [
        {
            "title": f"Implement {_words(random)} {number}",
            "role": random.choice(("developer", "qa", "planner")),
            "summary": f"Implement {_words(random)} in internal/{number}/",
            "labels": [],
            "acceptance": [_words(random)],
            "risk_class": random.choice(RISKS),
            "max_diff_scope": 5,
            "invariants": ["cursor_monotonic"],
        }
        for number in range(count)
    ]  # fmt: skip
    return json.dumps({"tasks": tasks}, indent=1, ensure_ascii=False)


def issue_contract(random: Random, count: int) -> str:
    """Return an issue contract of some criteria."""
    head = (
        "id: I-0001\nrole: developer\nstatus: ready\npriority: p1\ntitle: Implement the cursor\ncomplexity: low\n"
        f"risk_class: {random.choice(RISKS)}\nmax_diff_scope: 25\nallowed_paths: internal/cursor\ndepends_on: I-0002\n"
        "acceptance_tests: make test\ninvariants: cursor_monotonic\nevidence_required: true\n---\n\n"
    )
    parts = ("Objective", "In Scope", "Out of Scope", "Acceptance Criteria", "Non Goals")
    lines = {name: "\n".join(f"- [ ] The {_words(random, 10)}." for _ in range(count)) for name in parts}
    return head + "\n".join(f"## {name}\n\n{text}\n" for name, text in lines.items())


GENERATORS: Final[Mapping[PlanFormat, Callable[[Random, int], str]]] = {
    PlanFormat.SPECTRA: spectra,
    PlanFormat.TASK_TABLE: task_table,
    PlanFormat.DELIVERY_PLAN: delivery_plan,
    PlanFormat.PLANNING_CONTRACT: planning_contract,
    PlanFormat.FANOUT: fanout,
    PlanFormat.ISSUE_CONTRACT: issue_contract,
}
"""For each format what writes a plan of about so many tasks."""


def of_size(format: PlanFormat, size: int) -> bytes:  # noqa: A002 - as elsewhere
    """Return a plan of about ``size`` bytes; the same for the same size."""
    write = GENERATORS[format]
    sample = len(write(Random(1), 200).encode())
    return write(Random(1), max(1, round(size / sample * 200))).encode()


def _words(random: Random, count: int = 3) -> str:
    return " ".join(random.choices(WORDS, k=count))
