"""SPECTRA plans as ``plan.json``: record to text, and back."""

from remit.plans.spectra.exported.reading import is_exported, likeness, read_exported
from remit.plans.spectra.exported.record import ExportedPlan, Origin
from remit.plans.spectra.exported.writing import missing_of, write_exported

__all__ = [
    "ExportedPlan",
    "Origin",
    "is_exported",
    "likeness",
    "missing_of",
    "read_exported",
    "write_exported",
]
