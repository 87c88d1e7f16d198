"""SPECTRA execution plans: text to record to plan, and back."""

from remit.plans.spectra.front import likeness, read
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
    "OtherField",
    "Ownership",
    "Parallelism",
    "SpectraPlan",
    "SpectraTask",
    "Wiring",
    "likeness",
    "read",
    "read_spectra",
    "set_state",
    "set_value",
    "write",
]
