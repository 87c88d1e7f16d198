"""Findings about ownership: two tasks that would change the same files.

Owns: their words.
Does not know: how conflicts are found.
"""

from __future__ import annotations

from remit.plans.analysis.records import Claimed, ConflictKind, Ownership, OwnershipConflict
from remit.plans.texts import PlanReporter


def check_ownership(ownership: Ownership, reporter: PlanReporter) -> None:
    """Report each conflict once for each path, with the first pair of tasks that has it."""
    for conflict in ownership.conflicts:
        _report(conflict, reporter)
    if not ownership.is_complete:
        reporter.report(
            "OWNERSHIP_UNCOMPARED",
            "expected fewer globs among the claims of paths, got too many to compare them all with one another; "
            "conflicts among them may be missing, write directories instead",
            at=(0, 0),
        )


def _report(conflict: OwnershipConflict, reporter: PlanReporter) -> None:
    first, second = conflict.first, conflict.second
    where = f"{second.written}{_relation(first, second)}"
    more = f" ({conflict.pair_count} pairs of tasks in all)" if conflict.pair_count > 1 else ""
    match conflict.kind:
        case ConflictKind.OWNS_OWNS:
            reporter.report(
                "OWNERSHIP_OVERLAP",
                f"expected one owner of a path, got {first.task} and {second.task} for {where}{more}; let one own it "
                "and the other touch it afterwards",
                at=second.at,
                related={f"{first.task} owns {first.written}": first.at},
            )
        case ConflictKind.OWNS_TOUCHES:
            other = second.task if conflict.owner == first.task else first.task
            verbs = ("owns", "touches") if conflict.owner == first.task else ("touches", "owns")
            reporter.report(
                "OWNERSHIP_TOUCHED",
                f"expected {other} to come before or after {conflict.owner}, whose path it touches, got no order among "
                f"them for {where}{more}; let one depend on the other",
                at=second.at,
                related={f"{first.task} {verbs[0]} {first.written}": first.at},
            )
        case ConflictKind.TOUCHES_TOUCHES:
            reporter.report(
                "TOUCHES_OVERLAP",
                f"expected tasks that touch one path to come one after the other, got no order among {first.task} and "
                f"{second.task} for {where}{more}; let one depend on the other",
                at=second.at,
                related={f"{first.task} touches {first.written}": first.at},
            )


def _relation(first: Claimed, second: Claimed) -> str:
    """Return how two claims meet that are not the same path."""
    if first.path == second.path:
        return ""
    if first.path.casefold().strip("./") == second.path.casefold().strip("./"):
        return f", which is {first.written}"
    return f", which has files in common with {first.written}"
