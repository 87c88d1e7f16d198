"""Issue contracts given together: what only several of them show."""

from __future__ import annotations

from pathlib import Path

import pytest

from remit.cli.app import run
from remit.cli.exit_codes import OK, USAGE
from remit.diagnostics import Severity
from remit.plans.formats import PlanReading, read_plan
from remit.plans.queue import check_queue

BODY = "".join(
    f"## {title}\n\n- [ ] the cursor never goes back\n\n"
    for title in ("Objective", "In Scope", "Out of Scope", "Acceptance Criteria", "Non Goals")
)


def issue(number: int, *depends_on: int, status: str = "ready") -> bytes:
    """Return a sound issue contract."""
    depends = "".join(f"depends_on: {', '.join(f'I-{one:04}' for one in depends_on)}\n" for _ in depends_on[:1])
    return (
        f"id: I-{number:04}\nrole: developer\nstatus: {status}\npriority: p1\n{depends}"
        "title: Implement the cursor in internal/cursor/\ncomplexity: low\nrisk_class: low\nmax_diff_scope: 5\n"
        f"acceptance_tests: make test\ninvariants: cursor_monotonic\nevidence_required: false\n---\n\n{BODY}"
    ).encode()


def checked(*raws: bytes) -> list[PlanReading]:
    """Return the readings of files given together, called ``0.md`` and so on."""
    readings = [read_plan(raw, path=f"{place}.md") for place, raw in enumerate(raws)]
    check_queue(readings)
    return readings


def codes(readings: list[PlanReading]) -> list[str]:
    return [f"{reading.path} {one.code}" for reading in readings for one in reading.diagnostics]


def test_dependencies_on_one_another_are_known() -> None:
    """
    What an issue depends on may stand in another file that is given.
    """
    assert [] == codes(checked(issue(1), issue(2, 1), issue(3, 1, 2)))


def test_issue_alone_says_nothing_of_its_queue() -> None:
    """
    Without other issues, ids that the file does not know are no mistake.
    """
    assert [] == codes(checked(issue(2, 1)))


def test_dependency_in_none_of_the_files_is_a_warning_in_its_own() -> None:
    """
    The queue may have more files than were given, so it is no error; a slip of the hand is pointed out.
    """
    readings = checked(issue(1), issue(2, 1, 9), issue(10, 1).replace(b"on: I-0001", b"on: i-1"))

    assert ["1.md DEPENDENCY_UNKNOWN", "2.md DEPENDENCY_UNKNOWN"] == codes(readings)
    first, second = (next(iter(reading.diagnostics)) for reading in readings[1:])
    assert (Severity.WARNING, True) == (
        first.severity,
        "among the 3 issues that are given, got 'I-0009'" in first.message,
    )
    assert "did you mean 'I-0001'?" in second.message


def test_cycle_across_files_names_them() -> None:
    """
    Issues that wait for one another are an error, told once with the files of the cycle.
    """
    readings = checked(issue(1, 3), issue(2, 1), issue(3, 2))

    (finding,) = (one for reading in readings for one in reading.diagnostics)
    assert "DEPENDENCY_CYCLE" == finding.code
    assert all(f"{place}.md" in finding.message for place in range(3))


@pytest.mark.parametrize(
    ("raws", "found"),
    [
        ((issue(1), issue(1)), ["1.md ISSUE_REPEATED"]),
        ((issue(1), issue(2, 1, status="done")), ["1.md TASK_DONE_EARLY"]),
        ((issue(1, status="cancelled"), issue(2, 1)), ["0.md TASK_STUCK"]),
        ((issue(1, status="done"), issue(2, 1, status="done")), []),
    ],
    ids=["twice", "early", "stuck", "done"],
)
def test_states_and_ids_are_held_against_each_other(raws: tuple[bytes, ...], found: list[str]) -> None:
    """
    An id stands once; nothing is done before what it waits for; who waits for a stuck issue is said.
    """
    assert found == codes(checked(*raws))


def test_command_checks_issues_together(tmp_path: Path) -> None:
    """
    `remit plan check` holds the files that it is given against each other.
    """
    first, second = tmp_path / "a.md", tmp_path / "b.md"
    first.write_bytes(issue(1, 2))
    second.write_bytes(issue(2, 1))

    assert OK == run(["plan", "check", str(first)])
    assert USAGE == run(["plan", "check", str(first), str(second)])


def test_issue_may_be_as_large_as_any_plan() -> None:
    """
    An issue contract has no limit of its own.
    """
    raw = issue(1).replace(b"- [ ] the cursor never goes back\n\n## In", b"x" * 1_100_000 + b"\n\n## In")

    assert [] == codes(checked(raw))
