"""SPECTRA execution plans: text to record to plan, and back."""

from remit.plans.spectra.conversion import to_plan
from remit.plans.spectra.exported import Origin, is_exported, missing_of, read_exported, write_exported
from remit.plans.spectra.front import likeness, read, read_any
from remit.plans.spectra.reading import read_spectra
from remit.plans.spectra.record import (
    Assertion,
    AssertionKind,
    GraphEntry,
    HeaderField,
    Marker,
    OtherField,
    Ownership,
    Parallelism,
    SpectraPlan,
    SpectraTask,
    Wiring,
)
from remit.plans.spectra.updates import set_state, set_value
from remit.plans.spectra.writing import write

__all__ = [
    "Assertion",
    "AssertionKind",
    "GraphEntry",
    "HeaderField",
    "Marker",
    "Origin",
    "OtherField",
    "Ownership",
    "Parallelism",
    "SpectraPlan",
    "SpectraTask",
    "Wiring",
    "is_exported",
    "likeness",
    "missing_of",
    "read",
    "read_any",
    "read_exported",
    "read_spectra",
    "set_state",
    "set_value",
    "to_plan",
    "write",
    "write_exported",
]
