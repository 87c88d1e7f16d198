"""Contracts with mistakes: every mistake is found, once, at its place, in words that say what to do.

Beside each document of `golden/` stands a file with its findings as they are printed.
"""

from pathlib import Path

import pytest

from remit.diagnostics import render_plain
from remit.plans.codes import ALL_CODES
from remit.plans.codes.contract import ROWS
from remit.plans.formats import read_plan

GOLDEN = Path(__file__).parent / "golden"
DOCUMENTS = sorted(path for path in GOLDEN.iterdir() if path.suffix != ".findings")


def findings(path: Path) -> str:
    """Return the findings of a document as they are printed, under its name."""
    return render_plain(read_plan(path.read_bytes(), path=path.name).diagnostics)


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_document_has_its_findings(path: Path) -> None:
    """
    A document gives exactly the findings that stand beside it, in order.
    """
    assert path.with_name(f"{path.name}.findings").read_text(encoding="utf-8") == findings(path)


def test_documents_show_every_code_of_contracts() -> None:
    """
    No code of contracts is left without an example, apart from what only several files show.
    """
    shown = {
        line.split()[1] for path in GOLDEN.glob("*.findings") for line in path.read_text(encoding="utf-8").splitlines()
    }

    assert set() == shown - ALL_CODES.keys()
    assert {"ISSUE_REPEATED"} == {code for code, _, _ in ROWS} - shown
