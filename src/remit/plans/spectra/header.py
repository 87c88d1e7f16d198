"""The header of a plan: title, project, level, date, source.

Owns: reading them in every form, and saying which form was expected.
Does not know: tasks.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass, field
from typing import Final

from remit.plans.plan import NOWHERE, Place
from remit.plans.spectra import names
from remit.plans.spectra.items import Item, read_item
from remit.plans.spectra.markers import read_marker
from remit.plans.spectra.pieces import Piece
from remit.plans.spectra.record import HeaderField, Marker
from remit.plans.spectra.sections import Section, read_heading, section_lines
from remit.plans.texts import Line, PlanReporter

_RULE: Final = re.compile(r"[ \t]*(?:-[ \t]*){3,}$|[ \t]*(?:\*[ \t]*){3,}$|[ \t]*(?:_[ \t]*){3,}$")
_LEVEL: Final = re.compile(r"\blevel[\s:*_=-]{0,6}(?P<level>[0-9]+)\b", re.IGNORECASE)
_FIRST: Final = re.compile(
    r"[*_` (\[]*(?:L(?:evel)?[\s:*_=-]{0,6})?(?P<number>[0-9]+)(?![0-9]|[ ]?[-\N{EN DASH}/|.][ ]?[0-9])", re.IGNORECASE
)
_ONLY: Final = re.compile(r"[^0-9]*(?<!-)(?P<number>[0-9]+)[^0-9]*")
_DATE: Final = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")


@dataclass(slots=True, kw_only=True)
class Header:
    """What a header says, gathered line by line."""

    title: str | None = None
    title_at: Place = NOWHERE
    values: dict[str, Piece] = field(default_factory=dict)
    level: int | None = None
    level_at: Place = NOWHERE
    others: list[HeaderField] = field(default_factory=list)
    outside: list[Place] = field(default_factory=list)
    markers: list[Marker] = field(default_factory=list)

    def value(self, name: str) -> str | None:
        """Return the value of a field, or ``None``."""
        found = self.values.get(name)
        return None if found is None else found.text


def is_rule(line: Line) -> bool:
    """Whether a line is a thematic break."""
    return _RULE.match(line.text) is not None


def read_header(section: Section, reporter: PlanReporter) -> Header:
    """Return what the lines before the first task say."""
    header = Header()
    prose = False
    for line in section_lines(section):
        heading = read_heading(line)
        marker = read_marker(line)
        if marker is not None:
            header.markers.append(marker)
        elif heading is not None and heading.level == 1:
            _read_title(heading.text, line, header, reporter)
            prose = False
        elif is_rule(line):
            prose = False
        elif not _read_field(line, header, reporter):
            if not prose:
                header.outside.append(line.place)
            header.outside[-1] = header.outside[-1][0], line.place[1]
            prose = True
        else:
            prose = False
    _check(header, reporter)
    return header


def _read_title(text: Piece, line: Line, header: Header, reporter: PlanReporter) -> None:
    """Read a title; one such as ``# Project: x | Level: 3`` holds fields."""
    parts = text.split("|")
    fields = [(part, _pair(read_item(Line(line.number, part.start, part.text)))) for part in parts]
    if any(pair is not None and names.header_field_of(pair[0].text) for _, pair in fields):
        reporter.report(
            "SPECTRA_HEADER_FORM",
            f"expected a line '## <field>: <value>' for each field, got {text.text!r}; it is read as such fields",
            at=line.place,
        )
        for _, pair in fields:
            if pair is not None:
                _take(pair[0], pair[1], line_at=line.place, header=header, reporter=reporter)
        return
    if header.title is not None:
        header.outside.append(line.place)
        return
    header.title, header.title_at = text.text, text.place
    found = _LEVEL.search(text.text)
    if found is not None and names.LEVEL not in header.values:
        header.values[names.LEVEL] = text.cut(*found.span())


def _pair(item: Item) -> tuple[Piece, Piece] | None:
    if item.key is None or item.value is None:
        return None
    return item.key, item.value


def _read_field(line: Line, header: Header, reporter: PlanReporter) -> bool:
    """Read a line as a field of the header; return whether it is one."""
    heading = read_heading(line)
    text = Piece(line.text, line.start).strip() if heading is None else heading.text
    item = read_item(Line(line.number, text.start, text.text))
    if item.key is None or item.value is None:
        return False
    name = names.header_field_of(item.key.text)
    if name is None and (heading is None or heading.level != 2 or not item.value.text):
        return False
    canonical = f"## {name}: {item.value.text}"
    if name is not None and name != names.LEVEL and line.text.rstrip() != canonical:
        reporter.report(
            "SPECTRA_HEADER_FORM",
            f"expected {canonical!r}, got {line.text.strip()!r}",
            at=line.place,
            replacement=canonical,
        )
    _take(item.key, item.value, line_at=line.place, header=header, reporter=reporter)
    return True


