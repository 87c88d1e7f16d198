"""Totals between the rows of a table: compared with the rows above them where those can be added up."""

import pytest

from tests.unit.plans.task_table.reading import read


def findings(heading: str, rows: list[tuple[str, str]]) -> list[str]:
    lines = [f"| {name} | {'' if name.istitle() else 'Work'} | {effort} | todo |" for name, effort in rows]
    text = "\n".join([f"| ID | Task | {heading} | Status |", "|-|-|-|-|", *lines])
    return [one.message for one in read(text).diagnostics if one.code == "TABLE_SUM_WRONG"]


@pytest.mark.parametrize(
    ("heading", "rows"),
    [
        ("Estimate", [("t1", "1h"), ("t2", "1h"), ("t3", "1h"), ("Total", "3h")]),
        ("Estimate", [("t1", "1h 30m"), ("t2", "30m"), ("Total", "2h")]),
        ("Hours", [("t1", "1"), ("t2", "2"), ("Subtotal", "3"), ("t3", "4"), ("Total", "7")]),
        ("Days", [("t1", "1"), ("Subtotal", "1"), ("t2", "2"), ("Subtotal", "2"), ("Total", "3")]),
        ("Estimate", [("t1", "2"), ("t2", "1d"), ("Total", "5")]),
        ("Estimate", [("t1", "2"), ("t2", "1"), ("Total", "5d")]),
        ("Estimate", [("t1", "M"), ("t2", "L"), ("Total", "5d")]),
        ("Points", [("t1", "3 pts"), ("Total", "5 pts")]),
        ("Days", [("Total", "4")]),
    ],
)
def test_total_that_may_be_right_is_not_reported(heading: str, rows: list[tuple[str, str]]) -> None:
    """
    A total is right for its group or for all rows, and is not compared with what cannot be added up.
    """
    assert [] == findings(heading, rows)


@pytest.mark.parametrize(
    ("heading", "rows", "expected"),
    [
        ("Days", [("t1", "2"), ("t2", "3"), ("Total", "6")], "5, got 6"),
        ("Estimate", [("t1", "4h"), ("t2", "1d"), ("Total", "2d")], "1.5, got 2d"),
        ("Days", [("t1", "1"), ("Subtotal", "1"), ("t2", "2"), ("Total", "4")], "3 or 2, got 4"),
        ("Days", [("t1", "1-2"), ("t2", "2"), ("Total", "4")], "3-4, got 4"),
    ],
)
def test_wrong_total_is_reported_with_the_sum(heading: str, rows: list[tuple[str, str]], expected: str) -> None:
    """
    What a total should be is said in the unit that it is written in.
    """
    (message,) = findings(heading, rows)

    assert expected in message
