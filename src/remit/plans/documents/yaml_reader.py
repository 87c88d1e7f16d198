"""YAML to a tree: the part of YAML 1.2 that means one thing only.

Owns: which YAML is accepted, and how plain scalars are resolved (the core schema of YAML 1.2).
Does not know: the fields of any document.

libyaml supplies events; nothing is ever constructed from tags, and nesting is bounded before anything is built.
Anchors, aliases, tags, merge keys, several documents, duplicate and non-string keys are refused, each with its place,
and reading goes on behind them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, Final

import yaml
from yaml._yaml import CParser

from remit.diagnostics import Diagnostics, Reporter, Source
from remit.plans.documents.building import TreeBuilder
from remit.plans.documents.decoding import VALUES_MAX
from remit.plans.documents.numbers import Unfit, integer, real
from remit.plans.documents.tree import PLAIN, Document, Invalid, Scalar, shorten
from remit.plans.documents.yaml_syntax import Problem, problem_of, repaired, report_problem, report_tabs

REPAIRS_MAX: Final = 20
READ_CHARACTERS_MAX: Final = 600_000
"""After a mistake that can be put right the text is read again: so often, while all readings stay below this."""

_NULLS: Final = frozenset({"", "~", "null", "Null", "NULL"})
_BOOLEANS: Final = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INTEGER: Final = re.compile(r"[-+]?[0-9]+")
_PREFIXED: Final = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT: Final = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_NOT_FINITE: Final = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)|[-+]?(?:NaN|Infinity)")
_MAYBE_NUMBER: Final = frozenset("-+.0123456789NI")
_LEADING_ZERO: Final = re.compile(r"[-+]?0[0-9]+")


def read_yaml(source: Source, diagnostics: Diagnostics) -> Document:
    """Return the tree of a YAML text; everything wrong with it is reported."""
    reporter = Reporter(source, diagnostics)
    text, has_tabs, end = source.text, False, len(source.text)
    found = Diagnostics()
    events = _Events(Reporter(source, found))
    for is_last in _readings(text):
        found = Diagnostics()
        events = _Events(Reporter(source, found))
        problem = events.read(text)
        if problem is None:
            break
        has_tabs = has_tabs or problem.is_tab
        better = None if is_last else repaired(text, problem)
        if better is None or not problem.is_tab:
            report_problem(reporter, problem)
        if better is None:
            events.tree.stopped, end = True, problem.at[0]
            break
        text = better
    diagnostics.extend(found)
    if has_tabs:
        report_tabs(reporter, multiline=events.multiline, end=end)
    return Document(source=source, root=events.tree.finish(len(source.text)), is_complete=not events.tree.stopped)


def resolve_plain(text: str) -> str | int | float | bool | Unfit | None:
    """Return what a plain scalar means in the core schema of YAML 1.2, or `Unfit` for a number that JSON cannot carry.

    ``no`` and ``on`` are strings, ``012`` is 12, ``12:30:00`` and dates are strings.
    """
    if text in _NULLS:
        return None
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    return _resolve_number(text) if text[0] in _MAYBE_NUMBER else text


def _resolve_number(text: str) -> str | int | float | Unfit:
    if _INTEGER.fullmatch(text):
        return integer(text)
    if _PREFIXED.fullmatch(text):
        return integer(text[2:], base=8 if text[1] == "o" else 16)
    if _FLOAT.fullmatch(text):
        return real(text)
    if _NOT_FINITE.fullmatch(text):
        return Unfit(
            "NUMBER_NOT_FINITE", f"expected a finite number, got {text}; leave it out, or quote it if it is a text"
        )
    return text


def _readings(text: str) -> Iterator[bool]:
    """Yield for each reading that the text's size allows whether it is the last."""
    count = max(1, min(REPAIRS_MAX, READ_CHARACTERS_MAX // max(len(text), 1)))
    for number in range(1, count + 1):
        yield number == count


class _Events:
    """Takes the events of one reading.

    ``multiline`` holds the places of scalars that go over several lines: their tabs are content.
    """

    def __init__(self, reporter: Reporter) -> None:
        self._report = reporter.report
        self._source = reporter.source
        self._document_count = 0
        self.tree = TreeBuilder(reporter, values_max=VALUES_MAX)
        self.multiline: list[tuple[int, int]] = []

    def read(self, text: str) -> Problem | None:
        """Read all events of the text, which has the length of the source's; return the mistake that ended it."""
        parser = CParser(text)
        try:
            while not self.tree.stopped and (event := parser.get_event()) is not None:
                handler = _HANDLERS.get(type(event))
                if handler is not None:
                    handler(self, event)
        except yaml.YAMLError as error:
            return problem_of(error, text)
        return None

    def document(self, event: yaml.DocumentStartEvent) -> None:
        self._document_count += 1
        start, end = _place(event)
        if self._document_count > 1:
            self._report(
                "YAML_MULTIPLE_DOCUMENTS",
                "expected one document, got a second one after `---`; move it to a file of its own",
                at=(start, start + 3),
            )
            self.tree.stopped = True
        if event.tags or (event.version is not None and event.version != (1, 2)):
            self._report(
                "YAML_DIRECTIVE",
                "expected no directive other than %YAML 1.2; remove it (files are read as YAML 1.2)",
                at=(start, end),
            )

    def scalar(self, event: yaml.ScalarEvent) -> None:
        start, end = _place(event)
        self._refuse_anchor(event, start)
        if "\n" in self._source.text[start:end]:
            self.multiline.append((start, end))
        if event.tag is not None or not any(event.implicit):
            self._refuse_tag(event.tag, start)
            self.tree.add(Invalid(start=start, end=end))
        elif event.style:
            self.tree.add(Scalar(value=event.value, start=start, end=end, style=event.style))
        elif event.value == "<<" and self.tree.expects_key:
            self._report(
                "YAML_MERGE_KEY", "expected a key, got the merge key <<; write the merged keys out", at=(start, end)
            )
            self.tree.add(Invalid(start=start, end=end))
        else:
            self._plain(event.value, start, end)

    def alias(self, event: yaml.AliasEvent) -> None:
        start, end = _place(event)
        self._report(
            "YAML_ALIAS",
            f"expected the value itself, got the alias *{event.anchor}; write the value out",
            at=(start, end),
        )
        self.tree.add(Invalid(start=start, end=end))

    def collection_start(self, event: yaml.CollectionStartEvent) -> None:
        start, _ = _place(event)
        self._refuse_anchor(event, start)
        if event.tag is not None:
            self._refuse_tag(event.tag, start)
        self.tree.open(start, is_mapping=isinstance(event, yaml.MappingStartEvent))

    def collection_end(self, event: yaml.CollectionEndEvent) -> None:
        self.tree.close(_place(event)[1])

    def _plain(self, text: str, start: int, end: int) -> None:
        value = resolve_plain(text)
        if isinstance(value, Unfit):
            self._report(value.code, value.message, at=(start, end))
            self.tree.add(Invalid(start=start, end=end))
            return
        if isinstance(value, int) and _LEADING_ZERO.fullmatch(text):
            self._report(
                "NUMBER_AMBIGUOUS",
                f"expected a number without leading zeros, got {text}, which is {value} here and octal elsewhere; "
                "remove the zeros, or quote it if it is a text",
                at=(start, end),
            )
        self.tree.add(Scalar(value=value, start=start, end=end, style=PLAIN))

    def _refuse_anchor(self, event: yaml.NodeEvent, start: int) -> None:
        if event.anchor is not None:
            self._report(
                "YAML_ANCHOR",
                f"expected a value without anchor, got &{event.anchor}; remove it",
                at=(start, start + len(event.anchor) + 1),
            )

    def _refuse_tag(self, tag: str | None, start: int) -> None:
        shown = (tag or "!").replace("tag:yaml.org,2002:", "!!")
        self._report(
            "YAML_TAG",
            f"expected a value without tag, got {shorten(shown)}; remove it, and quote the value if it is a text",
            at=(start, start + 1),
        )


_HANDLERS: Final[dict[type, Callable[[_Events, Any], None]]] = {
    yaml.DocumentStartEvent: _Events.document,
    yaml.ScalarEvent: _Events.scalar,
    yaml.AliasEvent: _Events.alias,
    yaml.MappingStartEvent: _Events.collection_start,
    yaml.SequenceStartEvent: _Events.collection_start,
    yaml.MappingEndEvent: _Events.collection_end,
    yaml.SequenceEndEvent: _Events.collection_end,
}


def _place(event: yaml.Event) -> tuple[int, int]:
    assert event.start_mark is not None
    assert event.end_mark is not None
    return event.start_mark.index, event.end_mark.index
