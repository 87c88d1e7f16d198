"""Loose forms: what people write instead of the canonical form is read as it is meant, said, and mended."""

from __future__ import annotations

import json

import pytest

from remit.diagnostics import Diagnostics, Source
from remit.diagnostics.fixes import fix_until_done
from remit.plans.formats import read_plan
from tests.unit.plans.contract.test_queue import issue

TASK = {
    "title": "Add fees in internal/fees/", "role": "developer", "acceptance": ["stored"], "risk_class": "low",
    "max_diff_scope": 9, "invariants": ["cursor_monotonic"],
}  # fmt: skip
MILESTONE = {
    "id": "M1", "title": "Add fees", "outcome": "stored", "dependencies": [], "acceptance": ["stored"], "risks": [],
    "risk_class": "low", "max_diff_scope": 9,
}  # fmt: skip
DEFAULTS = {
    "risk_class": "low", "max_diff_scope": 9, "acceptance_tests": ["make test"], "invariants": ["cursor_monotonic"],
    "evidence_required": True,
}  # fmt: skip


def fanout(**fields: object) -> str:
    """Return a fanout of one sound task with some fields changed."""
    return json.dumps({"tasks": [TASK | fields]})


def contract(**fields: object) -> str:
    """Return a planning contract of two sound milestones, the second with some fields changed."""
    second = MILESTONE | {"id": "M2", "dependencies": ["M1"]} | fields
    roadmap = {"version": "1.0", "objective": "fees", "milestones": [MILESTONE, second]}
    return json.dumps({"roadmap": roadmap, "contract_defaults": DEFAULTS, "decisions": []})


def header(old: str, new: str) -> str:
    """Return a sound issue contract with a stretch of its text changed."""
    text = issue(1).decode()
    assert old in text
    return text.replace(old, new, 1)


def codes(text: str) -> list[str]:
    return [finding.code for finding in read_plan(text.encode(), path="a").diagnostics]


def fixed(text: str) -> str:
    """Return a text with all fixes made."""

    def check(raw: bytes) -> tuple[Source | None, Diagnostics]:
        reading = read_plan(raw, path="a")
        return reading.source, reading.diagnostics

    return fix_until_done(text.encode(), check).raw.decode()


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (contract(dependencies="M1"), "CONTRACT_LIST_TEXT"),
        (contract(risks="none"), "CONTRACT_LIST_TEXT"),
        (contract(acceptance="stored"), "TYPE_WRONG"),
        (contract(title=12), "TYPE_WRONG"),
        (fanout(labels="area/fees, priority/p0"), "CONTRACT_LIST_TEXT"),
        (fanout(max_diff_scope="9 files"), "TYPE_WRONG"),
        (fanout().replace("}]}", "},]}"), "SYNTAX_INVALID"),
        (fanout().replace('"developer"', "'developer'"), "SYNTAX_INVALID"),
        (fanout().replace('"title"', "title"), "SYNTAX_INVALID"),
        (fanout().replace(', "role"', ' "role"'), "SYNTAX_INVALID"),
        (contract().replace("true", "True"), "SYNTAX_INVALID"),
        (header("evidence_required: false", "evidence_required: no"), "CONTRACT_BOOLEAN_TEXT"),
        (header("max_diff_scope: 5", "max_diff_scope: 5 files"), "TYPE_WRONG"),
        (header("title: Implement the cursor in internal/cursor/", 'title: "Wire the cursor"'), "CONTRACT_HEADER_FORM"),
        (header("status: ready", "status: ready\ndepends_on: none"), "CONTRACT_HEADER_FORM"),
        (header(" make test", "\n  - make test\n  - make lint"), "CONTRACT_HEADER_FORM"),
        (header("Acceptance Criteria\n\n", "Acceptance Criteria\n\n- [] stored\n"), "CONTRACT_CRITERION_UNMARKED"),
        (header("Acceptance Criteria\n\n", "Acceptance Criteria\n\n- stored\n"), "CONTRACT_CRITERION_UNMARKED"),
    ],
)
def test_loose_form_is_said_and_mended(text: str, code: str) -> None:
    """
    A form that is read beside the canonical one has one finding, and its fix leaves none.
    """
    assert [code] == codes(text)
    assert [] == codes(fixed(text))


