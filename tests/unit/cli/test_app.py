"""The table of commands, shared options and exit codes."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, Any

import pytest
import typer

from remit import errors
from remit.cli.app import COMMANDS, app, run
from remit.cli.failures import exit_code_of
from remit.cli.options import PREFIX, Noun, Options


def all_commands() -> list[tuple[str, Any]]:
    """Return every command with the words that lead to it."""
    root = typer.main.get_command(app)
    context = typer.Context(root)
    found: list[tuple[str, Any]] = []
    for noun in COMMANDS:
        command: Any = root.get_command(context, noun)  # type: ignore[attr-defined] # the root is a group
        verbs = getattr(command, "commands", None)
        found += [(noun, command)] if verbs is None else [(f"{noun} {name}", one) for name, one in verbs.items()]
    return found


def test_every_command_takes_the_shared_options() -> None:
    """
    --format, --as, --tenant, --data-dir and --tools stand after any command.
    """
    shared = {"--format", "--as", "--tenant", "--data-dir", "--tools"}
    for words, command in all_commands():
        options = {option for param in command.params for option in getattr(param, "opts", [])}
        assert shared <= options, words


def test_no_parameter_shares_its_name_with_another() -> None:
    """
    Two parameters of one name would get each other's value; shared ones therefore have a prefix.
    """
    for words, command in all_commands():
        names = [param.name for param in command.params]
        assert len(set(names)) == len(names), words
        assert [] == [name for name in names if name == PREFIX]


@pytest.mark.parametrize("noun", COMMANDS)
def test_help_of_every_command_is_printed(noun: str, capsys: pytest.CaptureFixture[str]) -> None:
    """
    Each command explains itself, within a hundred columns.
    """
    assert 0 == run([noun, "--help"])

    text = capsys.readouterr().out
    assert text.startswith(f"Usage: remit {noun} ")
    assert [] == [line for line in text.splitlines() if len(line) > 100]


def test_options_may_stand_before_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    """
    `remit --format json tools list` is `remit tools list --format json`.
    """
    run(["--format", "json", "tools", "list"])
    before = capsys.readouterr().out
    run(["tools", "list", "--format", "json"])

    assert before == capsys.readouterr().out
    assert before.startswith("{")


@pytest.mark.parametrize(
    ("error", "exit_code"),
    [
        (errors.NotFoundError("a"), 2),
        (errors.DefinitionInvalidError("a"), 2),
        (errors.StoreUnavailableError("a"), 3),
        (errors.ToolError("a"), 3),
        (errors.JournalCorruptError("a"), 4),
        (ZeroDivisionError("a"), 4),
    ],
)
def test_exit_codes_follow_the_families(error: Exception, exit_code: int) -> None:
    """
    2 is the caller's fault, 3 the world's, 4 ours.
    """
    assert exit_code == exit_code_of(error)


def test_command_may_know_more_formats_than_others() -> None:
    """
    A command that declares a shared option itself has that one alone, and keeps the rest.
    """
    noun = Noun("Try.")

    @noun.verb("one")
    def one(*, form: Annotated[str | None, typer.Option("--format")] = None) -> str | None:
        return form

    command: Any = typer.main.get_command(noun.app).commands["one"]  # type: ignore[attr-defined] # a group
    options = [option for param in command.params for option in param.opts]

    assert 1 == options.count("--format")
    assert "--tenant" in options
    assert "svg" == command.main(["--format", "svg"], standalone_mode=False, obj=Options())


@pytest.mark.parametrize(("words", "expected"), [(["plan", "check"], 2), (["plan", "schema"], 0)])
def test_reader_who_has_seen_enough_changes_no_exit_code(
    words: list[str], expected: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    `| head` ends what is printed: what was found still blocks, and everything else went well.
    """
    path = tmp_path / "plan.md"
    path.write_text("# SPECTRA Execution Plan\n\n## Level: 9\n", encoding="utf-8")
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w", encoding="utf-8") as gone:
        monkeypatch.setattr(sys, "stdout", gone)

        assert expected == run([*words, str(path) if expected else "shown-plan"])
