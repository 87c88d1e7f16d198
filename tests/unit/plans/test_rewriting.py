"""Markdown plans in canonical form: nothing is left out without a word."""

from __future__ import annotations

from pathlib import Path

import pytest

from remit.plans.converting import Conversion, convert
from remit.plans.formats import read_plan
from remit.plans.rewriting import lines_words

SEEDS = Path(__file__).parents[2] / "plans" / "seeds"
SPECTRA = (SEEDS / "spectra-payments-audit-plan.md").read_bytes()


def converted(raw: bytes) -> Conversion:
    result = convert(read_plan(raw, path="plan.md"))
    assert isinstance(result, Conversion), result
    return result


def test_spectra_plan_keeps_all_its_lines() -> None:
    """
    A plan that is canonical but for details loses no line, and is its own canonical form afterwards.
    """
    result = converted(SPECTRA)

    assert () == result.remarks
    assert result == converted(result.files[0].text.encode())


def test_prose_that_the_form_lacks_is_said_to_be_left_out() -> None:
    """
    A paragraph that no part of the format holds is named by its line.
    """
    lines = SPECTRA.decode().split("\n")
    place = next(number for number, line in enumerate(lines) if line.startswith("## Task"))
    lines[place:place] = ["Nobody wrote down who pays for the audit itself.", ""]

    result = converted("\n".join(lines).encode())

    assert (f"left out, for the form has no place for them: line {place + 1}",) == result.remarks
    assert "who pays" not in result.files[0].text


def test_delivery_plan_says_what_is_left_out() -> None:
    """
    The prose of the delivery plan is left out and said; what is written is its own canonical form.
    """
    result = converted((SEEDS / "orchestration-delivery-plan.md").read_bytes())

    (remark,) = result.remarks
    assert remark.startswith("left out, for the form has no place for them: line ")
    assert result.files == converted(result.files[0].text.encode()).files


@pytest.mark.parametrize(
    ("numbers", "words"),
    [((3,), "3"), ((3, 4, 5, 9), "3-5, 9"), (range(1, 40, 2), "1, 3, 5, 7, 9, 11, 13, 15 and 12 more places")],
    ids=["one", "run", "many"],
)
def test_lines_are_named_in_runs(numbers: tuple[int, ...], words: str) -> None:
    """
    Neighbours are one run, and of many runs the first are named.
    """
    assert words == lines_words(numbers)


def test_task_table_keeps_its_tables() -> None:
    """
    The task table's own canonical form holds all but a few lines of prose, and is its own.
    """
    result = converted((SEEDS / "autobiz-phase1-task-table.md").read_bytes())

    assert ("left out, for the form has no place for them: line 4, 1142, 1177, 1179, 1181",) == result.remarks
    again = convert(read_plan(result.files[0].text.encode(), path="plan.md"))
    assert isinstance(again, Conversion)
    assert result.files == again.files
