"""`remit plan convert` and `remit plan schema`: what is printed, what is written, and what is never overwritten."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from remit.cli.app import run
from remit.cli.exit_codes import OK, USAGE

FANOUT = """{"tasks": [
 {"title": "Plan fees", "role": "planner", "acceptance": ["planned"]},
 {"title": "Plan splits", "role": "planner", "acceptance": ["planned"]}]}"""


@pytest.fixture
def fanout(tmp_path: Path) -> Path:
    path = tmp_path / "fanout.json"
    path.write_text(FANOUT, encoding="utf-8")
    return path


def test_schema_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    """
    A schema goes to standard output as JSON, and nothing else does.
    """
    assert OK == run(["plan", "schema", "fanout"])
    assert "Remit fanout file" == json.loads(capsys.readouterr().out)["title"]


def test_template_is_printed_if_there_is_one(capsys: pytest.CaptureFixture[str]) -> None:
    """
    A kind without template is a mistake of usage, which is said.
    """
    assert OK == run(["plan", "schema", "issue-contract", "--template"])
    assert capsys.readouterr().out.startswith("id: <")
    assert USAGE == run(["plan", "schema", "orchestration", "--template"])
    assert "expected a kind that has a template" in capsys.readouterr().err


def test_canonical_form_is_printed(fanout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """
    Without an output the canonical form goes to standard output.
    """
    assert OK == run(["plan", "convert", str(fanout)])
    assert json.loads(FANOUT) == json.loads(capsys.readouterr().out)


def test_several_files_need_a_folder(fanout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """
    Several documents are written into a folder that is named, under their ids.
    """
    folder = fanout.parent / "issues"

    assert USAGE == run(["plan", "convert", str(fanout), "--to", "issue-contract"])
    assert "expected --output FOLDER" in capsys.readouterr().err
    assert OK == run(["plan", "convert", str(fanout), "--to", "issue-contract", "--output", str(folder)])
    assert ["I-0001.md", "I-0002.md"] == sorted(path.name for path in folder.iterdir())


def test_other_content_is_never_overwritten(fanout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """
    A file that says something else stays as it is; the same content may be written again.
    """
    taken = fanout.parent / "taken.json"
    taken.write_text("mine", encoding="utf-8")

    assert USAGE == run(["plan", "convert", str(fanout), "--output", str(taken)])
    assert "mine" == taken.read_text(encoding="utf-8")
    assert "expected no file of another content" in capsys.readouterr().err
    taken.unlink()
    assert OK == run(["plan", "convert", str(fanout), "--output", str(taken)])
    assert OK == run(["plan", "convert", str(fanout), "--output", str(taken)])


def test_refusal_says_why(fanout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """
    A conversion that would have to guess ends with the reason and writes nothing.
    """
    output = fanout.parent / "contract.json"

    assert USAGE == run(["plan", "convert", str(fanout), "--to", "planning-contract", "--output", str(output)])
    assert "not converted: a fanout knows no outcomes" in capsys.readouterr().err
    assert not output.exists()


def test_defaults_with_errors_are_refused(fanout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """
    Defaults are taken from a planning contract without errors, and from nothing else.
    """
    arguments = ["plan", "convert", str(fanout), "--to", "issue-contract", "--defaults", str(fanout)]

    assert USAGE == run(arguments)
    assert "expected a planning contract without errors as --defaults" in capsys.readouterr().err
