"""Analysis of plans: graph, waves, critical path, ownership, parallelism, traceability, and the common checks."""

from remit.plans.analysis.analysing import analyse
from remit.plans.analysis.checking import check_plan
from remit.plans.analysis.records import Analysis

__all__ = ["Analysis", "analyse", "check_plan"]
