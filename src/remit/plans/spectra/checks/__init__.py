"""Checks of SPECTRA execution plans that need more than the grammar."""

from remit.plans.spectra.checks.checking import check_spectra

__all__ = ["check_spectra"]
