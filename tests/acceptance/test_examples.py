"""The examples run, and `init` writes them."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from remit.cli.app import COMMANDS
from tests.acceptance.processes import ROOT, Home, wait_until

EXAMPLE = ROOT / "examples" / "first_tool"


@pytest.fixture
def folder(home: Home) -> Path:
    """What `init` wrote, in the home."""
    said = home.must("init", "starter")
    assert {"README.md", "hello.yaml", "remit.yaml", "tools.py"} == set(said["files"])
    return home.folder / "starter"


def test_init_writes_the_first_example(folder: Path, home: Home) -> None:
    """
    The starter is the example, byte for byte; existing files are never changed.
    """
    again = home.remit("init", "starter")

    for path in EXAMPLE.iterdir():
        if path.is_file():
            assert path.read_bytes() == (folder / path.name).read_bytes(), path.name
    assert 2 == again.exit_code


def test_first_tool_runs_in_one_process(home: Home, folder: Path) -> None:
    """
    `python tools.py` is the whole program: a tool, a kernel, a completed run.
    """
    done = subprocess.run(
        [sys.executable, "tools.py"], cwd=folder, env=home.all_environment(), capture_output=True, text=True, check=True
    )

    assert "posted to Ada: Hello, Ada!" in done.stdout
    assert done.stdout.rstrip().endswith("completed")


def test_commands_of_the_readme_work(home: Home, folder: Path) -> None:
    """
    Check, run, approve as somebody else, let a worker finish, look at receipts and replay: as the page says.
    """
    home.folder = folder
    words = ("--tools", "tools.py")
    assert 0 == home.remit("check", "hello.yaml", "remit.yaml", *words).exit_code
    text = '{"name": "Ada", "audience": "everyone"}'

    run = home.must("run", "hello.yaml", "--remit", "remit.yaml", *words, "--input", text)
    approval = home.must("approvals", "list")["approvals"][0]
    own = home.remit("approvals", "approve", approval["approval_id"][:8])
    decided = home.must("approvals", "approve", approval["approval_id"][:8], "--as", "approver")
    home.start("worker", *words)

    assert ("waiting", 2, "approved") == (run["status"], own.exit_code, decided["status"])
    wait_until(lambda: True if home.must("runs", "show", run["run_id"])["status"] == "completed" else None)
    assert 1 == len(home.must("runs", "receipts", run["run_id"])["receipts"])
    assert home.must("runs", "replay", run["run_id"])["verified"]


def test_example_of_the_readme_runs(home: Home) -> None:
    """
    The three files that the README shows are complete: they check, wait for the approver, and complete.
    """
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for name, content in re.findall(r"```\w+\n# ([\w.]+)[^\n]*\n(.*?)```", text, flags=re.DOTALL):
        home.write(name, content)
    words = ("--tools", "tools.py")

    assert 0 == home.remit("check", "hello.yaml", "remit.yaml", *words).exit_code
    run = home.must("run", "hello.yaml", "--remit", "remit.yaml", *words, "--input", '{"to": "everyone"}')
    approval = home.must("approvals", "list")["approvals"][0]
    assert 2 == home.remit("approvals", "approve", approval["approval_id"]).exit_code
    home.must("approvals", "approve", approval["approval_id"], "--as", "approver")
    home.start("worker", *words)

    wait_until(lambda: True if home.must("runs", "show", run["run_id"])["status"] == "completed" else None)
    assert home.must("runs", "replay", run["run_id"])["verified"]


def test_reference_names_every_command() -> None:
    """
    The page of commands has each command and each verb, and no other.
    """
    page = (ROOT / "docs" / "reference" / "cli.md").read_text(encoding="utf-8")

    missing = [noun for noun in COMMANDS if f"`remit {noun}" not in page]

    assert [] == missing
    assert set() == set(re.findall(r"`remit ([a-z]+)", page)) - set(COMMANDS)
