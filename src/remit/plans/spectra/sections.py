"""The parts of a document: header, tasks, assessment, dependency graph, and the rest.

Owns: headings, and which lines belong to which part.
Does not know: what the lines of a part mean.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Final

from remit.plans.spectra import names
from remit.plans.spectra.hidden import Hidden
from remit.plans.spectra.ids import ID, is_id
from remit.plans.spectra.items import read_checkbox, read_item
from remit.plans.spectra.names import field_of
from remit.plans.spectra.pieces import Piece
from remit.plans.texts import Line, PlanText

_HEADING: Final = re.compile(r"#{1,6}(?=[ \t]|$)")
_TASK: Final = re.compile(
    rf"(?:\*\*|__)?task[ \t]{{0,8}}\#?[ \t]{{0,8}}(?P<id>{ID})(?:\*\*|__)?[ \t]*"
    r"(?P<colon>[:.)\N{EN DASH}\N{EM DASH}-]+(?=[ \t*_]|$)|:)?(?:\*\*|__)?[ \t]*",
    re.IGNORECASE,
)
_BARE_TASK: Final = re.compile(rf"(?P<id>{ID})(?P<colon>:)[ \t]+")
_FOLLOWING: Final = 6
"""So many lines behind a heading such as ``## NE-S0: title`` tell whether it begins a task."""

_ASSESSMENT: Final = re.compile(
    r"(?:[-*+][ \t]+)?(?:\*\*|__)?(?:independent tasks|sequential dependencies)(?:\*\*|__)?[ \t]*:", re.IGNORECASE
)
_CHECKBOX_ID: Final = re.compile(r"[0-9]{3}(?:-[a-z])?:(?=[ \t]|$)")


class Kind(Enum):
    """What a part is."""

    PREAMBLE = auto()
    TASK = auto()
    PARALLELISM = auto()
    GRAPH = auto()
    OTHER = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskHeader:
    """The header of a task; ``is_canonical`` says whether it has the format's own form."""

    id: Piece
    title: Piece
    is_canonical: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A part of the document: its heading's line, if it has one, and the lines after it that are read."""

    kind: Kind
    heading: Line | None
    task: TaskHeader | None = None
    lines: list[Line] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """A heading: how many marks it has, and its text."""

    level: int
    text: Piece


def read_heading(line: Line) -> Heading | None:
    """Return the heading that a line is, or ``None``."""
    indent = len(line.text) - len(line.text.lstrip(" "))
    found = _HEADING.match(line.text, indent) if indent <= 3 else None
    if found is None:
        return None
    text = Piece(line.text[found.end() :], line.start + found.end()).strip()
    bare = text.text.rstrip("#")
    if bare != text.text and bare[-1:] in {"", " ", "\t"}:
        text = text.cut(0, len(bare.rstrip()))
    return Heading(level=found.end() - indent, text=text)


def split_sections(text: PlanText, hidden: Hidden) -> list[Section]:
    """Return the parts of the document in reading order; the first is the header, which may be empty."""
    sections = [Section(kind=Kind.PREAMBLE, heading=None)]
    level = 0
    checked: Section | None = None
    lines = [line for line in text.lines if line.number not in hidden.lines]
    for index, line in enumerate(lines):
        if not line.text:
            # Nothing begins here, and a file may hold millions of these.
            sections[-1].lines.append(line)
            continue
        found = _begin(line, lines[index + 1 : index + 1 + _FOLLOWING], inside=sections[-1], level=level)
        if found is not None:
            section, level = found
            sections.append(section)
        elif (task := _task_of_checkbox(line, inside=sections[-1], checked=checked)) is not None:
            sections.append(Section(kind=Kind.TASK, heading=None, task=task, lines=[line]))
            level = level or 2
            checked = sections[-1]
        else:
            sections[-1].lines.append(line)
            checked = sections[-1] if _is_checkbox(line) else checked
    return sections


