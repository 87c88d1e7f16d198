"""Findings about parallelism: what a document says of it against what its graph says.

Owns: their words, and which words of a recommendation mean what.
Does not know: how the verdict is computed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from remit.diagnostics import Severity
from remit.plans.analysis.records import Analysis, Verdict, VerdictReason
from remit.plans.plan import Plan
from remit.plans.texts import PlanReporter

_MEANINGS: Final[Mapping[str, Verdict]] = {
    "TEAM_ELIGIBLE": Verdict.TEAM_ELIGIBLE,
    "PARALLEL_OK": Verdict.TEAM_ELIGIBLE,
    "SEQUENTIAL_ONLY": Verdict.SEQUENTIAL_ONLY,
    "SEQUENTIAL": Verdict.SEQUENTIAL_ONLY,
}


def check_parallelism(plan: Plan, analysis: Analysis, reporter: PlanReporter) -> None:
    """Report independent tasks that are ordered, and a recommendation that the graph contradicts."""
    for pair in analysis.independent_ordered:
        reporter.report(
            "INDEPENDENCE_CONTRADICTED",
            f"expected independent tasks to have no order among them, got {pair.after} after {pair.before}; take one "
            "of them out of the list, or drop the dependency",
            at=pair.at,
            related={f"{pair.before} comes first": pair.before_at},
        )
    _check_recommendation(plan, analysis, reporter)


def _check_recommendation(plan: Plan, analysis: Analysis, reporter: PlanReporter) -> None:
    declared = plan.parallelism
    if declared is None or declared.recommendation is None:
        return
    meant = meaning_of(declared.recommendation)
    computed = analysis.parallelism
    # A graph that is not sound yields no verdict that anybody should follow.
    is_sound = not (analysis.cycles or analysis.unknown or analysis.against_phases)
    if meant is None or meant is computed.verdict or not is_sound:
        return
    if computed.reason is VerdictReason.LEVEL_MISSING:
        return
    is_alone = meaning_of(reporter.text.text[slice(*declared.recommendation_at)]) is meant
    reporter.report(
        "RECOMMENDATION_CONTRADICTED",
        f"expected the recommendation {computed.verdict}, got {meant}: {computed.explanation}; write what the graph "
        "says, or correct the graph",
        at=declared.recommendation_at,
        replacement=computed.verdict if is_alone else None,
        severity=Severity.WARNING if meant is Verdict.TEAM_ELIGIBLE else Severity.NOTE,
    )


def meaning_of(word: str) -> Verdict | None:
    """Return what the word of a recommendation means; ``None`` for one that is not known."""
    return _MEANINGS.get(word.strip(" *`").upper().replace(" ", "_"))