def _take(key: Piece, value: Piece, *, line_at: Place, header: Header, reporter: PlanReporter) -> None:
    name = names.header_field_of(key.text)
    if name is None:
        header.others.append(HeaderField(key=key.text, value=value.text, at=line_at))
        reporter.report(
            "SPECTRA_HEADER_UNKNOWN",
            f"expected one of {', '.join(names.HEADER_FIELDS)}, got {key.text!r}; it is kept and means nothing",
            at=key.place,
        )
        return
    known = header.values.get(name)
    if name == names.LEVEL and known is not None and _level_is_from_title(known, header):
        known = None
    if known is not None:
        reporter.report(
            "SPECTRA_HEADER_REPEATED",
            f"expected {name} once, got it again; the first one is taken, remove the other",
            at=line_at,
            related={"first": known.place},
        )
        return
    header.values[name] = value
    if name == names.LEVEL:
        header.level_at = line_at


def _level_is_from_title(level: Piece, header: Header) -> bool:
    start, end = header.title_at
    return start <= level.start < end


def _check(header: Header, reporter: PlanReporter) -> None:
    _check_title(header, reporter)
    _check_level(header, reporter)
    generated = header.values.get(names.GENERATED)
    if generated is not None:
        check_date(generated, reporter)
    missing = [name for name in (names.PROJECT, names.GENERATED) if name not in header.values]
    if missing:
        reporter.report(
            "SPECTRA_HEADER_MISSING",
            f"expected {' and '.join(f'## {name}:' for name in missing)} in the header, got none; plan.json must have "
            + ("it" if len(missing) == 1 else "both"),
            at=header.title_at,
        )


def check_date(written: Piece, reporter: PlanReporter) -> None:
    """Report a day that is none, or has words around it."""
    if _is_date(written.text):
        return
    found = _DATE.match(written.text)
    day = None if found is None or not _is_date(found.group()) else found.group()
    alone = "" if day is None else f", {day!r} alone"
    reporter.report(
        "SPECTRA_DATE_INVALID",
        f"expected the day as YYYY-MM-DD{alone}, got {written.text!r}; write it so",
        at=written.place,
    )


def _check_title(header: Header, reporter: PlanReporter) -> None:
    if header.title == names.TITLE:
        return
    got = "none" if header.title is None else f"{header.title!r}, which is read as one"
    reporter.report("SPECTRA_TITLE", f"expected the title '# {names.TITLE}', got {got}", at=header.title_at)


def _check_level(header: Header, reporter: PlanReporter) -> None:
    level = header.values.get(names.LEVEL)
    if level is None:
        reporter.report(
            "SPECTRA_LEVEL_MISSING",
            "expected '## Level: <0-4>' in the header, got none; the plan is read as level 1",
            at=header.title_at,
        )
        return
    found = _FIRST.match(level.text) or _ONLY.fullmatch(level.text)
    number = int(found["number"][:4]) if found is not None else -1
    if not 0 <= number <= names.LEVEL_MAX:
        reporter.report(
            "SPECTRA_LEVEL_INVALID",
            f"expected one level from 0 to {names.LEVEL_MAX}, got {level.text!r}; the plan is read as "
            "level 1, write which it is",
            at=level.place,
        )
        return
    header.level = number
    _check_level_form(header, level, reporter)


def _check_level_form(header: Header, level: Piece, reporter: PlanReporter) -> None:
    source = reporter.text
    canonical = f"## {names.LEVEL}: {header.level}"
    if header.level_at == NOWHERE:
        reporter.report(
            "SPECTRA_LEVEL_FORM",
            f"expected the level on a line {canonical!r}, got it in the title; readers that want the line take level 1",
            at=level.place,
        )
        header.level_at = level.place
        return
    written = source.text[slice(*header.level_at)]
    if written != canonical:
        # A line that holds other fields as well cannot be replaced by this one.
        replacement = None if "|" in written else canonical
        reporter.report(
            "SPECTRA_LEVEL_FORM",
            f"expected the line {canonical!r}, got {written!r}; readers that want it just so take level 1",
            at=header.level_at,
            replacement=replacement,
        )


def _is_date(written: str) -> bool:
    found = _DATE.fullmatch(written)
    if found is None:
        return False
    try:
        dt.date(int(found[1]), int(found[2]), int(found[3]))
    except ValueError:
        return False
    return True
