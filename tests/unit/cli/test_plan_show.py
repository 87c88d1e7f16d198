"""``remit plan show``: which form goes where."""

from __future__ import annotations

import errno
import json
import sys
from collections.abc import Mapping
from io import BytesIO, StringIO, TextIOWrapper
from pathlib import Path

import pytest
from rich.cells import cell_len
from rich.console import Console

from remit.cli.app import run
from remit.cli.plan_show import print_tree
from remit.plans import formats
from remit.plans.formats import Front
from remit.plans.options import PlanOptions
from remit.plans.plan import Plan, PlanFormat
from remit.plans.texts import PlanReporter, PlanText
from tests.unit.plans.showing.plans import payments, random_plan, view_of


@pytest.fixture
def plan_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a file whose format is read as the payments plan, with a finding on its first line."""

    def read(text: PlanText, reporter: PlanReporter, options: PlanOptions) -> Plan:
        reporter.report("FIELD_UNKNOWN", "expected a title", at=(0, 1))
        return payments()

    fronts: Mapping[PlanFormat, Front] = {
        PlanFormat.SPECTRA: Front(format=PlanFormat.SPECTRA, likeness=lambda text: int("#" in text.text), read=read)
    }
    monkeypatch.setattr(formats, "FRONTS", fronts)
    path = tmp_path / "plan.md"
    path.write_text("# Plan\n")
    return path


def test_tree_is_the_default(plan_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """
    Without words the tree is printed, without colour where nobody sees it, and findings are counted beside it.
    """
    assert 0 == run(["plan", "show", str(plan_file)])

    said = capsys.readouterr()
    assert said.out.startswith("Payments audit\n")
    assert "\x1b" not in said.out
    assert f"{plan_file}: 1 error, 2 warnings, 4 notes\n" == said.err


@pytest.mark.parametrize(
    ("name", "beginning"), [("svg", "<svg "), ("html", "<!doctype html>"), ("json", "{"), ("tree", "Payments audit")]
)
def test_form_is_printed(name: str, beginning: str, plan_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """
    `--format` names the form; standard output holds it alone.
    """
    assert 0 == run(["plan", "show", str(plan_file), "--format", name])

    assert capsys.readouterr().out.startswith(beginning)


def test_json_of_all_commands_is_json_here(plan_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """
    `--format json` before the command means the same as after it.
    """
    assert 0 == run(["--format", "json", "plan", "show", str(plan_file)])

    assert 5 == len(json.loads(capsys.readouterr().out)["plan"]["tasks"])


def test_name_of_output_tells_the_form(plan_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """
    A file that ends in `.html` holds the page; standard output stays empty.
    """
    output = tmp_path / "plan.html"

    assert 0 == run(["plan", "show", str(plan_file), "--output", str(output)])

    assert output.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert "" == capsys.readouterr().out


def test_output_that_cannot_be_written_is_said(plan_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """
    A folder that does not exist is the caller's fault.
    """
    assert 2 == run(["plan", "show", str(plan_file), "--output", str(plan_file.parent / "no" / "plan.svg")])

    assert "expected a file that can be written" in capsys.readouterr().err


def test_name_of_output_that_tells_no_form_is_refused(plan_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """
    A misspelt `.html` gives no file that nobody asked for; with `--format` any name will do.
    """
    output = plan_file.with_name("plan.htlm")

    assert 2 == run(["plan", "show", str(plan_file), "--output", str(output)])
    assert "expected a name that ends in .svg, .html, .json or .txt" in capsys.readouterr().err
    assert not output.exists()
    assert 0 == run(["plan", "show", str(plan_file), "--output", str(output), "--format", "html"])


def test_document_is_never_written_over(plan_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """
    The plan itself as `--output`, by whatever name, is a mistake.
    """
    link = plan_file.with_name("plan.txt")
    link.symlink_to(plan_file)

    assert 2 == run(["plan", "show", str(plan_file), "--output", str(link)])

    assert "expected another file than the document itself" in capsys.readouterr().err
    assert "# Plan\n" == plan_file.read_text()


@pytest.mark.parametrize("command", ["show", "convert", "compile"])
def test_standard_input_is_a_plan(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """
    `-` is standard input for every command that takes a plan, and findings name it alike.
    """
    monkeypatch.setattr(sys, "stdin", TextIOWrapper(BytesIO(b"# SPECTRA Execution Plan\n\n## Level: 9\n")))

    run(["plan", command, "-"])

    assert "<stdin>" in capsys.readouterr().err


def test_full_disk_is_no_fault_of_ours(
    plan_file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """
    Standard output without room is told as such, with the exit code of the world's faults.
    """

    class Full(StringIO):
        def write(self, text: str) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(sys, "stdout", Full())

    assert 3 == run(["plan", "show", str(plan_file), "--format", "json"])
    assert "expected room to write, got: No space left on device" in capsys.readouterr().err


def test_file_that_is_no_plan_is_not_shown(plan_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """
    What cannot be read is told as findings; nothing is shown.
    """
    plan_file.write_text("nothing\n")

    assert 2 == run(["plan", "show", str(plan_file)])

    said = capsys.readouterr()
    assert "" == said.out
    assert "PLAN_FORMAT_UNKNOWN" in said.err


def test_titles_are_not_as_dim_as_the_frame() -> None:
    """
    The look of the lines that are drawn around a tree ends with them.
    """
    written = StringIO()
    console = Console(file=written, force_terminal=True, color_system="standard", width=100, highlight=False)
    print_tree(view_of(payments()), console)

    (line,) = (line for line in written.getvalue().splitlines() if "Emit events" in line)
    assert "\x1b[0m  Emit events\x1b[" in line.replace("\x1b[0m\x1b[0m", "\x1b[0m")


@pytest.mark.parametrize("width", [40, 80])
def test_lines_are_broken_to_a_terminal(width: int) -> None:
    """
    On a terminal no line is wider than it is, and what follows stands under what it belongs to.
    """
    written = StringIO()
    console = Console(
        file=written, record=True, force_terminal=True, width=width, highlight=False, markup=False, emoji=False
    )
    print_tree(view_of(random_plan(40, phase_count=3)), console)
    lines = console.export_text().splitlines()

    assert "\x1b[" in written.getvalue()
    assert [] == [line for line in lines if cell_len(line) > width]
    assert {"├", "└", "│"} <= {line[:1] for line in lines}
