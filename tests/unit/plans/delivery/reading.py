"""Reading delivery plans in tests."""

from remit.diagnostics import Diagnostics
from remit.plans.delivery import DeliveryPlan, Item, read_delivery
from remit.plans.texts import PlanReporter, read_text

PHASE = "### Phase 1 – Orders (Week 1)\n\n**Goal:** Stored.\n\n"
CRITERIA = "\n**Exit Criteria**\n\n1. Stored.\n"


def read(text: str | bytes) -> tuple[DeliveryPlan, Diagnostics]:
    """Return the record of a text, and its findings."""
    raw = text if isinstance(text, bytes) else text.encode()
    diagnostics = Diagnostics()
    found = read_text(raw, path="plan.md", diagnostics=diagnostics)
    assert found is not None
    record = read_delivery(found, PlanReporter(found, diagnostics))
    assert record is not None
    return record, diagnostics


def phase_of(*items: str) -> str:
    """Return a plan of one phase with items, each a line or more."""
    return PHASE + "".join(f"- {item}\n" for item in items) + CRITERIA


def item_of(line: str) -> Item:
    """Return the item of a line."""
    record, _ = read(phase_of(line))
    (item,) = record.items
    return item


def codes(text: str | bytes) -> list[str]:
    """Return the findings of a text as `line CODE`."""
    return [f"{one.span.start.line} {one.code}" for one in read(text)[1]]
