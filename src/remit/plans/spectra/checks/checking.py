"""All checks of one plan, in order.

Owns: the order.
Does not know: what each check looks for.
"""

from __future__ import annotations

from remit.plans.spectra.checks.agreement import check_agreement
from remit.plans.spectra.checks.claims import check_claims
from remit.plans.spectra.checks.commands import check_commands
from remit.plans.spectra.checks.criteria import check_criteria
from remit.plans.spectra.checks.identity import check_ids, check_references
from remit.plans.spectra.checks.requirements import check_requirements
from remit.plans.spectra.checks.states import check_states
from remit.plans.spectra.reading import SpectraReading
from remit.plans.texts import PlanReporter


def check_spectra(reading: SpectraReading, reporter: PlanReporter) -> None:
    """Report everything that is wrong with a plan beyond its form.

    Cycles, ownership shared between tasks and what may run in parallel are judged on the common plan.
    """
    check_ids(reading.plan, reporter)
    check_requirements(reading, reporter)
    check_criteria(reading.plan, reporter)
    check_commands(reading.plan, reporter)
    check_claims(reading.plan, reporter)
    check_references(reading.plan, reporter)
    check_agreement(reading.plan, reporter)
    check_states(reading.plan, reporter)
