"""The body of a task: its check mark and its fields, gathered line by line.

Owns: which line belongs to which field, and what is said about its form.
Does not know: what values mean.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final

from remit.governance.suggestions import did_you_mean
from remit.plans.documents import shorten
from remit.plans.spectra import names
from remit.plans.spectra.header import is_rule
from remit.plans.spectra.items import Checkbox, Item, read_checkbox, read_item
from remit.plans.spectra.markers import read_marker
from remit.plans.spectra.names import field_of
from remit.plans.spectra.pieces import Piece
from remit.plans.spectra.record import Marker
from remit.plans.spectra.sections import Section, read_heading, section_lines
from remit.plans.texts import Line, PlanReporter

_ASSESSMENT: Final = frozenset({names.plain_key(names.INDEPENDENT), names.plain_key(names.SEQUENTIAL)})
"""Keys of the assessment, which is no part of a task."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RawField:
    """A field as it stands: its line, and the lines below that belong to it. ``name`` is ``None`` for unknown ones."""

    name: str | None
    item: Item
    key: Piece
    value: Piece
    subs: list[Item] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Body:
    """What stands in a task."""

    checkbox: Checkbox | None = None
    fields: dict[str, RawField] = field(default_factory=dict)
    others: list[RawField] = field(default_factory=list)
    markers: list[Marker] = field(default_factory=list)
    strays: list[Item] = field(default_factory=list)
    current: RawField | None = None


def read_body(section: Section, reporter: PlanReporter) -> Body:
    """Return what stands in a task's lines; lines that are none of the format's are told once."""
    body = Body()
    for line in section_lines(section):
        marker = read_marker(line)
        item = read_item(line)
        if marker is not None:
            body.markers.append(marker)
        elif is_rule(line):
            body.current = None
        elif _belongs(item, body.current):
            assert body.current is not None
            body.current.subs.append(item)
        elif not _read_own(_of_heading(line) or item, body, reporter):
            body.current = None
            body.strays.append(item)
    _report_strays(body, reporter)
    return body


def _belongs(item: Item, current: RawField | None) -> bool:
    """Whether a line is part of the field before it: it is indented, or a criterion that should be."""
    if current is None:
        return False
    if current.item.is_heading:
        is_field = item.bullet and item.key is not None and field_of(item.key.text) == item.key.text
        return current.name is not None and read_heading(item.line) is None and not is_field
    if item.indent > current.item.indent:
        return True
    if current.name != names.CRITERIA or not item.bullet or item.indent < current.item.indent:
        return False
    return item.key is None and not (current.subs and current.subs[0].indent > current.item.indent)


def _of_heading(line: Line) -> Item | None:
    """Return a heading inside a task as an item: as a field if it is one, such as ``### Acceptance criteria``."""
    heading = read_heading(line)
    if heading is None:
        return None
    text = heading.text if ":" in heading.text.text else Piece(f"{heading.text.text}:", heading.text.start)
    item = read_item(Line(line.number, text.start, text.text))
    plain = Item(line=line, indent=0, bullet="#", content=heading.text)
    if item.key is None or item.value is None or not _is_known(item.key.text):
        return plain
    value = item.value if item.value.text else heading.text.cut(len(heading.text.text))
    return replace(plain, key=item.key, value=value, key_at=item.key_at, is_heading=True)


def _is_known(key: str) -> bool:
    return field_of(key) is not None or names.plain_key(key) in names.STATE_KEYS


def _read_own(item: Item, body: Body, reporter: PlanReporter) -> bool:
    """Read a line as a check mark or a field; return whether it is one."""
    checkbox = read_checkbox(item)
    if checkbox is not None:
        return _take_checkbox(checkbox, body)
    if item.key is None or item.value is None:
        return False
    name = names.field_of(item.key.text)
    if name is None and (not item.bullet or names.plain_key(item.key.text) in _ASSESSMENT):
        return False
    value = item.value
    if name in names.NESTED and value.text.startswith("#"):
        value = _without_comment(value, reporter)
    raw = RawField(name=name, item=item, key=item.key, value=value)
    if name is None:
        body.others.append(raw)
        _report_unknown(raw, body, reporter)
    elif name in body.fields:
        _report_repeated(raw, body.fields[name], reporter)
    else:
        body.fields[name] = raw
        _check_form(raw, name, reporter)
    body.current = raw
    return True