def test_lists_below_their_fields_are_read() -> None:
    """
    Items on lines of their own, as YAML has them, are the values of their field; a title may have quotes inside.
    """
    text = header(" make test", '\n- "make test"\n- make lint').replace("title: Implement", 'title: Implement "it" and')
    plan = read_plan(text.encode(), path="a").plan

    assert plan is not None
    assert ["make test", "make lint"] == [text.text for text in plan.tasks[0].verify]
    assert plan.tasks[0].title.startswith('Implement "it" and')


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (fanout(role="dev"), "got 'dev'; did you mean 'developer'?"),
        (fanout(role="boss"), "got 'boss'; choose one"),
        (fanout(role="boss", risk_class=""), "expected 'planner', 'developer' or 'qa' for role"),
        (fanout(acceptance="none"), "expected at least one entry in acceptance, got the string 'none'"),
        (fanout(invariants=""), "expected a list for invariants, got an empty text"),
        (fanout(invariants="none"), "got no invariants; declare each"),
        (fanout(invariants=["cursor_monotonic replay_idempotent"]), "name each by itself, separated by commas"),
        (fanout(depends_on=["x"]), "got 'depends_on'; a fanout knows no order"),
        (fanout(colour="red"), "got 'colour'; remove it"),
        (contract(role="qa"), "got 'role'; a task of a fanout file has it"),
        (json.dumps([TASK]), 'expected a fanout file, {"tasks": [ … ]}, got the list alone'),
        (json.dumps({**TASK, "sections": {"Objective": "x"}, "complexity": "low"}), "write [ ] with a section in { }"),
        (fanout().replace("{", "{ // tasks\n", 1), "remove it, or write it into a field"),
    ],
)
def test_message_says_what_to_do(text: str, words: str) -> None:
    """
    What cannot be read as it is meant for certain is told with what is most likely meant.
    """
    assert any(words in finding.message for finding in read_plan(text.encode(), path="a").diagnostics)


def test_rule_of_declarations_holds_for_tasks_of_unreadable_roles() -> None:
    """
    A task whose role cannot be read is no planner's, and is not said to be a developer's.
    """
    found = read_plan(fanout(role="boss", invariants=[]).encode(), path="a").diagnostics

    assert [True] == ["a task that no planner does" in one.message for one in found if "rule 6" in one.message]


def test_dependencies_as_text_are_several() -> None:
    """
    Ids have no commas, so a text of several is no single unknown one.
    """
    assert ["CONTRACT_LIST_TEXT", "DEPENDENCY_UNKNOWN"] == codes(contract(dependencies="M1, M9"))


@pytest.mark.parametrize(
    ("first", "second", "found"),
    [
        ({"title": "Verify fees"}, {}, ["VERIFICATION_EARLY"]),
        ({"title": "Verify fees", "dependencies": ["M2"]}, {"dependencies": []}, []),
        ({"title": "Verify fees", "dependencies": ["M2"]}, {"dependencies": ["M1"]}, ["VERIFICATION_EARLY"]),
    ],
    ids=["listed", "ordered", "cycle"],
)
def test_verification_is_early_in_the_order_of_work(
    first: dict[str, object], second: dict[str, object], found: list[str]
) -> None:
    """
    A milestone that waits for what is built is not early because it is listed first.
    """
    whole = json.loads(contract(**second))
    whole["roadmap"]["milestones"][0] |= {"outcome": "checked", **first}

    assert found == [code for code in codes(json.dumps(whole)) if code == "VERIFICATION_EARLY"]
