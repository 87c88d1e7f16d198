"""The reference page of contracts: its examples are sound, and its words are those that are used."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from remit.plans.codes.contract import ROWS
from remit.plans.contract import words
from remit.plans.contract.wording import BUILDING, LOOKING, PRODUCING, VAGUE
from remit.plans.formats import read_plan
from remit.plans.plan import PlanFormat

PAGE = (Path(__file__).parents[4] / "docs" / "reference" / "plans-contract.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize(
    ("name", "found"),
    [("json", PlanFormat.PLANNING_CONTRACT), ("", PlanFormat.ISSUE_CONTRACT)],
    ids=["contract", "issue"],
)
def test_example_is_sound(name: str, found: PlanFormat) -> None:
    """
    Nothing is wrong with the examples of the page.
    """
    example = next(text for language, text in BLOCKS if language == name)
    reading = read_plan(example.encode(), path="a")

    assert found == reading.format
    assert [] == list(reading.diagnostics)


def test_page_names_every_field_word_and_code() -> None:
    """
    Fields, invariants, sections and the codes of rules are on the page.
    """
    tables = (words.ROADMAP, words.MILESTONE, words.DEFAULTS, words.FANOUT_TASK, words.ISSUE_JSON)
    names = {name for table in tables for name in table.names} | words.INVARIANTS | set(words.SECTIONS)
    codes = {code for code, _, _ in ROWS if not code.startswith(("CONTRACT_HEADER_", "CONTRACT_SECTION_"))}

    assert set() == {name for name in names if name not in PAGE}
    assert set() == {code for code in codes if code not in PAGE} - {"FANOUT_CUT", "LABEL_DROPPED"} - ELSEWHERE


ELSEWHERE = {"CONTRACT_STATUS_UNKNOWN", "FANOUT_MARKER_SHARED", "INVARIANT_UNKNOWN"}
"""Codes that the page explains without naming them."""


@pytest.mark.parametrize(
    ("title", "listed"),
    [
        ("Verbs that build", BUILDING),
        ("Verbs that look", LOOKING),
        ("Verbs that produce", PRODUCING),
        ("Vague verbs", VAGUE),
    ],
)
def test_page_lists_the_words(title: str, listed: frozenset[str]) -> None:
    """
    The words that findings go by can be looked up.
    """
    found = re.search(rf"\*{title}\*: (.*?)\.\n", PAGE, re.DOTALL)

    assert found is not None
    assert listed == set(re.findall(r"[a-z]+", found[1]))
