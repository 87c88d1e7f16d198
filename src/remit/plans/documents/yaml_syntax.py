"""Mistakes of YAML syntax: what they are called, and how reading goes on behind them.

Owns: the words for libyaml's problems, and repairs that keep every offset.
Does not know: the tree. A repaired text is only read for further findings; the document is refused all the same.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import yaml
from yaml.reader import ReaderError

from remit.diagnostics import Reporter

_TAB_INDENT: Final = re.compile(r"^[ ]*\t[ \t]*", re.MULTILINE)
_SURROGATE_ESCAPE: Final = re.compile(r"\\u[dD][89a-fA-F][0-9a-fA-F]{2}|\\U0000[dD][89a-fA-F][0-9a-fA-F]{2}")
_UNQUOTED: Final = re.compile(r"\$\{\{[^\n]*?\}\}")
_FILLER: Final = "_"

# From libyaml's words to ours: what was expected, what to do.
_WORDS: Final = {
    "mapping values are not allowed in this context": (
        "one key on a line, indented like its siblings",
        "quote a text that holds ': '",
    ),
    "block sequence entries are not allowed in this context": ("no list here", "put '- ' on a line of its own"),
    "block mapping entries are not allowed in this context": ("no mapping here", "put the key on a line of its own"),
    "did not find expected key": (
        "a key here",
        "check the indentation of this line, and the quotes and brackets before it",
    ),
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
    "did not find expected alphabetic or numeric character": ("a value", "quote a text that starts with * or &"),
    "found unexpected ':'": ("a text without ':'", "quote the text"),
    "found undefined tag handle": ("a value without tag", "remove the tag, or quote the text"),
    "while parsing a flow node": ("a value", "write one, or null"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One mistake, ready to be reported.

    ``since`` is where libyaml was reading something that began earlier. ``mending`` are the offsets of what may be
    overwritten so that reading can go on; ``replacement`` would put the mistake right.
    """

    code: str
    message: str
    at: tuple[int, int]
    since: int | None = None
    replacement: str | None = None
    mending: tuple[int, int] | None = None
    is_tab: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Complaint:
    """What libyaml says, and the text it says it about."""

    words: str
    where: int
    since: int
    text: str


def problem_of(error: yaml.YAMLError, text: str) -> Problem:
    """Return what libyaml complained about."""
    where, since, words = 0, -1, str(error)
    if isinstance(error, yaml.MarkedYAMLError):
        words = error.problem or error.context or words
        where = where if error.problem_mark is None else error.problem_mark.index
        since = since if error.context_mark is None else error.context_mark.index
    elif isinstance(error, ReaderError):
        words, where = error.reason, error.position
    complaint = _Complaint(words=words, where=where, since=since, text=text)
    found = (recognise(complaint) for recognise in _RECOGNISERS)
    return next((problem for problem in found if problem is not None), None) or _other(complaint)


def report_problem(reporter: Reporter, problem: Problem) -> None:
    """Report one mistake."""
    reporter.report(
        problem.code,
        problem.message,
        at=problem.at,
        related={} if problem.since is None else {"begun here": (problem.since, problem.since + 1)},
        replacement=problem.replacement,
    )


def repaired(text: str, problem: Problem) -> str | None:
    """Return a text of the same length without this mistake, or ``None`` if it cannot be put right alone."""
    if problem.is_tab:
        return _TAB_INDENT.sub(lambda found: found.group().replace("\t", " "), text)
    if problem.mending is None:
        return None
    start, end = problem.mending
    return text[:start] + _FILLER * (end - start) + text[end:]


def report_tabs(reporter: Reporter, *, multiline: list[tuple[int, int]], end: int) -> None:
    """Report every line before ``end`` indented by tabs, except inside texts that go over several lines."""
    contents = iter(sorted(multiline))
    content = next(contents, None)
    for found in _TAB_INDENT.finditer(reporter.source.text, 0, end):
        while content is not None and content[1] <= found.start():
            content = next(contents, None)
        if content is None or not content[0] < found.start():
            tab = reporter.source.text.index("\t", found.start())
            report_problem(reporter, _tab(tab, found.end()))
        if reporter.diagnostics.is_full:
            return


