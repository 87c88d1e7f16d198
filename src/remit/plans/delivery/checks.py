"""Everything that is checked of a delivery plan once it is read.

Owns: which checks there are.
Does not know: how each works.
"""

from __future__ import annotations

from remit.plans.delivery.check_estimates import check_estimates
from remit.plans.delivery.check_gates import Evidence, check_gates
from remit.plans.delivery.check_numbers import check_numbers
from remit.plans.delivery.check_pairs import check_pairs
from remit.plans.delivery.check_parts import check_parts
from remit.plans.delivery.check_states import check_states
from remit.plans.delivery.pairing import Pairing
from remit.plans.delivery.record import DeliveryPlan
from remit.plans.texts import PlanReporter

__all__ = ["Evidence", "check_delivery"]


def check_delivery(plan: DeliveryPlan, pairing: Pairing, evidence: Evidence, reporter: PlanReporter) -> None:
    """Report what is wrong with a plan as a whole.

    Args:
        plan: The plan as it was read.
        pairing: Which of its items test which.
        evidence: What the document says besides, and the record does not keep.
        reporter: Where findings go.
    """
    check_numbers(plan, evidence, reporter)
    check_parts(plan, reporter)
    check_estimates(plan, reporter)
    check_pairs(plan, pairing, reporter)
    check_states(plan, pairing, reporter)
    check_gates(plan, evidence, reporter)
