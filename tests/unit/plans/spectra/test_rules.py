"""The rules of the format's levels, one by one."""

import pytest

from remit.plans.formats import read_plan
from remit.plans.options import PlanOptions
from tests.unit.plans.spectra.records import HEAD, SEED, TASK

PLAN = HEAD + TASK


def found(text: str, *, level: int | None = None) -> list[str]:
    """Return the codes of what is found."""
    reading = read_plan(text.encode(), path="plan.md", options=PlanOptions(level=level))
    return [finding.code for finding in reading.diagnostics if finding.code.startswith("SPECTRA_")]


def missing(text: str, *, level: int) -> list[str]:
    """Return the fields that are said to be missing."""
    reading = read_plan(text.encode(), path="plan.md", options=PlanOptions(level=level))
    return [
        finding.message.split("'")[1].strip("- :")
        for finding in reading.diagnostics
        if finding.code == "SPECTRA_FIELD_MISSING"
    ]


def test_smallest_plan_has_no_finding() -> None:
    """
    At level 0 a task needs criteria, files and a command, and nothing else.
    """
    assert [] == found(PLAN)


@pytest.mark.parametrize(
    ("level", "expected"),
    [
        (0, []),
        (1, ["Risk", "Max-iterations"]),
        (2, ["Risk", "Max-iterations", "Scope", "Wiring-proof"]),
        (3, ["Risk", "Max-iterations", "Scope", "Wiring-proof", "File-ownership"]),
        (4, ["Risk", "Max-iterations", "Scope", "Wiring-proof", "File-ownership"]),
    ],
)
def test_level_decides_which_fields_are_required(level: int, expected: list[str]) -> None:
    """
    The level that the user gives counts more than the plan's own.
    """
    assert sorted(expected) == sorted(missing(PLAN, level=level))
    assert (level >= 3) == ("SPECTRA_PARALLELISM_MISSING" in found(PLAN, level=level))


def test_level_of_plan_counts_without_another() -> None:
    """
    Without a level of the user's the header's counts, and without a header level 1.
    """
    assert found(PLAN, level=2) == found(PLAN.replace("Level: 0", "Level: 2"))
    assert ["SPECTRA_FIELD_MISSING", "SPECTRA_FIELD_MISSING", "SPECTRA_LEVEL_MISSING"] == sorted(
        found(PLAN.replace("## Level: 0\n", ""))
    )


@pytest.mark.parametrize("field", ["AC", "Files", "Verify", "Risk", "Max-iterations", "Scope", "Wiring-proof"])
def test_every_missing_field_is_found(field: str) -> None:
    """
    A field that is taken out of one task of the payments-audit plan is missed in that task.
    """
    text = SEED.read_text(encoding="utf-8")
    head, _, rest = text.partition(f"- {field}:")
    after = rest.partition("\n- ")[2]

    assert "SPECTRA_FIELD_MISSING" in found(f"{head}- {after}")


def test_codes_of_a_plan_twice_as_wrong_are_all_there() -> None:
    """
    One mistake hides no other: the findings of two broken tasks are those of each.
    """
    second = TASK.replace("001", "002").replace("login", "logout")
    broken_first = TASK.replace("- Files: src/login.ts\n", "")
    broken_second = second.replace("`npm test logout`", "`npm test 'logout`")

    both = found(f"{HEAD}{broken_first}\n{broken_second}")

    assert sorted(found(f"{HEAD}{broken_first}\n{second}") + found(f"{PLAN}\n{broken_second}")) == sorted(both)
    assert 2 == len(both)
