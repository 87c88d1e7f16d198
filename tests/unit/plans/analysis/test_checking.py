"""The checks common to all formats: each with its place, the other side, and nothing on sound plans."""

from __future__ import annotations

import pytest

from remit.diagnostics import Severity
from tests.unit.plans.analysis.notation import findings, marked

SOUND = """\
001 owns=c.ts risk=high
002 after=001 owns=p.ts touches=c.ts risk=high
003 after=002 owns=r.ts touches=p.ts risk=high
004 after=003 owns=t.ts reads=p.ts,r.ts risk=high
005 owns=d.md risk=medium
independent 001 005
recommend TEAM_ELIGIBLE
"""


def test_sound_plan_has_no_findings() -> None:
    """
    Nothing false is said of a plan whose claims follow its order.
    """
    assert [] == findings(SOUND)


def test_payments_plan_order_is_transitive() -> None:
    """
    Touching what a task two steps before owns is in order: 001 comes before 003 through 002.
    """
    assert [] == findings("001 owns=a\n002 after=001\n003 after=002 touches=a\n")


CASES = {
    "DEPENDENCY_UNKNOWN": ("001\n002 after=001,099\n", "099", "got '099'"),
    "DEPENDENCY_SELF": ("001 after=001\n", "001", "got itself"),
    "DEPENDENCY_CYCLE": ("001 after=003\n002 after=001\n003 after=002\n", "001", "001 -> 002 -> 003 -> 001"),
    "DEPENDENCY_AGAINST_PHASES": (
        "phase P1\nphase P2\n001 phase=P1 after=002\n002 phase=P2\n",
        "002",
        "got 002 of phase P2",
    ),
    "TASK_UNKNOWN": ("001\nindependent 001 007\n", "007", "got '007'"),
    "OWNERSHIP_OVERLAP": ("001 owns=a.ts\n002 after=001 owns=./A.ts\n", "./A.ts", "./A.ts, which is a.ts"),
    "OWNERSHIP_TOUCHED": ("001 owns=src/\n002 touches=src/a.ts\n", "src/a.ts", "in common with src/"),
    "TOUCHES_OVERLAP": ("001 touches=a.ts\n002 touches=*.ts\n", "*.ts", "no order among 001 and 002"),
    "INDEPENDENCE_CONTRADICTED": ("001\n002 after=001\n003 after=002\nindependent 001 003\n", "003", "003 after 001"),
    "RECOMMENDATION_CONTRADICTED": (
        "001 owns=a\n002 after=001 owns=b\nrecommend TEAM_ELIGIBLE\n",
        "TEAM_ELIGIBLE",
        "expected the recommendation SEQUENTIAL_ONLY, got TEAM_ELIGIBLE: of every two tasks one comes before the other",
    ),
    "TASK_WITHOUT_REQUIREMENT": ("001 for=R1 cases=C1\n002\n", "002", "got none"),
    "REQUIREMENT_UNTESTED": ("001 for=R1\n", "R1", "001 names no test case"),
    "TEST_WITHOUT_REQUIREMENT": ("001 for=R1 cases=C1\n002 kind=test cases=C2\n", "C2", "C2 tests, got none on 002"),
    "TASK_DONE_EARLY": ("001\n002 after=001 state=done\n", "done", "001 pending"),
    "TASK_STUCK": ("001 state=stuck\n002 after=001\n", "stuck", "002 waiting for it"),
    "RISK_LATE": ("001 risk=low\n002 risk=critical\n", "002", "002 (critical) behind 001 (low)"),
}


@pytest.mark.parametrize("code", CASES)
def test_finding_names_what_is_wrong_at_its_place(code: str) -> None:
    """
    Each check reports its code alone, where the reader has to change something.
    """
    text, place, said = CASES[code]
    found = findings(text)

    assert [code] == [finding.code for finding in found]
    assert place == marked(text, found[0])
    assert said in found[0].message


def test_cycle_names_the_place_of_each_dependency() -> None:
    """
    All sides of a cycle are related places.
    """
    text = "001 after=003\n002 after=001\n003 after=002\n"
    found = findings(text)[0]

    assert (2, 11) == (found.span.start.line, found.span.start.column)
    assert {"003 waits for 002": 3, "001 waits for 003": 1} == {
        one.message: one.span.start.line for one in found.related
    }


def test_id_in_another_spelling_has_a_fix() -> None:
    """
    An id that is one task's but for zeros, case or signs is offered as a replacement; any other is only reported.
    """
    text = "T-001\nT-002 after=t1,T-9\n"
    spelt, unknown = findings(text)

    assert "T-001" == (spelt.fix and spelt.fix.replacement)
    assert unknown.fix is None
    assert "did you mean" not in unknown.message


def test_recommendation_is_replaced_by_the_computed_one() -> None:
    """
    A recommendation that is too careful is a note with the word to write; one on a graph with a cycle is left alone.
    """
    careful = findings("001 owns=a\n002 owns=b\nrecommend SEQUENTIAL\n")
    unsound = findings("001 owns=a after=002\n002 owns=b after=001\nrecommend TEAM_ELIGIBLE\n")

    assert [("RECOMMENDATION_CONTRADICTED", Severity.NOTE)] == [(one.code, one.severity) for one in careful]
    assert "TEAM_ELIGIBLE" == (careful[0].fix and careful[0].fix.replacement)
    assert ["DEPENDENCY_CYCLE"] == [one.code for one in unsound]


def test_low_level_is_sequential_whatever_the_graph_says() -> None:
    """
    Below level 3 two independent tasks make no team.
    """
    found = findings("001 owns=a\n002 owns=b\nrecommend TEAM_ELIGIBLE\n", level=2)

    assert ["RECOMMENDATION_CONTRADICTED"] == [one.code for one in found]
    assert "the plan is of level 2" in found[0].message


def test_cycle_through_phases_says_so() -> None:
    """
    A cycle that only exists because phases follow one another names the phase.
    """
    found = findings("phase P1\nphase P2\n001 phase=P1 after=003\n002 phase=P2\n003 after=002\n")

    assert ["DEPENDENCY_CYCLE"] == [one.code for one in found]
    assert "001 -> 002 -> 003 -> 001, through the end of phase P1" in found[0].message


def test_many_tasks_on_one_path_are_one_finding() -> None:
    """
    A path that a hundred tasks touch is reported once, with the number of pairs.
    """
    found = findings("".join(f"{number:03} touches=a.ts\n" for number in range(1, 101)))

    assert ["TOUCHES_OVERLAP"] == [one.code for one in found]
    assert "4950 pairs" in found[0].message


def test_globs_beyond_the_limit_are_said() -> None:
    """
    When there are too many globs to compare, the plan is not called free of conflicts.
    """
    found = findings("".join(f"{number} touches=**/{'?' * 60}{number}*{number}\n" for number in range(2000)))

    assert "OWNERSHIP_UNCOMPARED" in [one.code for one in found]
