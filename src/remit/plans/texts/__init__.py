"""Texts of plan documents: decoded tolerantly, read by lines, changed in place."""

from remit.diagnostics import Edit
from remit.plans.texts.edits import apply_edits
from remit.plans.texts.nothing import NOTHING_WORDS
from remit.plans.texts.text import PLAN_BYTES_MAX, Line, PlanReporter, PlanText, read_text

__all__ = ["NOTHING_WORDS", "PLAN_BYTES_MAX", "Edit", "Line", "PlanReporter", "PlanText", "apply_edits", "read_text"]