def _begin(line: Line, following: Sequence[Line], *, inside: Section, level: int) -> tuple[Section, int] | None:
    """Return the part that a line begins, with the level of its heading, or ``None``."""
    heading = read_heading(line)
    task = _task_header(line, heading, following)
    if task is not None:
        return Section(kind=Kind.TASK, heading=line, task=task), 2 if heading is None else heading.level
    if heading is None:
        if inside.kind in {Kind.PARALLELISM, Kind.GRAPH} or not _ASSESSMENT.match(line.text):
            return None
        return Section(kind=Kind.PARALLELISM, heading=None, lines=[line]), level or 2
    kind = _kind(heading.text.text)
    if kind in {Kind.PARALLELISM, Kind.GRAPH}:
        return Section(kind=kind, heading=line), heading.level
    if inside.kind is Kind.PREAMBLE or heading.level > level:
        return None
    return Section(kind=Kind.OTHER, heading=line), heading.level


def _kind(title: str) -> Kind:
    plain = names.plain_key(title.strip("*_ "))
    if plain.startswith(names.plain_key(names.PARALLELISM)):
        return Kind.PARALLELISM
    return Kind.GRAPH if plain.startswith(names.plain_key(names.GRAPH)) else Kind.OTHER


def _task_header(line: Line, heading: Heading | None, following: Sequence[Line]) -> TaskHeader | None:
    text = _bold(line) if heading is None else heading.text
    if text is None:
        return None
    bare = text.without_markup()
    found = _TASK.match(bare.text)
    is_bare = found is None and heading is not None
    if is_bare:
        found = _BARE_TASK.match(bare.text)
    if found is None or not is_id(found["id"]) or (is_bare and not _begin_a_task(following)):
        return None
    task_id = bare.cut(*found.span("id"))
    title = bare.cut(found.end()).strip()
    canonical = f"## Task {task_id.text}:" + (f" {title.text}" if title.text else "")
    return TaskHeader(id=task_id, title=title, is_canonical=canonical == line.text.rstrip())


def _bold(line: Line) -> Piece | None:
    """Return what a line in bold says, where it is one such as ``**Task 001: title**``."""
    text = Piece(line.text, line.start).strip()
    if not text.text.startswith(("**Task ", "**task ", "__Task ", "__task ")):
        return None
    bare = text.without_markup()
    return None if bare.text == text.text else bare


def _begin_a_task(lines: Sequence[Line]) -> bool:
    """Whether the lines behind a heading are those of a task: a check mark, or one of the format's fields."""
    for line in lines:
        if _is_checkbox(line):
            return True
        heading = read_heading(line)
        item = read_item(line)
        key = item.key if heading is None and item.bullet else None
        if key is not None and field_of(key.text) is not None:
            return True
    return False


def _is_checkbox(line: Line) -> bool:
    text = line.text.lstrip()
    return text.startswith(("- [", "* [", "+ [")) and read_checkbox(read_item(line)) is not None


def _task_of_checkbox(line: Line, *, inside: Section, checked: Section | None) -> TaskHeader | None:
    """Return the task that a check mark with a three-digit id begins, where no header stands before it.

    ``checked`` is the last part that has a check mark; the first one of a task is the task's own.
    """
    if not line.text.startswith(("- [", "* [", "+ [")):
        return None
    checkbox = read_checkbox(read_item(line))
    if checkbox is None:
        return None
    found = _CHECKBOX_ID.match(checkbox.text.text)
    if found is None:
        return None
    task_id = checkbox.text.cut(0, found.end() - 1)
    is_own = inside.kind is Kind.TASK and inside is not checked
    if is_own or (inside.task is not None and inside.task.id.text == task_id.text):
        return None
    return TaskHeader(id=task_id, title=checkbox.text.cut(found.end()).strip(), is_canonical=False)


def section_lines(section: Section) -> Iterator[Line]:
    """Return the lines of a part that hold anything but space."""
    return (line for line in section.lines if line.text.strip())