def _tab(start: int, end: int) -> Problem:
    message = "expected spaces for indentation, got a tab; use two spaces a level"
    return Problem(code="TAB_INDENTATION", message=message, at=(start, end), is_tab=True)


def _tab_at(complaint: _Complaint) -> Problem | None:
    text, where = complaint.text, complaint.where
    is_indent = text[where : where + 1] == "\t" and not text[text.rfind("\n", 0, where) + 1 : where].strip(" \t")
    return _tab(where, where + 1) if is_indent else None


def _surrogate(complaint: _Complaint) -> Problem | None:
    # libyaml marks the backslash, or a place right behind it.
    found = _SURROGATE_ESCAPE.search(complaint.text, max(0, complaint.where - 2), complaint.where + 12)
    if found is None or "Unicode" not in complaint.words:
        return None
    return Problem(
        code="SURROGATE_LONE",
        message=f"expected whole characters, got half of one, {found.group()}; "
        "write the character itself, or \\U and eight digits",
        at=found.span(),
        mending=found.span(),
    )


def _placeholder(complaint: _Complaint) -> Problem | None:
    """Recognise an expression without quotes where YAML takes its braces or colons for its own."""
    text, where = complaint.text, complaint.where
    start = text.rfind("${{", text.rfind("\n", 0, where) + 1, where + 2)
    found = None if start < 0 else _UNQUOTED.match(text, start)
    if found is None or not found.start() <= where < found.end():
        return None
    inside = found.group()
    quote = '"' if "'" in inside or '"' not in inside else "'"
    is_whole = text[:start].rstrip(" ")[-1:] in {":", "-", "[", "{", ","}
    is_quotable = is_whole and quote not in inside and "\\" not in inside
    return Problem(
        code="SYNTAX_INVALID",
        message="expected quotes around an expression with braces or ': ' here, got none; put the text in quotes",
        at=found.span(),
        replacement=f"{quote}{inside}{quote}" if is_quotable else None,
        mending=found.span(),
    )


def _escape(complaint: _Complaint) -> Problem | None:
    if complaint.words != "found unknown escape character":
        return None
    start = complaint.text.rfind("\\", 0, complaint.where + 1)
    return None if start < 0 else _other(complaint, mending=(start, min(start + 2, len(complaint.text))))


def _first_character(complaint: _Complaint) -> Problem | None:
    """Recognise a text that begins with a character of YAML's own."""
    start = complaint.where
    if complaint.words == "did not find expected alphabetic or numeric character":
        start = complaint.since
    elif complaint.words != "found character that cannot start any token":
        return None
    if complaint.text[start : start + 1] not in {"%", "@", "`", "*", "&"}:
        return None
    shown = _Complaint(words=complaint.words, where=start, since=start, text=complaint.text)
    return _other(shown, mending=(start, start + 1))


_RECOGNISERS: Final[tuple[Callable[[_Complaint], Problem | None], ...]] = (
    _tab_at,
    _surrogate,
    _placeholder,
    _escape,
    _first_character,
)


def _other(complaint: _Complaint, *, mending: tuple[int, int] | None = None) -> Problem:
    words, where = complaint.words, complaint.where
    expected, remedy = _WORDS.get(words, ("YAML", f"correct the text ({words})"))
    character = complaint.text[where : where + 1]
    return Problem(
        code="SYNTAX_INVALID",
        message=f"expected {expected}, got {repr(character) if character else 'the end of the text'}; {remedy}",
        at=(where, where + 1),
        since=None if complaint.since in {-1, where} else complaint.since,
        mending=mending,
    )
