"""Messy documents: what is found in each, and that it is read all the same.

Beside each `messy/*.md` stands a file with what is expected, a line `line:column CODE` for each finding.
"""

from pathlib import Path

import pytest

from remit.plans.formats import PlanReading, read_plan
from remit.plans.options import PlanOptions
from remit.plans.plan import PlanFormat
from remit.plans.texts import Edit, apply_edits
from tests.unit.plans.reading import lines
from tests.unit.plans.spectra.records import record

MESSY = Path(__file__).parent / "messy"
FILES = sorted(MESSY.glob("*.md"))
AS_SPECTRA = PlanOptions(format=PlanFormat.SPECTRA)


def read(raw: bytes) -> PlanReading:
    return read_plan(raw, path="plan.md", options=AS_SPECTRA)


def of_format(reading: PlanReading) -> list[str]:
    """Return the findings of the format alone; those that all plans share have tests of their own."""
    return [line for line in lines(reading.diagnostics) if "SPECTRA_" in line]


def fixed(raw: bytes) -> bytes:
    """Return a document with all its fixes made at once."""
    reading = read(raw)
    assert reading.text is not None
    source = reading.text.source
    edits = [
        Edit(
            start=source.offset(finding.fix.span.start),
            end=source.offset(finding.fix.span.end),
            replacement=finding.fix.replacement,
        )
        for finding in reading.diagnostics
        if finding.fix is not None
    ]
    return apply_edits(raw, reading.text, edits)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_messy_document_has_its_findings(path: Path) -> None:
    """
    Every finding is there, once, at its place, and says what was expected.
    """
    reading = read(path.read_bytes())
    expected = path.with_suffix(".findings").read_text(encoding="utf-8").splitlines()

    assert expected == of_format(reading)
    assert all(finding.message.startswith("expected ") for finding in reading.diagnostics)
    assert reading.plan is not None


@pytest.mark.parametrize("path", [path for path in FILES if path.stem != "bytes"], ids=lambda path: path.stem)
def test_fixes_change_the_form_and_not_the_plan(path: Path) -> None:
    """
    With all fixes made the document says the same, and nothing of what they fix is found again.
    """
    raw = path.read_bytes()
    changed = raw
    for _ in range(3):
        changed = fixed(changed)

    before, after = record(raw), record(changed)
    assert changed == fixed(changed)
    assert [task.id for task in before.tasks] == [task.id for task in after.tasks]
    for one, other in zip(before.tasks, after.tasks, strict=True):
        assert one.criteria == other.criteria
        assert one.state == other.state
        assert (one.risk, one.iterations_max, one.scope) == (other.risk, other.iterations_max, other.scope)
        assert [claim.path for claim in one.files or ()] == [claim.path for claim in other.files or ()]
        assert one.dependencies == other.dependencies
    assert [] == [finding.code for finding in read(changed).diagnostics if finding.fix is not None]
