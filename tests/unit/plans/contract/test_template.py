"""Templates: nothing but placeholders is wrong with them, and filled in they are valid."""

from __future__ import annotations

from pathlib import Path

import pytest

import remit.plans.contract
from remit.diagnostics import Diagnostics
from remit.plans.formats import read_plan

TEMPLATES = Path(remit.plans.contract.__file__).parent / "templates"
VALUES = {
    "<M1>": "M1",
    "<I-0001>": "I-0042",
    "<low|medium|high|critical>": "medium",
    "<developer|qa|planner>": "developer",
    "<planner|developer|qa>": "developer",
    "<p0|p1|p2|p3>": "p1",
    "<what is built, and where>": "Implement the cursor in internal/cursor/",
    "<id of an invariant of the registry>": "cursor_monotonic",
    "<ids of invariants of the registry>": "cursor_monotonic, replay_idempotent",
    "<directories that may change>": "internal/cursor/",
    "<commands that must succeed>": "make test, make lint",
}
BARE = {
    '"<most files that may change>"': "15",
    '"<most files that a task may change>"': "25",
    '"<true|false>"': "true",
    "<most files that may change>": "15",
    "<true|false>": "true",
}
NAMES = ["planning-contract.json", "fanout.json", "issue-contract.md"]


def findings(text: str, name: str) -> Diagnostics:
    return read_plan(text.encode(), path=name).diagnostics


def fill(text: str) -> str:
    """Return a template with each placeholder filled in, and nothing else changed."""
    for written, value in (BARE | VALUES).items():
        text = text.replace(written, value)
    while "<" in text:  # bound: each turn fills one
        start, end = text.index("<"), text.index(">") + 1
        text = text[:start] + "the cursor never goes back" + text[end:]
    return text


@pytest.mark.parametrize("name", NAMES)
def test_template_has_only_placeholders_wrong(name: str) -> None:
    """
    Each placeholder of a template is reported once, and nothing else is.
    """
    text = (TEMPLATES / name).read_text(encoding="utf-8")
    found = findings(text, name)

    assert {"PLACEHOLDER_LEFT"} == {finding.code for finding in found}
    assert text.count("<") == len(found)


@pytest.mark.parametrize("name", NAMES)
def test_template_filled_in_is_valid(name: str) -> None:
    """
    With its placeholders filled in, and no other change, a template has no findings.
    """
    text = fill((TEMPLATES / name).read_text(encoding="utf-8"))

    assert [] == list(findings(text, name))
