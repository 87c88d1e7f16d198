"""Reading fields: from a tree to typed values, with a finding for everything that does not fit.

Owns: how unknown, missing, repeated and wrongly typed fields are reported, and how durations and names are written.
Does not know: which documents there are. A method returns ``None`` when there is no usable value, having said why.

Field names are snake case; the same name in camel case is accepted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from collections.abc import Mapping as MappingType
from dataclasses import dataclass, field
from typing import Final

from remit.diagnostics import Reporter
from remit.governance.suggestions import did_you_mean, is_slip, nearest
from remit.plans.documents import Entry, Invalid, Mapping, Node, Scalar, Sequence, describe, shorten

DURATION_MS_MAX: Final = 366 * 86_400_000
"""Longest duration: a year. What waits longer is better started again by a schedule."""

_DURATION: Final = re.compile(r"([0-9]{1,12})(ms|s|m|h|d)")
_UNITS_MS: Final = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_HUMP: Final = re.compile(r"(?<=[a-z0-9])([A-Z])")


@dataclass(frozen=True, slots=True, kw_only=True)
class TextRule:
    """What a text must look like. ``words`` describe it in messages."""

    pattern: re.Pattern[str]
    words: str


DEFINITION_NAME: Final = TextRule(
    pattern=re.compile(r"[a-z][a-z0-9._-]{0,99}"),
    words="a name of up to 100 lower-case letters, digits, '.', '_' and '-', beginning with a letter",
)
STEP_ID: Final = TextRule(
    pattern=re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,99}"),
    words="a name of up to 100 letters, digits, '_' and '-', not beginning with a digit",
)
VERSION: Final = TextRule(pattern=re.compile(r"\d{1,9}\.\d{1,9}\.\d{1,9}"), words="a version such as 1.0.0")
WORD: Final = TextRule(
    pattern=re.compile(r"[A-Za-z][A-Za-z0-9._/:-]{0,199}"),
    words="a name of up to 200 letters, digits, '.', '_', '/', ':' and '-', beginning with a letter",
)
PRINCIPAL_NAME: Final = TextRule(
    pattern=re.compile(r"[A-Za-z0-9][A-Za-z0-9_.@:/-]{0,199}"),
    words="the name of a principal, or of a role as role:name",
)
ANSWER: Final = TextRule(
    pattern=re.compile(r"[a-z][a-z0-9_]{0,49}"),
    words="an answer of up to 50 lower-case letters, digits and '_', beginning with a letter",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldTable:
    """The fields of one kind of mapping.

    ``what`` names the mapping in messages; ``other_names`` maps further accepted names to ours; ``unsupported`` maps
    names that are known but cannot be run to what to do instead, ``elsewhere`` names that only other mappings have.
    """

    what: str
    names: frozenset[str]
    other_names: MappingType[str, str] = field(default_factory=dict)
    unsupported: MappingType[str, str] = field(default_factory=dict)
    elsewhere: MappingType[str, str] = field(default_factory=dict)


class Fields:
    """The fields of one mapping of a document."""

    def __init__(self, reporter: Reporter, mapping: Mapping, table: FieldTable) -> None:
        self.reporter = reporter
        self.mapping = mapping
        self.table = table
        self._entries: dict[str, Entry] = {}
        self.has_unsupported = False
        """Whether a field is there that is known and cannot be run."""
        for entry in mapping.entries.values():
            if reporter.diagnostics.is_full:
                break
            self._take(entry)

    def _take(self, entry: Entry) -> None:
        written = str(entry.key.value)
        name = field_name(self.table, written)
        at = (entry.key.start, entry.key.end)
        if name in self.table.unsupported:
            self.has_unsupported = True
            self.reporter.report(
                "KIND_UNSUPPORTED",
                f"expected a field that this version can run, got {shorten(written)}; {self.table.unsupported[name]}",
                at=at,
            )
        elif name not in self.table.names:
            elsewhere = self.table.elsewhere.get(name)
            known = nearest_field(self.table, name) if elsewhere is None else None
            hint = f"; {elsewhere or 'remove it'}" if known is None else f"; did you mean {known!r}?"
            self.reporter.report(
                "FIELD_UNKNOWN",
                f"expected a field of {self.table.what}, got {shorten(written)}{hint}",
                at=at,
                replacement=None if known is None else self._renamed(entry, name, known),
            )
        elif name in self._entries:
            first = self._entries[name].key
            self.reporter.report(
                "FIELD_REPEATED",
                f"expected {name} once, got it again as {shorten(written)}; remove one",
                at=at,
                related={"first written here": (first.start, first.end)},
            )
        else:
            self._entries[name] = entry

    def _renamed(self, entry: Entry, name: str, known: str) -> str | None:
        """Return what to write instead of a misspelt name; ``None`` if something else may have been meant."""
        others = (other.key.value for other in self.mapping.entries.values() if other is not entry)
        names = [field_name(self.table, str(other)) for other in others]
        if not is_slip(name, known) or any(is_slip(other, known) for other in names):
            return None
        return f"{_quote(entry.key)}{known}{_quote(entry.key)}"

    def __contains__(self, name: object) -> bool:
        return name in self._entries

    def node(self, name: str) -> Node | None:
        """Return a field's value, whatever it is."""
        entry = self._entries.get(name)
        return None if entry is None else entry.value

    def key(self, name: str) -> tuple[int, int]:
        """Return where a field's name stands; for one that is not there, where the mapping begins."""
        entry = self._entries.get(name)
        if entry is None:
            return self.mapping.start, self.mapping.start + 1
        return entry.key.start, entry.key.end

    def value_place(self, name: str) -> tuple[int, int]:
        """Return where a field's value stands; for one that is not there, where the mapping begins."""
        entry = self._entries.get(name)
        return self.key(name) if entry is None else place(entry.value)

    def require(self, name: str) -> bool:
        """Report a field that must be there and is not."""
        if name in self._entries:
            return True
        self.reporter.report(
            "FIELD_MISSING",
            f"expected the field {name!r} in {self.table.what}, got none; write it",
            at=self.key(name),
        )
        return False

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def exclude(self, name: str, *others: str) -> None:
        """Report each of ``others`` that stands beside ``name``."""
        if name not in self._entries:
            return
        for other in others:
            if other in self._entries:
                self.reporter.report(
                    "FIELD_CONFLICT",
                    f"expected either {name!r} or {other!r} in {self.table.what}, got both; remove one",
                    at=self.key(other),
                    related={f"{name!r} is here": self.key(name)},
                )

    def text(self, name: str, *, rule: TextRule | None = None, length_max: int = 10_000) -> str | None:
        """Return a text, which is not empty; a number or boolean is none: it must be quoted."""
        node = self.node(name)
        return None if node is None else text_of(self.reporter, node, rule=rule, length_max=length_max)

    def integer(self, name: str, *, minimum: int = 0, maximum: int = 2**53 - 1) -> int | None:
        """Return a whole number within a range."""
        node = self.node(name)
        if node is None or isinstance(node, Invalid):
            return None
        value = node.value if isinstance(node, Scalar) else None
        if not isinstance(value, int) or isinstance(value, bool):
            wrong_type(self.reporter, node, "a whole number")
            return None
        return value if self._is_within(node, value, minimum, maximum) else None

    def number(self, name: str, *, minimum: float, maximum: float) -> float | None:
        """Return a number within a range."""
        node = self.node(name)
        if node is None or isinstance(node, Invalid):
            return None
        value = node.value if isinstance(node, Scalar) else None
        if not isinstance(value, int | float) or isinstance(value, bool):
            wrong_type(self.reporter, node, "a number")
            return None
        return float(value) if self._is_within(node, value, minimum, maximum) else None

    def choice(self, name: str, options: tuple[str, ...]) -> str | None:
        """Return one of several words."""
        node = self.node(name)
        if node is None or isinstance(node, Invalid):
            return None
        value = node.value if isinstance(node, Scalar) else None
        if value in options and isinstance(value, str):
            return value
        meant = did_you_mean(value, options) if isinstance(value, str) else ""
        words = " or ".join(repr(option) for option in options)
        code = "VALUE_INVALID" if isinstance(value, str) else "TYPE_WRONG"
        self.reporter.report(code, f"expected {words}, got {describe(node)}{meant}", at=place(node))
        return None

    def boolean(self, name: str) -> bool | None:
        """Return true or false; ``no``, ``off`` and the like are texts."""
        node = self.node(name)
        if node is None or isinstance(node, Invalid):
            return None
        if isinstance(node, Scalar) and isinstance(node.value, bool):
            return node.value
        wrong_type(self.reporter, node, "true or false")
        return None

    def duration_ms(self, name: str, *, minimum_ms: int = 1, maximum_ms: int = DURATION_MS_MAX) -> int | None:
        """Return a duration such as ``500ms``, ``10s``, ``15m``, ``2h`` or ``14d``."""
        node = self.node(name)
        if node is None or isinstance(node, Invalid):
            return None
        milliseconds = duration_of(node)
        if milliseconds is None:
            self.reporter.report(
                "DURATION_INVALID",
                f"expected a duration such as 500ms, 10s, 15m, 2h or 14d, got {describe(node)}; "
                "write a whole number and a unit",
                at=place(node),
            )
            return None
        if not minimum_ms <= milliseconds <= maximum_ms:
            self.reporter.report(
                "DURATION_INVALID",
                f"expected a duration from {duration_words(minimum_ms)} to {duration_words(maximum_ms)}, "
                f"got {describe(node)}; choose one in between",
                at=place(node),
            )
            return None
        return milliseconds

    def texts(self, name: str, *, rule: TextRule | None = None) -> tuple[str, ...] | None:
        """Return a list of texts; items that are none are reported and left out."""
        items = self.items(name)
        if items is None:
            return None
        found = (text_of(self.reporter, item, rule=rule) for item in items)
        return tuple(text for text in found if text is not None)

    def items(self, name: str) -> tuple[Node, ...] | None:
        """Return the items of a list."""
        node = self.node(name)
        if node is None or isinstance(node, Invalid):
            return None
        if isinstance(node, Sequence):
            return node.items
        is_text = isinstance(node, Scalar) and isinstance(node.value, str) and node.value
        wrong_type(self.reporter, node, "a list", remedy="write [ ] around it" if is_text else "write one")
        return None

    def object(self, name: str) -> Mapping | None:
        """Return a mapping."""
        node = self.node(name)
        return None if node is None else mapping_of(self.reporter, node)

    def fields(self, name: str, table: FieldTable) -> Fields | None:
        """Return the fields of a mapping inside this one."""
        mapping = self.object(name)
        return None if mapping is None else Fields(self.reporter, mapping, table)

    def _is_within(self, node: Node, value: float, minimum: float, maximum: float) -> bool:
        if minimum <= value <= maximum:
            return True
        self.reporter.report(
            "VALUE_INVALID",
            f"expected a number from {minimum} to {maximum}, got {value}; choose one in between",
            at=place(node),
        )
        return False


