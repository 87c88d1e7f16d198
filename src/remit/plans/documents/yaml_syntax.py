"""Mistakes of YAML syntax: what they are called, and how reading goes on behind them.

Owns: the words for libyaml's problems, and repairs that keep every offset.
Does not know: the tree. A repaired text is only read for further findings; the document is refused all the same.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

import yaml
from yaml.reader import ReaderError

from remit.diagnostics import Reporter

_TAB_INDENT: Final = re.compile(r"^[ ]*\t[ \t]*", re.MULTILINE)
_SURROGATE_ESCAPE: Final = re.compile(r"\\u[dD][89a-fA-F][0-9a-fA-F]{2}|\\U0000[dD][89a-fA-F][0-9a-fA-F]{2}")

_ANY: Final = "YAML"
# From libyaml's words to ours: what was expected, what to do.
_WORDS: Final = {
    "mapping values are not allowed in this context": (
        "one key on a line, indented like its siblings",
        "quote a text that holds ': '",
    ),
    "block sequence entries are not allowed in this context": ("no list here", "put '- ' on a line of its own"),
    "block mapping entries are not allowed in this context": ("no mapping here", "put the key on a line of its own"),
    "did not find expected key": ("a key here", "check the indentation of this line and the brackets before it"),
    "did not find expected '-' indicator": ("'- ' here, like the items before", "check the indentation of this line"),
    "could not find expected ':'": ("': ' after the key", "write `key: value`, and quote a text over several lines"),
    "did not find expected ',' or ']'": ("',' or ']'", "separate items by commas and close the list"),
    "did not find expected ',' or '}'": ("',' or '}'", "separate entries by commas and close the mapping"),
    "did not find expected node content": ("a value", "write one, or null"),
    "did not find expected <document start>": ("the end of the document", "check the indentation of this line"),
    "found unexpected end of stream": ("a closing quote", "close the string"),
    "found unexpected document indicator": ("a closing quote", "close the string"),
    "found unknown escape character": ("a known escape", "double the backslash, or use single quotes"),
    "found character that cannot start any token": ("a value", "quote a text that starts with this character"),
    "found unexpected ':'": ("a text without ':'", "quote the text"),
    "found undefined tag handle": ("a value without tag", "remove the tag, or quote the text"),
    "while parsing a flow node": ("a value", "write one, or null"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One mistake: ``where`` it was noticed and ``since`` where libyaml was reading something that began earlier."""

    words: str
    where: int
    since: int | None
    character: str
    is_tab: bool
    is_surrogate: bool


def problem_of(error: yaml.YAMLError, text: str) -> Problem:
    """Return what libyaml complained about."""
    where, since, words = 0, None, str(error)
    if isinstance(error, yaml.MarkedYAMLError):
        words = error.problem or error.context or _ANY
        if error.problem_mark is not None:
            where = error.problem_mark.index
        if error.context_mark is not None:
            since = error.context_mark.index
    elif isinstance(error, ReaderError):
        words, where = error.reason, error.position
    character = text[where : where + 1]
    starts_line = not text[text.rfind("\n", 0, where) + 1 : where].strip(" \t")
    return Problem(
        words=words,
        where=where,
        since=since if since != where else None,
        character=character,
        is_tab=character == "\t" and starts_line,
        is_surrogate=_surrogate_near(text, where) is not None and "Unicode" in words,
    )


def report_problem(reporter: Reporter, problem: Problem) -> None:
    """Report one mistake."""
    if problem.is_tab:
        _report_tab(reporter, problem.where, problem.where + 1)
        return
    if problem.is_surrogate:
        found = _surrogate_near(reporter.source.text, problem.where)
        assert found is not None
        reporter.report(
            "SURROGATE_LONE",
            f"expected whole characters, got half of one, {found.group()}; "
            "write the character itself, or \\U and eight digits",
            at=found.span(),
        )
        return
    expected, remedy = _WORDS.get(problem.words, (_ANY, f"correct the text ({problem.words})"))
    got = repr(problem.character) if problem.character else "the end of the text"
    related = {} if problem.since is None else {"begun here": (problem.since, problem.since + 1)}
    reporter.report(
        "SYNTAX_INVALID",
        f"expected {expected}, got {got}; {remedy}",
        at=(problem.where, problem.where + 1),
        related=related,
    )


def repaired(text: str, problem: Problem) -> str | None:
    """Return a text of the same length without this mistake, or ``None`` if it cannot be put right alone."""
    if problem.is_tab:
        return _TAB_INDENT.sub(lambda found: found.group().replace("\t", " "), text)
    if problem.is_surrogate:
        found = _surrogate_near(text, problem.where)
        assert found is not None
        start, end = found.span()
        return text[:start] + "?" * (end - start) + text[end:]
    if problem.words == "found unknown escape character":
        start = text.rfind("\\", 0, problem.where + 1)
        return f"{text[:start]}??{text[start + 2 :]}" if start >= 0 and start + 2 <= len(text) else None
    return None


def report_tabs(reporter: Reporter, *, multiline: list[tuple[int, int]], end: int) -> None:
    """Report every line before ``end`` indented by tabs, except inside texts that go over several lines."""
    contents = iter(sorted(multiline))
    content = next(contents, None)
    for found in _TAB_INDENT.finditer(reporter.source.text, 0, end):
        while content is not None and content[1] <= found.start():
            content = next(contents, None)
        if content is None or not content[0] < found.start():
            tab = reporter.source.text.index("\t", found.start())
            _report_tab(reporter, tab, found.end())
        if reporter.diagnostics.is_full:
            return


def _report_tab(reporter: Reporter, start: int, end: int) -> None:
    reporter.report(
        "TAB_INDENTATION", "expected spaces for indentation, got a tab; use two spaces a level", at=(start, end)
    )


def _surrogate_near(text: str, where: int) -> re.Match[str] | None:
    """Return the escape that libyaml stopped at: it marks the backslash or a place right behind it."""
    return _SURROGATE_ESCAPE.search(text, max(0, where - 2), where + 12)
