"""Human gates: wherever a plan declares them, in lists, headings, tables and running text.

Owns: what a gate looks like, and which phase it follows.
Does not know: whether that phase exists.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Final

from remit.plans.delivery.chapters import Chapters
from remit.plans.delivery.lines import LabelLine, ListLine, PhaseReference, Piece, TextLine, phase_references
from remit.plans.delivery.record import HUMAN, Gate, Responsibility
from remit.plans.markdown import Cell, Heading, Table
from remit.plans.plan import Place
from remit.plans.texts import PlanText

_GATE: Final = re.compile(
    r"[^\w\n]{0,8}(?:(?:[Hh]uman|[Vv]alidation|[Aa]pproval|[Qq]uality|[Rr]eview) ){0,3}[Gg]ate "
    r"(?P<id>[A-Z](?=\W|\Z)|\d{1,3}(?=\W|\Z))"
)
_NAMELESS: Final = re.compile(r"[^\w\n]{0,8}[Hh]uman (?:[Vv]alidation |[Aa]pproval |[Rr]eview )?[Gg]ate\b")
_AFTER: Final = re.compile(r"\(? {0,2}\bafter {1,2}phase {1,2}(?P<number>\d{1,4}) {0,2}\)?", re.IGNORECASE)
_MENTION: Final = re.compile(
    r"\b(?P<word>gates?)\b[^.()\n]{0,40}\((?P<phases>(?:after )?phases?[^()\n]{1,80})\)", re.IGNORECASE
)
_SHORT: Final = re.compile(r"\(?(?P<phases>phases? [^()\n]{1,80})\)?", re.IGNORECASE)
_EDGE: Final = " *_–—:-,"
_DECLARES: Final = re.compile(r" {0,3}(?:[:(*–—-]|\Z)")


@dataclass(frozen=True, slots=True, kw_only=True)
class GateMention:
    """Phases that a text says are followed by gates; ``is_all`` when it speaks of all gates."""

    numbers: tuple[str, ...]
    is_all: bool
    text: str
    at: Place


def gate_line(text: str, place: Place) -> Gate | None:
    """Return the gate that a line declares, or ``None``."""
    named = _GATE.match(text)
    match = named or _NAMELESS.match(text)
    if match is None:
        return None
    rest = text[match.end() :]
    after = _AFTER.search(rest)
    number = "" if after is None else after["number"]
    # `Gate A is open` speaks of a gate, `**Gate A**: …`, `Gate A (…)` and `Gate A after Phase 5` declare one.
    declares = named is not None and _DECLARES.match(rest) is not None
    if not number and not declares:
        return None
    is_first = after is not None and not rest[: after.start()].strip(_EDGE)
    words = rest[after.end() :] if after is not None and is_first else rest
    said = " ".join(words.strip(_EDGE).split())
    return Gate(id=number if named is None else named["id"], after=number, text=said, at=place)


def read_gates(chapters: Chapters) -> tuple[Gate, ...]:
    """Return the gates that lines and rows outside of phases declare, in reading order."""
    found: list[Gate] = []
    for topic in chapters.topics:
        heading = [] if topic.heading is None else [topic.heading]
        found += _gates([*heading, *topic.pieces])
    return tuple(found)


def gate_of(piece: Heading | ListLine | TextLine | LabelLine) -> Gate | None:
    """Return the gate that a line declares, or ``None``; a label may be the gate's name."""
    text = f"{piece.written}: {piece.rest}" if isinstance(piece, LabelLine) else piece.text
    return gate_line(text, piece.place)


@dataclass(slots=True, kw_only=True)
class GateDraft:
    """A gate that is read; ``lines`` stand below it and are its criteria."""

    gate: Gate
    lines: list[ListLine] = field(default_factory=list)

    def finished(self) -> Gate:
        """Return the gate with its criteria."""
        return replace(self.gate, criteria=tuple(" ".join(line.text.split()) for line in self.lines))


def mentions(
    text: PlanText, responsibilities: Iterable[Responsibility], first_lines: frozenset[int]
) -> list[GateMention]:
    """Return where running text and the table of responsibilities say after which phases gates are.

    Args:
        text: The document.
        responsibilities: The rows of the table.
        first_lines: Numbers of lines that declare a gate themselves.
    """
    found = [
        _mention(match, line.start)
        for line in text.lines
        if "gate" in line.text.lower() and line.number not in first_lines and "|" not in line.text
        for match in _MENTION.finditer(line.text)
    ]
    for row in responsibilities:
        if "gate" not in row.text.lower():
            continue
        for share in row.shares:
            match = _SHORT.search(share.note) if share.role == HUMAN else None
            if match is not None:
                numbers = _numbers(phase_references(match["phases"], 0))
                found.append(GateMention(numbers=numbers, is_all=True, text=share.note, at=share.at))
    return [mention for mention in found if mention.numbers]


def _mention(match: re.Match[str], start: int) -> GateMention:
    return GateMention(
        numbers=_numbers(phase_references(match["phases"], 0)),
        is_all=match["word"].lower() == "gates",
        text=match.group(),
        at=(start + match.start(), start + match.end()),
    )


def _numbers(references: Iterable[PhaseReference]) -> tuple[str, ...]:
    numbers: list[str] = []
    for reference in references:
        if reference.is_end_of_range and numbers:
            first, last = int(numbers[-1]), int(reference.number)
            numbers += [str(number) for number in range(first + 1, min(last, first + 50))]
        numbers.append(reference.number)
    return tuple(dict.fromkeys(numbers))


def _gates(pieces: Iterable[Piece]) -> Iterator[Gate]:
    current: GateDraft | None = None
    for piece in pieces:
        if isinstance(piece, ListLine) and current is not None and piece.depth > 1:
            current.lines.append(piece)
            continue
        if current is not None:
            yield current.finished()
        current = None
        if isinstance(piece, Table):
            yield from _rows(piece)
        elif (gate := gate_of(piece)) is not None:
            current = GateDraft(gate=gate)
    if current is not None:
        yield current.finished()


def _rows(table: Table) -> Iterator[Gate]:
    names = [cell.text.lower() for cell in table.header]
    phase = next((index for index, name in enumerate(names) if "phase" in name or name in {"after", "when"}), None)
    # A table of phases may have a column of gates; only one whose rows are gates declares them.
    gate = 0
    if phase is None or not phase or "gate" not in names[gate]:
        return
    for place, row in enumerate(table.rows, start=1):
        if len(row) <= max(gate, phase) or not row[gate].text:
            continue
        found = re.search(r"\d{1,4}", row[phase].text)
        named = _GATE.match(row[gate].text)
        number = "" if found is None else found.group()
        rest = [cell.text for index, cell in enumerate(row) if index not in {gate, phase} and cell.text]
        words = [row[gate].text.strip(_EDGE), *rest] if named is None else rest
        yield Gate(
            id=(number or str(place)) if named is None else named["id"],
            after=number,
            text=" – ".join(words),
            at=_place(row),
        )


def _place(row: tuple[Cell, ...]) -> Place:
    return row[0].place[0], row[-1].place[1]
