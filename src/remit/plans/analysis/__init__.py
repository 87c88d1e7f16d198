"""Analysis of plans: graph, waves, critical path, ownership, parallelism, traceability, and the common checks."""

from remit.plans.analysis.analysing import analyse
from remit.plans.analysis.checking import check_plan
from remit.plans.analysis.parallelism_checks import meaning_of
from remit.plans.analysis.records import Analysis, ReferenceKind, Verdict

__all__ = ["Analysis", "ReferenceKind", "Verdict", "analyse", "check_plan", "meaning_of"]
