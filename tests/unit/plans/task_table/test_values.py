"""Values of cells: efforts, states, and lists of tasks in every way in which people write them."""

from decimal import Decimal

import pytest

from remit.plans.plan import TaskState
from remit.plans.task_table.efforts import days_of, is_points, unit_days
from remit.plans.task_table.ids import Shorthand
from remit.plans.task_table.index import TaskIndex
from remit.plans.task_table.references import ReferenceReader
from remit.plans.task_table.states import is_dropped, state_of, without_mark


@pytest.mark.parametrize(
    ("written", "heading", "days"),
    [
        ("3d", "Effort", ("3", "3")),
        ("~2-4 days", "Effort", ("2", "4")),
        ("1d 4h", "Effort", ("1.5", "1.5")),
        ("30m", "Effort", ("0.0625", "0.0625")),
        ("1h", "Effort", ("0.125", "0.125")),
        ("1½ days", "Effort", ("1.5", "1.5")),
        ("½ d", "Effort", ("0.5", "0.5")),
        ("1,5 Tage", "Aufwand", ("1.5", "1.5")),
        ("3 PT", "Aufwand", ("3", "3")),
        ("4 Std.", "Aufwand", ("0.5", "0.5")),
        ("2日", "見積", ("2", "2")),
        ("1 semana", "Estimación", ("5", "5")),
        ("12", "Effort (h)", ("1.5", "1.5")),
        ("12", "Hours", ("1.5", "1.5")),
    ],
)
def test_effort_is_read_in_days(written: str, heading: str, days: tuple[str, str]) -> None:
    """
    Durations are days whatever their unit and language, without losing minutes.
    """
    assert tuple(map(Decimal, days)) == days_of(written, unit_days(heading))


@pytest.mark.parametrize("written", ["3 pts", "1 pt", "8 SP", "5 story points"])
def test_points_are_no_time(written: str) -> None:
    """
    Points are known, and are never read as days.
    """
    assert is_points(written, "Estimate")
    assert days_of(written, unit_days("Estimate")) is None
    assert is_points("5", "Story Points")
    assert not is_points("5", "Estimate")


@pytest.mark.parametrize(
    ("written", "state"),
    [
        ("0%", TaskState.PENDING),
        ("55 %", TaskState.IN_PROGRESS),
        ("100%", TaskState.DONE),
        (":white_check_mark:", TaskState.DONE),
        ("✅ Done", TaskState.DONE),
        ("[X]", TaskState.DONE),
        ("[ ]", TaskState.PENDING),
        ("[~]", TaskState.IN_PROGRESS),
        ("[!]", TaskState.STUCK),
        ("🟢 On track", TaskState.IN_PROGRESS),
        ("🟢", TaskState.DONE),
        ("Done (2026-01-03)", TaskState.DONE),
        ("In progress - 50%", TaskState.IN_PROGRESS),
        ("Blocked: waiting for the API", TaskState.STUCK),
        ("<b>Blocked</b>", TaskState.STUCK),
        ("in Arbeit", TaskState.IN_PROGRESS),
        ("à faire", TaskState.PENDING),
        ("完了", TaskState.DONE),
        ("`on hold`", TaskState.STUCK),
        ("somewhere", None),
        ("101%", None),
    ],
)
def test_state_is_read_from_words_marks_and_shares(written: str, state: TaskState | None) -> None:
    """
    A state has many spellings, and none is guessed.
    """
    assert state is state_of(written)


def test_mark_before_title_is_no_part_of_it() -> None:
    """
    A box or mark at the beginning goes, and brackets that are none stay.
    """
    assert ["Build", "Build", "Build", "[API] Build"] == [
        without_mark(written) for written in ("[x] Build", "✅ Build", ":construction: Build", "[API] Build")
    ]
    assert is_dropped("Won't do")


INDEX = TaskIndex([("T-1", "Build login"), ("T-2", "Test, then ship"), ("setup", "Set up"), ("T-4", "Ship")])


@pytest.mark.parametrize(
    ("written", "ids"),
    [
        ("[T-1](https://x.test/T-1), T-2", ["T-1", "T-2"]),
        ("depends on: task #1 and T-2", ["T-1", "T-2"]),
        ("is blocked by T-1", ["T-1"]),
        ("https://x.test/issues/T-2", ["T-2"]),
        ("acme/shop#1", ["T-1"]),
        ("T-1FS+2 days; T-2SS", ["T-1", "T-2"]),
        ("T-1-T-2", ["T-1", "T-2"]),
        ("T-1-2", ["T-1", "T-2"]),
        ("setup", ["setup"]),
        ("Test, then ship", ["T-2"]),
        ("the page (T-1)", ["T-1"]),
        ("~~T-1~~ T-2", ["T-2"]),
        ("T-1<br>T-2", ["T-1", "T-2"]),
        ("T-1、T-2", ["T-1", "T-2"]),
        ("all previous tasks", ["T-1", "T-2", "setup"]),
        ("previous step", ["setup"]),
        ("keine", []),
        ("&mdash;", []),
        ("T-9-T-11", ["T-9-T-11"]),
    ],
)
def test_list_of_tasks_is_read_however_written(written: str, ids: list[str]) -> None:
    """
    Links, words around ids, relations, titles and order name tasks; a range of unknown ends stays one unknown id.
    """
    found = ReferenceReader(1000).read(written, 0, INDEX, task="T-4")

    assert ids == [one for one, _ in found.ids()]
    assert () == found.loose


def test_place_of_linked_task_is_its_words() -> None:
    """
    A finding about an item of a list points at what is seen of it.
    """
    found = ReferenceReader(1000).read("x, [T-1](https://x.test)", 100, INDEX)

    assert [(104, 107)] == [mention.at for mention in found.mentions]


def test_struck_id_is_told() -> None:
    """
    What is struck out names nothing, and that is said.
    """
    reader = ReferenceReader(1000)
    reader.read("~~T-1~~ T-2", 0, INDEX)

    assert {Shorthand.STRUCK} == set(reader.shorthands)
