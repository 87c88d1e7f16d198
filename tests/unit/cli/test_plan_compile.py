"""`remit plan compile`: what is printed where, what is written, and exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from remit.cli.app import run
from remit.cli.exit_codes import OK, USAGE
from tests.unit.plans.compiling.test_golden import GOLDEN

ROADMAP = GOLDEN / "roadmap.json"


def test_document_is_printed_and_findings_are_not_among_it(capsys: pytest.CaptureFixture[str]) -> None:
    """
    Standard output holds the orchestration alone, so that it can be piped; notes go to standard error.
    """
    assert OK == run(["plan", "compile", str(ROADMAP)])
    said = capsys.readouterr()

    document = (GOLDEN / "roadmap.yaml").read_text(encoding="utf-8").split("\n\n", 1)[1]
    assert document == said.out.split("\n\n", 1)[1]
    assert "COMPILE_SCOPE_OPEN note: " in said.err


def test_what_is_compiled_passes_the_check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """
    The files that are written are accepted by `remit check`, together.
    """
    document, remit = tmp_path / "orchestration.yaml", tmp_path / "remit.yaml"
    assert OK == run(["plan", "compile", str(ROADMAP), "--output", str(document), "--remit", str(remit)])
    assert not capsys.readouterr().out

    assert OK == run(["check", str(document), str(remit), "--format", "json"])
    found = json.loads(capsys.readouterr().out)["findings"]
    assert ["DEFINITION_UNRUNNABLE"] == [finding["code"] for finding in found]
    assert USAGE == run(["run", str(document)])
    assert "error DEFINITION_UNRUNNABLE: " in capsys.readouterr().err


def test_definition_is_printed_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    """
    `--format json` prints the definition that the document compiles to.
    """
    assert OK == run(["plan", "compile", str(ROADMAP), "--format", "json", "--name", "fees"])
    definition = json.loads(capsys.readouterr().out)

    assert "fees" == definition["name"]
    assert ["gate", "gate", "timer", "loop", "gate", "loop", "loop", "gate", "loop"] == [
        step["kind"] for step in definition["steps"]
    ]


def test_people_and_principals_can_be_named(capsys: pytest.CaptureFixture[str]) -> None:
    """
    Who acts and who decides stands in the document as it was said.
    """
    options = ["--builder", "codex", "--tester", "claude", "--approver", "ada", "--approver", "role:owner"]
    assert OK == run(["plan", "compile", str(ROADMAP), *options])
    text = capsys.readouterr().out

    assert (4, 8) == (text.count("principal: codex"), text.count("principal: claude"))
    assert 4 == text.count('approvers: [ada, "role:owner"]')


def test_plan_with_errors_compiles_to_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """
    Findings are printed, the exit code is 2, and no file is written.
    """
    broken, document = tmp_path / "broken.json", tmp_path / "orchestration.yaml"
    broken.write_text(ROADMAP.read_text(encoding="utf-8").replace('["M1"]', '["M9"]', 1), encoding="utf-8")

    assert USAGE == run(["plan", "compile", str(broken), "--output", str(document)])
    said = capsys.readouterr()
    assert not said.out
    assert "M9" in said.err
    assert not document.exists()


@pytest.mark.parametrize(
    "options",
    [["--builder", "x", "--tester", "x"], ["--approver", "builder"], ["--output", "/nowhere/at/all.yaml"]],
    ids=["same", "decides", "unwritable"],
)
def test_impossible_wishes_are_refused(options: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """
    What cannot be is a mistake of usage, said in a sentence.
    """
    assert USAGE == run(["plan", "compile", str(ROADMAP), *options])
    assert "error INPUT_INVALID: expected " in capsys.readouterr().err
