"""`remit check` and `remit plan check`: formats, fixes, strictness, and what is no file."""

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest

from remit import bootstrap
from remit.cli.app import run
from remit.errors import SettingsInvalidError

DOCUMENT = "name: fine\nversion: 1.0.0\ndescripton: x\nsteps:\n  - id: a\n    wait: {timer: 1s}\n"
FIXED = DOCUMENT.replace("descripton", "description")
WARNED = FIXED.replace("{timer: 1s}", "{event: shop.paid, timeout: 1d}")
FINDING = "3:1 FIELD_UNKNOWN expected a field of an orchestration, got 'descripton'; did you mean 'description'?\n"


@pytest.fixture
def document(tmp_path: Path) -> Path:
    path = tmp_path / "a.yaml"
    path.write_text(DOCUMENT, encoding="utf-8")
    return path


def give(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """Give a text on standard input."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))


def test_fix_is_written_and_said(document: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """
    `--fix` changes the file, says what it did, and judges what is left; again it changes nothing.
    """
    assert 0 == run(["check", "--fix", str(document)])
    told = capsys.readouterr()
    assert 0 == run(["check", "--fix", str(document)])

    assert FIXED == document.read_text(encoding="utf-8")
    assert f"fixed {document}:3:1 FIELD_UNKNOWN: write description\n{document}: no findings\n" == told.err
    assert f"{document}: no findings\n" == capsys.readouterr().err


def test_check_without_fix_changes_nothing(document: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """
    Without `--fix` a file is only read.
    """
    assert 2 == run(["check", str(document)])

    assert f"{document}:{FINDING}" == capsys.readouterr().out
    assert DOCUMENT == document.read_text(encoding="utf-8")


def test_standard_input_is_checked(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """
    `-` stands for standard input, once however often it is named.
    """
    give(monkeypatch, DOCUMENT)

    assert 2 == run(["check", "-", "-"])
    assert f"<stdin>:{FINDING}" == capsys.readouterr().out


def test_standard_input_cannot_be_fixed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """
    There is no file to write: the command says so instead of checking only.
    """
    give(monkeypatch, DOCUMENT)

    assert 2 == run(["check", "-", "--fix", "--format", "json"])

    told = capsys.readouterr()
    assert "expected files for --fix, got standard input" in told.err
    assert "USAGE_ERROR" == json.loads(told.out)["error"]["code"]


def test_standard_input_is_refused_before_a_file_is_fixed(
    document: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """
    A command that is refused has changed nothing.
    """
    give(monkeypatch, DOCUMENT)

    assert 2 == run(["check", str(document), "-", "--fix"])
    assert DOCUMENT == document.read_text(encoding="utf-8")
    assert "leave --fix out" in capsys.readouterr().err


def test_file_that_cannot_be_fixed_hides_no_other(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """
    One file has fixes and is not UTF-8: it is told and stays as it is, and the others are fixed and told.
    """
    fixable = "# SPECTRA Execution Plan\n\n## Project: Caf\xe9\n## Level: **0**\n"
    first, wrong, last = (tmp_path / f"{name}.md" for name in ("first", "wrong", "last"))
    for path in (first, last):
        path.write_text(fixable, encoding="utf-8")
    wrong.write_bytes(fixable.encode("latin-1"))

    assert 2 == run(["plan", "check", "--fix", "--format", "json", str(first), str(wrong), str(last)])

    told = json.loads(capsys.readouterr().out)
    (unfixed,) = (finding for finding in told["findings"] if finding["code"] == "DOCUMENT_UNFIXED")
    assert str(wrong) == unfixed["path"]
    assert "save the file as UTF-8 before changing it" in unfixed["message"]
    assert fixable.encode("latin-1") == wrong.read_bytes()
    assert {fixable.replace("**0**", "0")} == {path.read_text(encoding="utf-8") for path in (first, last)}
    assert {str(first), str(last)} == {finding["path"] for finding in told["fixed"]}


def test_strict_lets_warnings_block(tmp_path: Path) -> None:
    """
    A warning passes, and fails with `--strict`; a note never fails.
    """
    warned, noted = tmp_path / "a.yaml", tmp_path / "b.yaml"
    warned.write_text(WARNED, encoding="utf-8")
    noted.write_bytes(FIXED.replace("\n", "\r\n").encode())

    assert (0, 2) == (run(["check", str(warned)]), run(["check", str(warned), "--strict"]))
    assert 0 == run(["check", str(noted), "--strict"])


@pytest.mark.parametrize("command", [["check"], ["plan", "check"]], ids=" ".join)
@pytest.mark.parametrize("place", ["before", "after"])
def test_json_has_the_same_keys_from_both_commands(
    command: list[str], place: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """
    The shared `--format json` before a command, and the command's own, give the same.
    """
    path = tmp_path / "a.md"
    path.write_text("Buy milk.\n", encoding="utf-8")
    words = [*command, str(path)]

    assert 2 == run(["--format", "json", *words] if place == "before" else [*words, "--format", "json"])

    data = json.loads(capsys.readouterr().out)
    assert {"files", "errors", "warnings", "omitted", "findings", "fixed"} == data.keys()
    assert [str(path)] == [file["path"] for file in data["files"]]
    assert [False] == [file["valid"] for file in data["files"]]


@pytest.mark.parametrize("command", [["check"], ["plan", "check"]], ids=" ".join)
def test_sarif_names_every_file(command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """
    A log of several files has each as an artifact, one that cannot be read too.
    """
    path = tmp_path / "a.md"
    path.write_text("Buy milk.\n", encoding="utf-8")

    assert 2 == run([*command, str(path), str(tmp_path), "--format", "sarif"])

    log = json.loads(capsys.readouterr().out)["runs"][0]
    assert [path.as_uri(), tmp_path.as_uri()] == [artifact["location"]["uri"] for artifact in log["artifacts"]]
    assert "DOCUMENT_UNREADABLE" in {result["ruleId"] for result in log["results"]}


def test_table_is_text(document: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """
    `table`, the word of other commands for what people read, is understood.
    """
    assert 2 == run(["check", str(document), "--format", "table"])
    assert f"{document}:{FINDING}" == capsys.readouterr().out


def test_unknown_format_is_refused(document: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """
    Another word is an error that names the ones there are.
    """
    assert 2 == run(["check", str(document), "--format", "xml"])
    assert "expected text, json, sarif, github, got 'xml'" in capsys.readouterr().err


def test_many_files_are_counted_in_the_summary(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """
    The last line names up to three files, and counts more.
    """
    paths = [tmp_path / f"{number}.yaml" for number in range(4)]
    for path in paths:
        path.write_text(FIXED, encoding="utf-8")

    assert 0 == run(["check", *map(str, paths)])
    assert "4 files: no findings\n" == capsys.readouterr().err


def test_markdown_is_no_orchestration(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """
    Who hands a plan to the wrong command is told the right one, and nothing about YAML.
    """
    path = tmp_path / "plan.md"
    path.write_text("# Plan\n\n- [ ] *one*: two\n", encoding="utf-8")

    assert 2 == run(["check", str(path)])
    message = "expected an orchestration or a remit file, got Markdown; plans are checked by `remit plan check`"
    assert f"{path}:1:1 DOCUMENT_KIND_UNKNOWN {message}\n" == capsys.readouterr().out


def test_pack_without_its_libraries_keeps_nothing_from_being_checked(
    document: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """
    An installation without the extra of a pack checks documents by the tools that it has, and says what it left out.
    """

    class Announced:
        def load(self) -> Callable[[], NoReturn]:
            def pack() -> NoReturn:
                raise SettingsInvalidError("the shop pack needs stripe; install it with: pip install 'remit[shop]'")

            return pack

    monkeypatch.setattr(bootstrap, "entry_points", lambda group: [Announced()])

    assert 2 == run(["check", str(document)])

    told = capsys.readouterr()
    assert f"{document}:{FINDING}" == told.out
    assert "left out: the shop pack needs stripe; install it with: pip install 'remit[shop]'\n" in told.err
