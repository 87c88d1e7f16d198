"""The header of an issue contract: ``key: value`` lines up to ``---``, read to a tree.

Owns: the line grammar, and which spellings of a key are read beside the canonical one.
Does not know: what the values mean; the tree is read like that of a JSON text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from remit.plans.contract.forms import parts_of, says_nothing
from remit.plans.contract.sources import header_key
from remit.plans.contract.words import HEADER_FIELDS, LIST_FIELDS
from remit.plans.documents import Entry, Mapping, Node, Scalar, Sequence, shorten
from remit.plans.texts import Line, PlanReporter, PlanText

_RULE: Final = re.compile(r"-{3,}")
_INTEGER: Final = re.compile(r"[0-9]{1,15}")
_DECIMAL: Final = re.compile(r"[0-9]{1,15}\.[0-9]{1,15}")
_MAY_BE_BLANK: Final = frozenset({"depends_on", "allowed_paths", "denied_paths", "non_goals"})
_TRUTHS: Final = {"true": True, "false": False}


_ITEM: Final = re.compile(r"\s*[-*+]\s+(?=\S)")


@dataclass(slots=True, kw_only=True)
class _ListBelow:
    """A field of a list whose line has no value: items may stand on the lines below, as YAML has them.

    ``at`` is where a value would begin.
    """

    key: Scalar
    at: int
    items: list[Scalar]

    def takes(self, line: Line) -> bool:
        """Take a line if it is an item of the list."""
        found = _ITEM.match(line.text)
        if found is None or header_key(line.text.partition(":")[0]) in HEADER_FIELDS:
            return False
        value = line.text[found.end() :].rstrip()
        start = line.start + found.end()
        self.items.append(Scalar(value=value, start=start, end=start + len(value)))
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """The header as a tree, and the number of the line where the body begins (counted from 1)."""

    fields: Mapping
    body_line: int


def read_header(text: PlanText, reporter: PlanReporter) -> Header:
    """Return the header of a text; every line that does not fit is reported."""
    number = _first(text, reporter)
    start = end = text.lines[number - 1].start
    entries: dict[str, Entry] = {}
    below: _ListBelow | None = None
    is_open = True
    for line in text.lines[number - 1 :]:
        number = line.number
        if _RULE.fullmatch(line.text.strip()):
            is_open = False
            number += 1
            break
        if line.text.startswith("#"):
            break
        if not line.text.strip():
            continue
        end = line.end
        if below is None or not below.takes(line):
            _close(below, entries, reporter)
            below = _read_line(line, entries, reporter)
    else:
        number += 1
    _close(below, entries, reporter)
    if is_open:
        _report_open(text, reporter, number)
    return Header(fields=Mapping(entries=entries, start=start, end=end), body_line=number)


def _first(text: PlanText, reporter: PlanReporter) -> int:
    """Return the number of the line where the header begins; a rule above it is said and skipped."""
    line = next((line for line in text.lines if line.text.strip()), text.lines[0])
    if not _RULE.fullmatch(line.text.strip()):
        return line.number
    reporter.report(
        "CONTRACT_HEADER_FORM",
        "expected the header at the beginning, got a rule above it; remove the rule, one after the header is enough",
        at=line.place,
    )
    return min(line.number + 1, len(text.lines))


def _report_open(text: PlanText, reporter: PlanReporter, number: int) -> None:
    at = text.lines[number - 1].start if number <= len(text.lines) else len(text.text)
    reporter.report(
        "CONTRACT_HEADER_OPEN",
        "expected '---' after the header, got none; write it on a line of its own before the first section",
        at=(at, at),
        replacement="---\n\n" if number <= len(text.lines) else None,
    )


def _close(below: _ListBelow | None, entries: dict[str, Entry], reporter: PlanReporter) -> None:
    """Take the list that stood below a field."""
    if below is None:
        return
    name = str(below.key.value)
    items = tuple(_unquoted(item, reporter) for item in below.items)
    if items:
        shown = ", ".join(str(item.value) for item in items)
        has_comma = any("," in str(item.value) for item in items)
        reporter.report(
            "CONTRACT_HEADER_FORM",
            f"expected the values of {name} on its line, separated by commas, got a list below it, which is read",
            at=(below.at, below.items[-1].end),
            replacement=None if has_comma else f" {shown}",
        )
    elif name in _MAY_BE_BLANK:
        return
    end = items[-1].end if items else below.at
    entries[name] = Entry(key=below.key, value=Sequence(items=items, start=below.at, end=end))


def _read_line(line: Line, entries: dict[str, Entry], reporter: PlanReporter) -> _ListBelow | None:
    """Take one line; return the field of a list that may go on below."""
    written, colon, value = line.text.partition(":")
    if not colon:
        reporter.report(
            "CONTRACT_HEADER_LINE",
            f"expected a line 'key: value' in the header, got {shorten(line.text.strip())}; "
            "write a value on one line, and text into a section",
            at=line.place,
        )
        return None
    key = _key(line, written, reporter)
    if str(key.value) in entries:
        first = entries[str(key.value)].key
        reporter.report(
            "FIELD_REPEATED",
            f"expected {key.value} once, got it again; remove one",
            at=(key.start, key.end),
            related={"first written here": (first.start, first.end)},
        )
        return None
    stripped = value.strip().lstrip("*").strip()
    start = line.start + line.text.index(":") + 1 + (value.index(stripped) if stripped else 0)
    name = str(key.value)
    if not stripped and name in LIST_FIELDS:
        return _ListBelow(key=key, at=line.start + line.text.index(":") + 1, items=[])
    scalar = Scalar(value=stripped, start=start, end=start + len(stripped))
    if name in LIST_FIELDS & _MAY_BE_BLANK and says_nothing(stripped):
        reporter.report(
            "CONTRACT_HEADER_FORM",
            f"expected nothing behind {name} if there is none, got {shorten(stripped)}, which is read so",
            at=(scalar.start, scalar.end),
            replacement="",
        )
    elif stripped or name not in _MAY_BE_BLANK:
        entries[name] = Entry(key=key, value=_node(name, _unquoted(scalar, reporter), reporter))
    return None


def _unquoted(scalar: Scalar, reporter: PlanReporter) -> Scalar:
    """Return a value without the quotes around it, which other formats need, and say so."""
    text = str(scalar.value)
    if len(text) < 3 or text[0] != text[-1] or text[0] not in "\"'" or text[0] in text[1:-1]:
        return scalar
    inner = text[1:-1].strip()
    reporter.report(
        "CONTRACT_HEADER_FORM",
        f"expected a value without quotes, got {shorten(text)}; it is read without them",
        at=(scalar.start, scalar.end),
        replacement=inner,
    )
    start = scalar.start + 1 + text[1:-1].find(inner)
    return Scalar(value=inner, start=start, end=start + len(inner))


def _key(line: Line, written: str, reporter: PlanReporter) -> Scalar:
    start, end = line.start, line.start + len(written)
    name = header_key(written)
    if name == written or name not in HEADER_FIELDS:
        stripped = written.strip()
        start = line.start + line.text.index(stripped)
        return Scalar(value=name if name in HEADER_FIELDS else stripped, start=start, end=start + len(stripped))
    reporter.report(
        "CONTRACT_FIELD_ALIAS",
        f"expected the field {name!r}, got {shorten(written)}, which is read as it; write {name!r}",
        at=(start, end),
        replacement=name,
    )
    return Scalar(value=name, start=start, end=end)


def _node(key: str, scalar: Scalar, reporter: PlanReporter) -> Node:
    """Return the value of a field as JSON would hold it."""
    text = str(scalar.value)
    if key in LIST_FIELDS:
        return _list(scalar, text, reporter)
    if key == "max_diff_scope" and _INTEGER.fullmatch(text):
        if text != str(int(text)):
            reporter.report(
                "CONTRACT_NUMBER_FORM",
                f"expected a number without leading zeros, got {text}; write {int(text)}",
                at=(scalar.start, scalar.end),
                replacement=str(int(text)),
            )
        return Scalar(value=int(text), start=scalar.start, end=scalar.end)
    if key == "max_diff_scope" and _DECIMAL.fullmatch(text):
        return Scalar(value=float(text), start=scalar.start, end=scalar.end)
    if key == "evidence_required" and text in _TRUTHS:
        return Scalar(value=_TRUTHS[text], start=scalar.start, end=scalar.end)
    return scalar


def _list(scalar: Scalar, text: str, reporter: PlanReporter) -> Node:
    inner = scalar
    if text.startswith("[") and text.endswith("]"):
        start = scalar.start + 1 + (len(text[1:-1]) - len(text[1:-1].lstrip()))
        inner = Scalar(value=text[1:-1].strip(), start=start, end=start + len(text[1:-1].strip()))
        reporter.report(
            "CONTRACT_HEADER_FORM",
            f"expected values separated by commas for a list, got {shorten(text)}; write them without brackets",
            at=(scalar.start, scalar.end),
            replacement=text[1:-1].strip(),
        )
    items = tuple(
        _unquoted(Scalar(value=part.text, start=part.at[0], end=part.at[1]), reporter)
        for part in parts_of(inner, str(inner.value))
    )
    return Sequence(items=items, start=scalar.start, end=scalar.end)
