"""Commands that cannot show anything: read as shell, never run.

Owns: what is wrong with a Verify command or a wiring command.
Does not know: the machine they will run on. What a command is, is the grammar's judgement (tree-sitter-bash).
"""

from __future__ import annotations

import re
from functools import cache
from typing import Final

import tree_sitter_bash
from tree_sitter import Language, Node, Parser

from remit.plans.plan import Text
from remit.plans.spectra import names
from remit.plans.spectra.commands import commands_in, reads_as_words
from remit.plans.spectra.placeholders import is_placeholder
from remit.plans.spectra.record import SpectraPlan
from remit.plans.texts import PlanReporter

COMMAND_LENGTH_MAX: Final = 20_000
"""Longer commands are scripts, and are not read."""

_CANNOT_FAIL: Final = frozenset({"true", ":", "echo", "printf"})
_ALWAYS_ENDS_WELL: Final = frozenset({"wc", "cat", "head", "tail", "sort", "tee", "uniq", "tr", "cut", "xxd", "column"})
"""Filters whose status says nothing about the command before them in a pipe."""

_BLANK: Final = re.compile(r"(?<![^\s=/'\"])<[a-z][a-z _-]{0,40}>(?![^\s'\"/])")
"""A value that is to be filled in, such as ``<dir>``; the shell would take it for two redirections."""

_COMMANDS_SHOWN_MAX: Final = 3
_PIPEFAIL: Final = re.compile(r"\bpipefail\b")
_SUCCESS: Final = re.compile(r"(?:exit|return)[ \t]+0")


def check_commands(plan: SpectraPlan, reporter: PlanReporter) -> None:
    """Report commands of Verify and of wiring that cannot be read, or cannot fail."""
    for task in plan.tasks:
        if task.verify is not None and task.verify.text:
            if reads_as_words(task.verify.text):
                _report_words(task.verify, names.VERIFY, reporter)
            else:
                _check(task.verify, names.VERIFY, reporter)
        command = None if task.wiring is None else task.wiring.command
        if command is not None:
            _check_wiring(command, reporter)


def _check_wiring(written: Text, reporter: PlanReporter) -> None:
    """Report what is wrong with each command of a proof of wiring, and words around or instead of them."""
    commands = commands_in(written)
    if not commands.found and not commands.is_alone:
        _report_words(written, names.CLI, reporter)
    elif not commands.is_alone:
        shown = ", ".join(repr(command.text) for command in commands.found[:_COMMANDS_SHOWN_MAX])
        reporter.report(
            "SPECTRA_WIRING_FORM",
            f"expected a command alone behind {names.CLI}, got words around {shown}; nobody checks the words, let the "
            "command fail when they do not hold",
            at=written.at,
        )
    for command in commands.found:
        _check(command, names.CLI, reporter)


def _report_words(written: Text, field: str, reporter: PlanReporter) -> None:
    reporter.report(
        "SPECTRA_COMMAND_WORDS",
        f"expected a command behind {field}, got words: {written.text!r}; write the command that shows it",
        at=written.at,
    )


def _check(command: Text, field: str, reporter: PlanReporter) -> None:
    if is_placeholder(command.text):
        _report_placeholder(command, reporter)
        return
    if len(command.text) > COMMAND_LENGTH_MAX:
        return
    blank = _BLANK.search(command.text)
    if blank is not None:
        start = command.at[0] + blank.start() if "\n" not in command.text else command.at[0]
        _report_placeholder(Text(text=blank.group(), at=(start, start + len(blank.group()))), reporter)
        return
    encoded = command.text.encode()
    root = _parser().parse(encoded).root_node
    if root.has_error:
        place, what = _error(root, encoded)
        reporter.report(
            "SPECTRA_COMMAND_SYNTAX",
            f"expected a command of the shell behind {field}, got one that cannot be read: {what}",
            at=(command.at[0] + place, command.at[1]) if "\n" not in command.text else command.at,
        )
        return
    why = _why_it_cannot_fail(root, encoded)
    if why is not None:
        reporter.report(
            "SPECTRA_COMMAND_CANNOT_FAIL",
            f"expected a command that fails when the task is not done, got one that always ends well: {why}",
            at=command.at,
        )


