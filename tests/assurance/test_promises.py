"""Each promise has a test, each test can fail, and the page says so."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import orjson
import pytest

from campaigns.planting import plant
from tests.assurance.page import PAGE, RECORDS, render
from tests.assurance.promises import ROOT, Promise, guaranteed, read_promises

PROMISES = read_promises()
WITH_BUG = [promise for promise in PROMISES if promise.bug is not None]
REGENERATE = "run: python -m tests.assurance"
SECONDS_MAX = 240
ASSERTED = re.compile(
    r"^E\s+(AssertionError|assert |Failed: |\S*StuckError|TimeoutError: \w+, waits for)", re.MULTILINE
)
FAILED = re.compile(r"^\d+ failed", re.MULTILINE)


def test_every_guarantee_is_held_by_a_promise() -> None:
    """
    No sentence of the README's guarantees goes without a promise that quotes it, and nothing is quoted wrongly.
    """
    quoted = [words for promise in PROMISES for words in promise.words]
    claims = guaranteed()

    assert 20 < len(claims) + len(quoted)
    assert [] == [claim for claim in claims if not any(words in claim for words in quoted)]
    assert [] == [words for words in quoted if not any(words in claim for claim in claims)]


def test_every_promise_can_be_broken() -> None:
    """
    Ids are unique, and each promise has tests and a bug that they find, or tests that plant one themselves.
    """
    ids = [promise.id for promise in PROMISES]

    assert len(ids) == len(set(ids))
    assert [] == [promise.id for promise in PROMISES if not promise.tests]
    assert [] == [promise.id for promise in PROMISES if promise.bug is None and not promise.planted]


def test_every_named_test_is_there() -> None:
    """
    The table names tests that exist, so that no promise hangs on a test that was renamed away.
    """
    nodes = [node for promise in PROMISES for node in [*promise.tests, *promise.planted]]

    assert [] == [node for node in nodes if not is_there(node)]


def is_there(node: str) -> bool:
    path, _, name = node.partition("::")
    file = ROOT / path
    if not name:
        return file.exists()
    if not file.is_file():
        return False
    functions = [
        item.name
        for item in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    return name in functions


def test_every_named_campaign_is_recorded_and_holds() -> None:
    """
    The table names campaigns with a record, and every record on file holds.
    """
    records = {path.stem: orjson.loads(path.read_bytes()) for path in RECORDS.glob("*.json")}
    named = {name for promise in PROMISES for name in promise.campaigns}

    assert set() == named - records.keys()
    assert [] == [name for name, record in records.items() if not record["holds"]]


def test_page_is_current() -> None:
    """
    The page for people says what the table and the records say.
    """
    assert render(PROMISES) == PAGE.read_text(encoding="utf-8"), REGENERATE


@pytest.mark.parametrize("promise", WITH_BUG, ids=[promise.id for promise in WITH_BUG])
def test_planted_bug_is_found(promise: Promise, tmp_path: Path) -> None:
    """
    With the promise broken in the sources, its own tests fail, by an assertion and not by an accident.
    """
    environment = plant(tmp_path, promise.bug_to_plant())
    words = [sys.executable, "-m", "pytest", *promise.tests, "--quiet", "-x", "--no-header", "-p", "no:cacheprovider"]

    said = subprocess.run(
        words, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=SECONDS_MAX
    )

    report = said.stdout[-3000:] + said.stderr[-1000:]
    assert 1 == said.returncode, report
    assert FAILED.search(said.stdout), report
    assert promise.bug is not None
    assert promise.bug.shows in said.stdout if promise.bug.shows else ASSERTED.search(said.stdout), report
