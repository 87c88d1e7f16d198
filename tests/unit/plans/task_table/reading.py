"""Reading task tables in tests: findings as short lines."""

from pathlib import Path

from remit.plans.formats import PlanReading, read_plan
from remit.plans.options import PlanOptions
from remit.plans.plan import PlanFormat

SEED = Path(__file__).parents[3] / "plans" / "seeds" / "autobiz-phase1-task-table.md"
DOCUMENTS = Path(__file__).parent / "documents"

AS_TABLE = PlanOptions(format=PlanFormat.TASK_TABLE)


def read(text: str | bytes) -> PlanReading:
    """Return what comes of a text that is read as a task table."""
    return read_plan(text if isinstance(text, bytes) else text.encode(), path="plan.md", options=AS_TABLE)


def table_lines(reading: PlanReading) -> list[str]:
    """Return the findings of task tables as `line:column CODE`, without what all formats have in common."""
    return [f"{one.span.start} {one.code}" for one in reading.diagnostics if one.code.startswith("TABLE_")]
