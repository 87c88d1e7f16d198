"""Delivery plans: phases with items of builder and tester, exit criteria, human gates and risks."""

from remit.plans.delivery.front import likeness, read
from remit.plans.delivery.pairing import Pair, PairedBy, Pairing, pair_items
from remit.plans.delivery.planning import plan_of
from remit.plans.delivery.reading import read_delivery
from remit.plans.delivery.record import (
    Criterion,
    DeliveryPlan,
    DeliveryRisk,
    DeliveryRule,
    Detail,
    Duration,
    Entry,
    Gate,
    Involvement,
    Item,
    Phase,
    Responsibility,
    RoleHolder,
    Section,
    Share,
    StatedRule,
    Weeks,
)
from remit.plans.delivery.stating import set_state
from remit.plans.delivery.sums import PhaseSum, phase_sums
from remit.plans.delivery.writing import write_delivery

__all__ = [
    "Criterion",
    "DeliveryPlan",
    "DeliveryRisk",
    "DeliveryRule",
    "Detail",
    "Duration",
    "Entry",
    "Gate",
    "Involvement",
    "Item",
    "Pair",
    "PairedBy",
    "Pairing",
    "Phase",
    "PhaseSum",
    "Responsibility",
    "RoleHolder",
    "Section",
    "Share",
    "StatedRule",
    "Weeks",
    "likeness",
    "pair_items",
    "phase_sums",
    "plan_of",
    "read",
    "read_delivery",
    "set_state",
    "write_delivery",
]