def _report_placeholder(command: Text, reporter: PlanReporter) -> None:
    reporter.report(
        "SPECTRA_PLACEHOLDER",
        f"expected a command that can be run, got the placeholder {command.text!r}; fill it in",
        at=command.at,
    )


@cache
def _parser() -> Parser:
    return Parser(Language(tree_sitter_bash.language()))


def _error(root: Node, encoded: bytes) -> tuple[int, str]:
    """Return where a command goes wrong, counted in characters, and what is wrong there."""
    node = _first_error(root)
    offset = len(encoded[: node.start_byte].decode(errors="replace"))
    if node.is_missing:
        is_quote = node.type in {'"', "'"}
        return offset, f"a quote {node.type} is never closed" if is_quote else f"{node.type!r} is missing"
    written = encoded[node.start_byte : node.end_byte].decode(errors="replace")
    unbalanced = next((mark for mark in "\"'" if written.count(mark) % 2), None)
    if unbalanced is not None:
        return offset, f"a quote {unbalanced} is never closed"
    return offset, f"{written[:40]!r} does not fit"


def _first_error(node: Node) -> Node:
    """Return the first node that is an error or missing."""
    while not (node.is_error or node.is_missing):
        inner = next((child for child in node.children if child.has_error or child.is_missing), None)
        if inner is None:
            return node
        node = inner
    return node


def _why_it_cannot_fail(root: Node, encoded: bytes) -> str | None:
    """Return why the status of the whole is always 0, or ``None`` if it may fail."""
    commands = [child for child in root.named_children if child.type != "comment"]
    if not commands:
        return "it is a comment"
    written = encoded.decode(errors="replace")
    if _PIPEFAIL.search(written) or any(_stops(child, encoded) for child in commands[:-1]):
        return None
    return _why(commands[-1], encoded)


def _stops(node: Node, encoded: bytes) -> bool:
    """Whether a command before the last may end the script: ``set -e``, ``exit``, and whatever has a body."""
    text = _text(node, encoded)
    return text.startswith(("set -", "exit")) or "exit" in text


def _why(node: Node, encoded: bytes) -> str | None:
    match node.type:
        case "command":
            name = _name(node, encoded)
            if name in _CANNOT_FAIL:
                return f"{name!r} does"
            return f"{_text(node, encoded)!r} does" if _SUCCESS.fullmatch(_text(node, encoded)) else None
        case "list":
            return _why_list(node, encoded)
        case "pipeline":
            last = node.named_children[-1]
            name = _name(last, encoded) if last.type == "command" else ""
            if name in _ALWAYS_ENDS_WELL or name in _CANNOT_FAIL:
                return f"the status of the pipe is that of {name!r}; put 'set -o pipefail;' before it"
            return None
        case "redirected_statement" | "compound_statement" | "subshell":
            inner = [child for child in node.named_children if not child.type.endswith("redirect")]
            return _why(inner[-1], encoded) if inner else None
        case _:
            return None


def _why_list(node: Node, encoded: bytes) -> str | None:
    """Return why ``a || b`` or ``a && b`` cannot fail: ``b`` cannot, and for ``&&`` neither can ``a``."""
    first, last = node.named_children[0], node.named_children[-1]
    operator = next((child.type for child in node.children if child.type in {"&&", "||"}), "")
    why_last = _why(last, encoded)
    if operator == "||" and why_last is not None and "exit" not in _text(first, encoded):
        return f"what stands behind '||' cannot fail: {_text(last, encoded)!r}"
    return why_last if operator == "&&" and why_last is not None and _why(first, encoded) is not None else None


def _name(node: Node, encoded: bytes) -> str:
    name = node.child_by_field_name("name")
    return "" if name is None else _text(name, encoded)


def _text(node: Node, encoded: bytes) -> str:
    return encoded[node.start_byte : node.end_byte].decode(errors="replace")
