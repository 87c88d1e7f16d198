"""Chapters: which part of a document is which phase, and what stands outside of all.

Owns: where a phase begins and ends, and the numbers of phases.
Does not know: what is inside.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from remit.plans.delivery.lines import PhaseHeading, Piece, phase_heading
from remit.plans.markdown import Heading


@dataclass(slots=True, kw_only=True)
class Chapter:
    """A phase: its heading and what stands below it. ``id`` is its number, made unique."""

    id: str
    heading: Heading
    said: PhaseHeading
    pieces: list[Piece] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Topic:
    """A part outside of all phases; ``heading`` is ``None`` before the first one. ``after`` is the phase above."""

    heading: Heading | None
    after: Chapter | None
    pieces: list[Piece] = field(default_factory=list)

    @property
    def title(self) -> str:
        """Return the heading's text in small letters."""
        return "" if self.heading is None else self.heading.text.lower()


@dataclass(frozen=True, slots=True, kw_only=True)
class Chapters:
    """A document in parts."""

    phases: tuple[Chapter, ...]
    topics: tuple[Topic, ...]


def split_chapters(pieces: tuple[Piece, ...]) -> Chapters:
    """Return the phases of a document, and everything else by its headings.

    A phase ends at the next phase, or at a heading of its own level or above. A heading inside a phase that begins with
    the phase's own number, such as ``Phase 1 Tasks`` or ``Phase 1.2``, is part of it.
    """
    phases: list[Chapter] = []
    topics = [Topic(heading=None, after=None)]
    numbers: Counter[str] = Counter()
    current: Chapter | None = None
    for piece in pieces:
        if not isinstance(piece, Heading):
            (topics[-1] if current is None else current).pieces.append(piece)
            continue
        said = phase_heading(piece.text, piece.place[0])
        is_inside = current is not None and piece.level > current.heading.level
        if said is not None and not (current is not None and is_inside and _is_part(said, current)):
            numbers[said.number] += 1
            count = numbers[said.number]
            current = Chapter(id=said.number if count == 1 else f"{said.number}-{count}", heading=piece, said=said)
            phases.append(current)
        elif current is not None and is_inside:
            current.pieces.append(piece)
        else:
            current = None
            topics.append(Topic(heading=piece, after=phases[-1] if phases else None))
    return Chapters(phases=tuple(phases), topics=tuple(topics))


def _is_part(said: PhaseHeading, current: Chapter) -> bool:
    return said.number == current.said.number or said.number.startswith(f"{current.said.number}.")
