"""Compiled documents as they were reviewed: one for each format, and the outline of the large seed documents.

``python -m tests.unit.plans.compiling.test_golden`` writes them anew; what changed is then read, line by line.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from remit.core.definition import GateStep, LoopStep, Step
from remit.plans.compiling import Compilation, compile_plan
from remit.plans.formats import read_plan
from remit.plans.kinds import check_document
from remit.plans.texts import PlanReporter
from remit.tools.builtin import registry_with

GOLDEN = Path(__file__).with_name("golden")
SEEDS = Path(__file__).parents[3] / "plans" / "seeds"
REGISTRY = registry_with([])

SPECTRA = "spectra-payments-audit-plan"
PLANS = {path.stem: path for path in sorted(GOLDEN.iterdir()) if path.suffix in {".json", ".md"}} | {
    SPECTRA: SEEDS / f"{SPECTRA}.md"
}
OUTLINES = {name: SEEDS / f"{name}.md" for name in ("autobiz-phase1-task-table", "orchestration-delivery-plan")}


def compilation_of(path: Path) -> Compilation:
    """Return what a plan file compiles to."""
    reading = read_plan(path.read_bytes(), path=path.name)
    assert reading.text is not None
    assert reading.plan is not None
    assert reading.analysis is not None
    reporter = PlanReporter(reading.text, reading.diagnostics)
    found = compile_plan(reading.plan, reading.analysis, reporter=reporter, contracts=REGISTRY)
    assert found is not None, [finding.message for finding in reading.diagnostics]
    return found


def outline_of(compilation: Compilation) -> str:
    """Return a line for each step: what it is and what it waits for."""
    return "".join(f"{_line(step)}\n" for step in compilation.definition.steps)


def _line(step: Step) -> str:
    kind = "wait"
    if isinstance(step, LoopStep):
        kind = f"loop {step.iterations_max} x {' '.join(inner.id.removeprefix(step.id + '_') for inner in step.body)}"
    elif isinstance(step, GateStep):
        kind = f"gate {step.question}"
    return f"{step.id} [{kind}] after {' '.join(step.depends_on) or 'nothing'}"


@pytest.mark.parametrize("name", PLANS)
def test_plan_compiles_to_the_reviewed_document(name: str) -> None:
    """
    The document and the remit file that it needs are, byte for byte, those that were reviewed.
    """
    compilation = compilation_of(PLANS[name])

    assert (GOLDEN / f"{name}.yaml").read_text(encoding="utf-8") == compilation.text
    assert (GOLDEN / f"{name}.remit.yaml").read_text(encoding="utf-8") == compilation.remit_text


@pytest.mark.parametrize("name", OUTLINES)
def test_seed_compiles_to_the_reviewed_outline(name: str) -> None:
    """
    A seed document compiles to the steps and the order that were reviewed, and the whole is accepted.
    """
    compilation = compilation_of(OUTLINES[name])
    checked = check_document(compilation.text.encode(), path="a.yaml", contracts=REGISTRY, policy=compilation.remit)

    assert (GOLDEN / f"{name}.outline").read_text(encoding="utf-8") == outline_of(compilation)
    assert compilation.definition == checked.compiled


if __name__ == "__main__":
    for plan, path in PLANS.items():
        made = compilation_of(path)
        (GOLDEN / f"{plan}.yaml").write_text(made.text, encoding="utf-8")
        (GOLDEN / f"{plan}.remit.yaml").write_text(made.remit_text, encoding="utf-8")
    for plan, path in OUTLINES.items():
        (GOLDEN / f"{plan}.outline").write_text(outline_of(compilation_of(path)), encoding="utf-8")
    sys.stdout.write(f"{GOLDEN}\n")
