"""The payments-audit plan: read whole, written back byte for byte, clean apart from what is really wrong with it."""

from remit.diagnostics import Diagnostics
from remit.plans.formats import format_of, read_plan
from remit.plans.plan import DependencyOrigin, PlanFormat, RiskClass, TaskState
from remit.plans.spectra import write
from remit.plans.texts import read_text
from tests.unit.plans.reading import lines
from tests.unit.plans.spectra.records import SEED, record

RAW = SEED.read_bytes()


def test_plan_is_known_by_its_looks() -> None:
    """
    No option is needed to tell the format.
    """
    text = read_text(RAW, path="plan.md", diagnostics=Diagnostics())

    assert text is not None
    assert PlanFormat.SPECTRA == format_of(text)


def test_plan_has_its_real_findings_only() -> None:
    """
    Task 002 touches a file that its `Files` do not name, and no task shows that a check can fail.
    """
    found = lines(read_plan(RAW, path="plan.md").diagnostics)

    assert ["4:1 SPECTRA_FORCED_FAILURE_MISSING", "40:15 SPECTRA_FILE_UNLISTED"] == [
        line for line in found if "SPECTRA_" in line
    ]


def test_writing_gives_the_document_back() -> None:
    """
    The plan is in canonical form: what is written is what was read, byte for byte.
    """
    assert RAW == write(record(RAW)).encode()


def test_plan_says_what_its_text_says() -> None:
    """
    Every field of a task arrives in the common plan, with dependencies from the chains.
    """
    plan = read_plan(RAW, path="plan.md").plan

    assert plan is not None
    task = plan.tasks[2]
    assert ["001", "002", "003", "004", "005"] == [task.id for task in plan.tasks]
    assert (3, "BMAD Bridge Case 002") == (plan.level, plan.title)
    assert ("Implement idempotent failure retry path", TaskState.PENDING) == (task.title, task.state)
    assert [("002", DependencyOrigin.CHAIN)] == [(one.id, one.origin) for one in task.depends_on]
    assert ["services/payments/src/audit/retry.ts"] == [claim.path for claim in task.owns]
    assert ["services/payments/src/audit/publisher.ts"] == [claim.path for claim in task.touches]
    assert ["pnpm --filter payments test audit.retry"] == [command.text for command in task.verify]
    assert (RiskClass.HIGH, 9, "code") == (task.risk, task.iterations_max, task.scope)
    assert 2 == len(task.criteria) == len(task.wiring)
    assert RAW.decode()[slice(*task.state_at)] == " "