def _without_comment(value: Piece, reporter: PlanReporter) -> Piece:
    """Return an empty value for one that is a comment, such as ``# from level 3 on``."""
    reporter.report(
        "SPECTRA_LINE_FORM",
        f"expected nothing behind a field that has its values below, got the comment {value.text!r}; it is not read",
        at=value.place,
        replacement="",
    )
    return value.cut(0, 0)


def _take_checkbox(checkbox: Checkbox, body: Body) -> bool:
    if body.checkbox is not None:
        return False
    body.checkbox = checkbox
    body.current = None
    return True


def _report_unknown(raw: RawField, body: Body, reporter: PlanReporter) -> None:
    absent = [name for name in names.FIELDS if name not in body.fields]
    meant = did_you_mean(raw.key.text, absent)
    is_state = names.plain_key(raw.key.text) in names.STATE_KEYS
    kept = "it is kept, and the check mark counts" if is_state else "it is kept and means nothing"
    reporter.report(
        "SPECTRA_FIELD_UNKNOWN",
        f"expected one of {', '.join(names.FIELDS)}, got {raw.key.text!r}{meant or f'; {kept}'}",
        at=raw.key.place,
    )


def _report_repeated(raw: RawField, first: RawField, reporter: PlanReporter) -> None:
    reporter.report(
        "SPECTRA_FIELD_REPEATED",
        f"expected {raw.name} once in a task, got it again; the first one is taken, remove or join the other",
        at=raw.item.place,
        related={"first": first.item.place},
    )


def _check_form(raw: RawField, name: str, reporter: PlanReporter) -> None:
    """Say how a field should be written, where it is not: the key, then bullet, indentation and markup."""
    if raw.item.is_heading:
        reporter.report(
            "SPECTRA_LINE_FORM",
            f"expected '- {name}:' at the beginning of a line, got a heading; what stands below it is read",
            at=raw.item.place,
        )
        return
    line = raw.item.line
    end = raw.item.key_at[1] - line.start
    canonical = f"- {name}:"
    space = "" if not raw.value.text or line.text[end : end + 1].isspace() else " "
    if raw.item.is_bold:
        reporter.report(
            "SPECTRA_LINE_FORM",
            f"expected {canonical + ' '!r} at the beginning of the line, got bold marks around all of it",
            at=raw.item.place,
            replacement=f"{canonical} {raw.value.text}",
        )
    elif raw.key.text != name:
        older = "the key of an older version" if raw.key.text in names.LEGACY_KEYS else "another spelling"
        reporter.report(
            "SPECTRA_KEY",
            f"expected the key {name!r}, got {older}: {raw.key.text!r}",
            at=(line.start, raw.item.key_at[1]),
            replacement=canonical + space,
        )
    elif line.text[:end] != canonical or space:
        reporter.report(
            "SPECTRA_LINE_FORM",
            f"expected {canonical + space!r} at the beginning of the line, got {line.text[:end]!r}",
            at=(line.start, raw.item.key_at[1]),
            replacement=canonical + space,
        )
    trailing = len(line.text) - len(line.text.rstrip())
    if trailing:
        reporter.report(
            "SPECTRA_TRAILING_SPACE",
            "expected the end of the line, got space, with which other readers do not know the field",
            at=(line.end - trailing, line.end),
            replacement="",
        )


def _report_strays(body: Body, reporter: PlanReporter) -> None:
    if not body.strays:
        return
    first = body.strays[0]
    count = len(body.strays) - 1
    more = f" and {count} more line{'s' if count > 1 else ''}" if count else ""
    reporter.report(
        "SPECTRA_LINE_UNKNOWN",
        f"expected fields of the task, got {shorten(first.line.text.strip())}{more}; it is not read",
        at=first.place,
    )
