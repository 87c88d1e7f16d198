"""All finding codes: those of texts, of plans, and of the compile checks."""

from remit.plans.codes.table import ALL_CODES, PLAN_GROUPS, explain

__all__ = ["ALL_CODES", "PLAN_GROUPS", "explain"]