def field_name(table: FieldTable, written: str) -> str:
    """Return the field that a written name stands for; one that is unknown stays as it is, in snake case."""
    name = written if written in table.names else snake_case(written)
    return table.other_names.get(name, name)


def nearest_field(table: FieldTable, name: str) -> str | None:
    """Return the field that an unknown name is most likely meant to be, ``None`` if none is near."""
    known = nearest(name, table.names | table.other_names.keys())
    return table.other_names.get(known or "", known)


def fields_of(reporter: Reporter, node: Node, table: FieldTable) -> Fields | None:
    """Return the fields of a node that is to be a mapping."""
    mapping = mapping_of(reporter, node, what=table.what)
    return None if mapping is None else Fields(reporter, mapping, table)


def mapping_of(reporter: Reporter, node: Node, *, what: str = "") -> Mapping | None:
    """Return a node that is to be a mapping."""
    if isinstance(node, Mapping):
        return node
    wrong_type(reporter, node, f"a mapping ({what})" if what else "a mapping")
    return None


def text_of(reporter: Reporter, node: Node, *, rule: TextRule | None = None, length_max: int = 10_000) -> str | None:
    """Return a node that is to be a text."""
    if not isinstance(node, Scalar) or not isinstance(node.value, str):
        wrong_type(reporter, node, "a text" if rule is None else rule.words, remedy="put it in quotes")
        return None
    if not node.value.strip():
        reporter.report("VALUE_INVALID", "expected a text, got an empty one; write one", at=place(node))
        return None
    if len(node.value) > length_max:
        reporter.report(
            "VALUE_INVALID",
            f"expected at most {length_max} characters, got {len(node.value)}; shorten it",
            at=place(node),
        )
        return None
    if rule is not None and not rule.pattern.fullmatch(node.value):
        reporter.report("VALUE_INVALID", f"expected {rule.words}, got {shorten(node.value)}; rename it", at=place(node))
        return None
    return node.value


