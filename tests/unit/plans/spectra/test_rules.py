"""The rules of the format's levels, one by one."""

import pytest

from remit.plans.formats import read_plan
from remit.plans.options import PlanOptions
from remit.plans.spectra.ids import read_chains, read_references
from remit.plans.spectra.pieces import Piece
from tests.unit.plans.spectra.records import HEAD, SEED, TASK, record

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


@pytest.mark.parametrize(
    ("written", "commands"),
    [
        ("npm test login", ["npm test login"]),
        ("`npm test login`", ["npm test login"]),
        (
            "`npm test login` passes; `npm run serve -- --once` too, `--json` for tools",
            ["npm test login", "npm run serve -- --once"],
        ),
        ("Run `npm test login` and look", ["npm test login"]),
        ("echo `date` | grep -q 2026", ["echo `date` | grep -q 2026"]),
        ("GET /login answers 200", []),
        ("manual inspection", []),
    ],
)
def test_commands_of_wiring_are_told_from_words(written: str, commands: list[str]) -> None:
    """
    What is said about a command is no part of it, and words alone are no command; the proof itself is kept as it is.
    """
    text = f"{PLAN}- Wiring-proof:\n  - CLI: {written}\n  - Integration: router -> login\n"
    plan = read_plan(text.encode(), path="plan.md").plan

    assert plan is not None
    assert commands == [command.text for command in plan.tasks[0].wiring_commands]
    assert all(text[slice(*command.at)] == command.text for command in plan.tasks[0].wiring_commands)
    assert 2 == len(plan.tasks[0].wiring)


@pytest.mark.parametrize(
    ("written", "level"),
    [
        ("3", 3),
        ("3 (Large)", 3),
        ("**2**", 2),
        ("L1", 1),
        ("Large (4)", 4),
        ("{0-4}", None),
        ("2-3", None),
        ("-1", None),
    ],
)
def test_level_is_read_where_one_is_meant(written: str, level: int | None) -> None:
    """
    Words around a level do not hide it; of two numbers none is guessed.
    """
    plan = record(PLAN.replace("Level: 0", f"Level: {written}"))

    assert level == plan.level
    assert (level is None) == ("SPECTRA_LEVEL_INVALID" in found(PLAN.replace("Level: 0", f"Level: {written}")))


@pytest.mark.parametrize(
    ("written", "pairs"),
    [
        ("001 -> 002 -> 003", "1>2 2>3"),
        ("001 and 002 -> 003", "1>3 2>3"),
        ("001 -> [002, 003]", "1>2 1>3"),
        ("003 <- 001", "1>3"),
        ("001 ──► 002 (the store)", "1>2"),
        ("001-002 -> 003", "1>3 2>3"),
        ("001 003", ""),
    ],
)
def test_chains_say_who_comes_first(written: str, pairs: str) -> None:
    """
    Whichever way a chain is written, two tasks are in an order only if an arrow stands between them.
    """
    tasks = "".join(TASK.replace("001", f"00{number}") for number in (1, 2, 3))
    text = f"{HEAD}{tasks}\n## Parallelism Assessment\n- Sequential dependencies: [{written}]\n"
    plan = read_plan(text.encode(), path="plan.md").plan

    assert plan is not None
    got = {f"{int(one.id)}>{int(task.id)}" for task in plan.tasks for one in task.depends_on}
    assert set(pairs.split()) == got


def test_short_text_stands_for_few_references() -> None:
    """
    Ranges and links of several tasks grow with the text, not with what they could stand for.
    """
    ranges = read_references(Piece(", ".join(["1-15"] * 100), 0))
    chains = read_chains(Piece(" -> ".join(["1-9"] * 100), 0))
    long = read_references(Piece("001-900", 0))

    assert len(ranges.found) <= 15 + len(", ".join(["1-15"] * 100))
    assert ranges.unread
    assert ((), True) == (chains.found, bool(chains.alone))
    assert ((), ["001-900"]) == (long.found, [word.text for word in long.unread])


def test_line_of_the_graph_names_all_its_subjects() -> None:
    """
    Each task before "depend on" waits for each behind it; a line with more pairs than characters is read in part.
    """
    tasks = "".join(TASK.replace("001", f"00{number}") for number in (1, 2, 3, 4))
    text = f"{HEAD}{tasks}\n## Dependency Graph\n- Tasks 003 and 004 (tests) depend on 001, 002\n"
    crowd = ", ".join(["001"] * 60) + " depend on " + ", ".join(["002"] * 60)
    plan = read_plan(text.encode(), path="plan.md").plan
    graph = record(f"{HEAD}{tasks}\n## Dependency Graph\n{crowd}\n").graph

    assert plan is not None
    assert [[], [], ["001", "002"], ["001", "002"]] == [[one.id for one in task.depends_on] for task in plan.tasks]
    assert 0 < len(graph or ()) <= len(crowd)
    assert "SPECTRA_REFERENCE_UNREAD" in found(f"{HEAD}{tasks}\n## Dependency Graph\n{crowd}\n")


def test_words_in_the_place_of_paths_claim_nothing() -> None:
    """
    They are told, kept in the document, and no file of the task.
    """
    text = PLAN.replace("Files: src/login.ts", "Files: src/login.ts, whatever else it takes")
    plan = read_plan(text.encode(), path="plan.md").plan

    assert plan is not None
    assert ["SPECTRA_PATH_PROSE"] == found(text)
    assert ["src/login.ts"] == [claim.path for claim in plan.tasks[0].files]
    assert 2 == len(record(text).tasks[0].files or ())


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
