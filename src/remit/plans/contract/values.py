"""Values of contracts: from the nodes of a tree to what the records hold, with a finding for every other form.

Owns: which forms beside the canonical one are read (a list as text with commas, a boolean or number as text, another
case of a word), and the words of the findings about them.
Does not know: which fields there are. After a finding a value stands for what was certainly meant, or for nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from typing import Final, TypeVar

from remit.diagnostics import Reporter
from remit.governance.suggestions import did_you_mean
from remit.plans.contract.forms import (
    alternatives,
    empty,
    folded,
    report_placeholder,
    says_nothing,
    separated,
    text_of,
    told,
    whole,
    written_like,
)
from remit.plans.contract.placeholders import is_choice, placeholder_in
from remit.plans.contract.words import FILES_MAX
from remit.plans.documents import Invalid, Mapping, Node, Scalar, Sequence, describe, shorten
from remit.plans.documents.tree import PLAIN
from remit.plans.fields import Fields, FieldTable, field_name, fields_of, nearest_field, place
from remit.plans.plan import Place, Reference, Text

ENTRIES_MAX: Final = 50_000
"""Most entries of a list that are read: 5 MB of sound tasks have half of that, 5 MB of brackets a million."""

Word = TypeVar("Word", bound=str)

_DIGITS: Final = re.compile(r"([0-9]{1,15})(?:\s{0,3}files?)?", re.IGNORECASE)
_TRUTHS: Final = {"true": True, "false": False}
_OTHER_TRUTHS: Final = {**_TRUTHS, "yes": True, "no": False, "on": True, "off": False}
_MEANT: Final = {
    "dev": "developer", "engineer": "developer", "builder": "developer", "coder": "developer", "tester": "qa",
    "test": "qa", "planning": "planner", "med": "medium", "moderate": "medium", "severe": "critical",
    "minor": "low", "major": "high",
}  # fmt: skip
"""What other words for a role or class most likely mean; it is asked, not read so."""


class Values:
    """The values of one mapping."""

    def __init__(self, fields: Fields) -> None:
        self.fields = fields
        self.reporter = fields.reporter
        self.at: Place = (fields.mapping.start, fields.mapping.end)
        self._misspelt: set[str | None] = set()
        self._needed: set[str] = set()
        self._look_at_names()

    def text(self, name: str) -> str:
        """Return a text; ``""`` if there is none, having said why unless the field is not there."""
        node = self.fields.node(name)
        return "" if node is None else text_of(self.reporter, node, what=name)

    def texts(self, name: str) -> tuple[Text, ...]:
        """Return a list of texts. A single text is read as a list of one, and said to be none."""
        return self._list(name, whole)

    def comma_texts(self, name: str) -> tuple[Text, ...]:
        """Return a list of texts. A text is read as a list with commas, which some write, and said to be one."""
        return self._list(name, separated)

    def comma_references(self, name: str) -> tuple[Reference, ...]:
        """Return a list of ids, read like ``comma_texts``."""
        return tuple(self._reference(text) for text in self.comma_texts(name))

    def one_or_more(self, name: str, *, singular: str) -> tuple[Text, ...]:
        """Return a list of texts, read like ``comma_texts``, that under a name of its own may be a single text."""
        node = self.fields.node(name)
        entry = self.fields.mapping.entries.get(singular)
        if entry is None or entry.value is not node or not isinstance(node, Scalar) or not isinstance(node.value, str):
            return self.comma_texts(name)
        text = text_of(self.reporter, node, what=name)
        self.reporter.report(
            "CONTRACT_FIELD_ALIAS",
            f"expected the list {name!r}, got {singular!r} with one text, which is read as it; write {name!r}",
            at=(entry.key.start, node.end),
            replacement=f"{json.dumps(name)}: {json.dumps([text], ensure_ascii=False)}" if text else None,
        )
        return (Text(text=text, at=place(node)),) if text else ()

    def choice(self, name: str, options: tuple[Word, ...]) -> Word | None:
        """Return one of several words."""
        node = self.fields.node(name)
        if node is None or isinstance(node, Invalid):
            return None
        value = node.value if isinstance(node, Scalar) else None
        if not isinstance(value, str):
            self._wrong(node, name, alternatives(options))
            return None
        exact = next((option for option in options if option == value), None)
        if exact is not None:
            return exact
        if is_choice(value, tuple(options)) or placeholder_in(value):
            report_placeholder(self.reporter, node, value, what=name)
            return None
        near = next((option for option in options if folded(option) == folded(value)), None)
        if near is not None:
            report_spelling(self, name, value, near)
            return near
        meant = _MEANT.get(value.strip().lower(), "")
        near_word = did_you_mean(value.strip().lower(), [str(option) for option in options]) or "; choose one"
        hint = f"; did you mean {meant!r}?" if meant in options else near_word
        self.reporter.report(
            "VALUE_INVALID", f"expected {alternatives(options)} for {name}, got {shorten(value)}{hint}", at=place(node)
        )
        return None

    def files_max(self, name: str) -> int | None:
        """Return a diff boundary: a whole number of files, at least one."""
        node = self.fields.node(name)
        if node is None or isinstance(node, Invalid):
            return None
        value = node.value if isinstance(node, Scalar) else None
        match value:
            case bool() | None:
                self._wrong(node, name, "a whole number of files")
                return None
            case int():
                return self._positive(node, name, value)
            case float():
                return self._fraction(node, name, value)
            case str():
                return self._number_text(node, name, value)

    def truth(self, name: str) -> bool | None:
        """Return true or false."""
        node = self.fields.node(name)
        value = node.value if isinstance(node, Scalar) else None
        if node is None or isinstance(value, bool):
            return value if isinstance(value, bool) else None
        meant = _OTHER_TRUTHS.get(value.strip().lower()) if isinstance(value, str) else None
        if meant is not None:
            self.reporter.report(
                "CONTRACT_BOOLEAN_TEXT",
                f"expected true or false for {name}, got {describe(node)}; write {json.dumps(meant)}, without quotes",
                at=place(node),
                replacement=json.dumps(meant),
            )
        elif isinstance(value, str) and (placeholder_in(value) or is_choice(value, tuple(_TRUTHS))):
            report_placeholder(self.reporter, node, value, what=name)
        else:
            self._wrong(node, name, "true or false")
        return meant

    def nested(self, name: str, table: FieldTable) -> Values | None:
        """Return the values of a mapping inside this one; ``None`` if there is none, having said why."""
        if not self._is_there(name):
            return None
        node = self.fields.node(name)
        found = None if node is None else fields_of(self.reporter, node, table)
        return None if found is None else Values(found)

    def each(self, name: str, table: FieldTable) -> tuple[Values, ...]:
        """Return the values of the mappings in a list; there must be the list, and one of them."""
        if not self._is_there(name):
            return ()
        node = self.fields.node(name)
        if isinstance(node, Mapping):
            self._wrong(node, name, "a list", remedy=f"write [ ] with {table.what} in {{ }} for each")
            return ()
        items = self.fields.items(name)
        if items == ():
            self._report_empty(name)
        found = (fields_of(self.reporter, item, table) for item in self._few(name, items or ()))
        return tuple(Values(fields) for fields in found if fields is not None)

    def is_misspelt(self, name: str) -> bool:
        """Whether an unknown field is most likely meant to be this one, which is said."""
        return name in self._misspelt

    def require(self, *names: str) -> None:
        """Report each field that must be there and is not."""
        for name in names:
            self._is_there(name)

    def require_some(self, name: str) -> None:
        """Report a list that is not there or holds nothing; a text such as ``none`` is reported when it is read."""
        self._needed.add(name)
        node = self.fields.node(name)
        if self._is_there(name) and isinstance(node, Sequence) and not node.items:
            self._report_empty(name)

    def _report_empty(self, name: str, *, got: str = "an empty list") -> None:
        self.reporter.report(
            "VALUE_INVALID",
            f"expected at least one entry in {name}, got {got}; write one",
            at=self.fields.value_place(name),
        )

    def _reference(self, text: Text) -> Reference:
        start, end = text.at
        # Without its quotes an id can be replaced by another.
        is_quoted = end - start == len(text.text) + 2
        return Reference(id=text.text, at=(start + 1, end - 1) if is_quoted else text.at)

    def _few(self, name: str, items: tuple[Node, ...]) -> tuple[Node, ...]:
        if len(items) > ENTRIES_MAX:
            self.reporter.report(
                "LIMIT_EXCEEDED",
                f"expected at most {ENTRIES_MAX} entries in {name}, got {len(items)}; the rest is not read: split it",
                at=place(items[ENTRIES_MAX]),
            )
        return items[:ENTRIES_MAX]

    def _is_there(self, name: str) -> bool:
        return not self.is_misspelt(name) and self.fields.require(name)

    def _list(self, name: str, split: Callable[[Reporter, Scalar, str], Iterable[Text]]) -> tuple[Text, ...]:
        node = self.fields.node(name)
        if node is None or isinstance(node, Invalid):
            return ()
        if isinstance(node, Sequence):
            found = ((text_of(self.reporter, item, what=name), place(item)) for item in self._few(name, node.items))
            return tuple(Text(text=text, at=at) for text, at in found if text)
        if not isinstance(node, Scalar) or not isinstance(node.value, str):
            self._wrong(node, name, "a list of texts")
            return ()
        if not node.value.strip():
            self.reporter.report(
                "VALUE_INVALID",
                f"expected a list for {name}, got an empty text; write [ ] and what is in it",
                at=place(node),
            )
            return ()
        if says_nothing(node.value) and name in self._needed:
            self._report_empty(name, got=describe(node))
            return ()
        if says_nothing(node.value):
            return empty(self.reporter, node, name)
        if told(self.reporter, node, node.value, what=name):
            return ()
        return tuple(split(self.reporter, node, name))

    def _positive(self, node: Node, name: str, value: int) -> int | None:
        if 1 <= value <= FILES_MAX:
            return value
        self.reporter.report(
            "VALUE_INVALID",
            f"expected a number of files from 1 to {FILES_MAX} for {name}, got {value}; say how many files may change",
            at=place(node),
        )
        return None

    def _fraction(self, node: Node, name: str, value: float) -> int | None:
        if not value.is_integer():
            self.reporter.report(
                "TYPE_WRONG",
                f"expected a whole number of files for {name}, got {value}; a file changes or does not: round it",
                at=place(node),
            )
            return None
        self.reporter.report(
            "CONTRACT_NUMBER_FORM",
            f"expected a whole number for {name}, got {value}; write {int(value)}",
            at=place(node),
            replacement=str(int(value)),
        )
        return self._positive(node, name, int(value))

    def _number_text(self, node: Node, name: str, value: str) -> int | None:
        if told(self.reporter, node, value, what=name):
            return None
        digits = _DIGITS.fullmatch(value.strip())
        number = None if digits is None else int(digits[1])
        remedy = "say how many files may change" if number is None else f"write {number} alone, without quotes"
        self.reporter.report(
            "TYPE_WRONG",
            f"expected a whole number of files for {name}, got {describe(node)}; {remedy}",
            at=place(node),
            replacement=None if number is None else str(number),
        )
        return None if number is None else self._positive(node, name, number)

    def _wrong(self, node: Node, name: str, expected: str, *, remedy: str = "write one") -> None:
        if not isinstance(node, Invalid):
            self.reporter.report(
                "TYPE_WRONG", f"expected {expected} for {name}, got {describe(node)}; {remedy}", at=place(node)
            )

    def _look_at_names(self) -> None:
        table = self.fields.table
        for entry in self.fields.mapping.entries.values():
            written = str(entry.key.value)
            if written in table.names or self.reporter.diagnostics.is_full:
                continue
            name = field_name(table, written)
            if name not in table.names:
                self._misspelt.add(nearest_field(table, name))
            # A single text under a name in the singular is told about with its value.
            elif not (written == "chain" and isinstance(entry.value, Scalar)):
                self.reporter.report(
                    "CONTRACT_FIELD_ALIAS",
                    f"expected the field {name!r}, got {shorten(written)}, which is read as it; write {name!r}",
                    at=(entry.key.start, entry.key.end),
                    replacement=written_like(entry.key, name),
                )


def report_spelling(values: Values, name: str, written: str, meant: str) -> None:
    """Report a word that is known, in another case or with other separators."""
    node = values.fields.node(name)
    assert node is not None
    values.reporter.report(
        "VALUE_INVALID",
        f"expected {str(meant)!r} for {name}, got {shorten(written)}; words are written in lower case",
        at=place(node),
        replacement=written_like(node, meant),
    )


def is_placeholder(values: Values, name: str) -> bool:
    """Whether a field's text is what a template left open."""
    node = values.fields.node(name)
    return isinstance(node, Scalar) and isinstance(node.value, str) and placeholder_in(node.value) is not None


def inside(values: Values, name: str) -> Place:
    """Return the place of a text without its quotes; the place of the mapping if it is not there."""
    node = values.fields.node(name)
    quote = int(isinstance(node, Scalar) and node.style != PLAIN)
    start, end = values.fields.value_place(name)
    return start + quote, end - quote
