"""All finding codes: those of texts, of plans, and of the compile checks."""

from remit.plans.codes.table import ALL_CODES, PLAN_GROUPS, codes_page, explain

__all__ = ["ALL_CODES", "PLAN_GROUPS", "codes_page", "explain"]