def wrong_type(reporter: Reporter, node: Node, expected: str, *, remedy: str = "write one") -> None:
    """Report a value of another type than expected, unless it was reported already."""
    if isinstance(node, Invalid):
        return
    if not isinstance(node, Scalar):
        remedy = "write one"
    elif node.value is None:
        remedy = "write one, or leave the field out"
    elif expected == "true or false" and node.value in {"yes", "no", "on", "off"}:
        remedy = "in YAML 1.2 this is a text"
    reporter.report("TYPE_WRONG", f"expected {expected}, got {describe(node)}; {remedy}", at=place(node))


def place(node: Node) -> tuple[int, int]:
    """Return where a node starts and ends; an empty one takes the character where it would stand."""
    return node.start, max(node.end, node.start + 1)


def _quote(key: Scalar) -> str:
    """Return the quotation mark that a key stands in."""
    return key.style if key.style in {'"', "'"} else ""


def duration_of(node: Node) -> int | None:
    """Return the milliseconds of a duration, or ``None`` if the node is none."""
    text = node.value if isinstance(node, Scalar) else None
    found = _DURATION.fullmatch(text) if isinstance(text, str) else None
    return None if found is None else int(found[1]) * _UNITS_MS[found[2]]


def duration_words(milliseconds: int) -> str:
    """Return a duration as it is written, in its largest whole unit."""
    units = [(unit, size) for unit, size in _UNITS_MS.items() if milliseconds % size == 0]
    unit, size = units[-1]
    return f"{milliseconds // size}{unit}"


def snake_case(name: str) -> str:
    """Return a camel-case name in snake case; other names stay as they are."""
    return _HUMP.sub(lambda found: f"_{found[1].lower()}", name)
