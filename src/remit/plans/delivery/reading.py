"""Reading a delivery plan: its text becomes the record, with everything reported that is wrong with it.

Owns: the order of work.
Does not know: the details of any part.
"""

from __future__ import annotations

from typing import Final

from remit.plans.delivery.chapters import Chapters, split_chapters
from remit.plans.delivery.checks import Evidence, check_delivery
from remit.plans.delivery.gates import GateMention, mentions, read_gates
from remit.plans.delivery.items import read_item
from remit.plans.delivery.lines import ListLine, Piece, phase_heading, pieces
from remit.plans.delivery.pairing import Pairing, pair_items
from remit.plans.delivery.people import read_people
from remit.plans.delivery.phases import PhaseReader
from remit.plans.delivery.record import DeliveryPlan, Gate
from remit.plans.delivery.risks import read_risks
from remit.plans.markdown import Heading, read_blocks
from remit.plans.texts import PlanReporter, PlanText

_LEGENDS: Final = ("legend", "notation", "convention", "template", "example", "how to read")


def read_delivery(text: PlanText, reporter: PlanReporter) -> DeliveryPlan | None:
    """Return the delivery plan of a text, or ``None`` where there is no phase; everything wrong is reported."""
    found = read_paired(text, reporter)
    return None if found is None else found[0]


def read_paired(text: PlanText, reporter: PlanReporter) -> tuple[DeliveryPlan, Pairing] | None:
    """Return the delivery plan of a text with the pairs of its items; like ``read_delivery``."""
    found = tuple(pieces(text, read_blocks(text)))
    chapters = split_chapters(found)
    if not chapters.phases:
        reporter.report(
            "PHASE_MISSING",
            "expected phases, headings such as `### Phase 1 – Title (Week 1)`, got none; give each phase its heading",
            at=(0, 0),
        )
        return None
    people = read_people(chapters)
    names = people.by_name()
    _gather_strays(chapters, reporter, names)
    has_roles = any(_has_role(piece, names) for chapter in chapters.phases for piece in chapter.pieces)
    reader = PhaseReader(reporter, names=names, has_roles=has_roles)
    phases = tuple(reader.read(chapter) for chapter in chapters.phases)
    gates = tuple(sorted((*read_gates(chapters), *reader.gates), key=lambda gate: gate.at))
    mentioned = mentions(text, people.responsibilities, _lines_of(gates, text))
    plan = DeliveryPlan(
        title=_title(found),
        holders=people.holders,
        responsibilities=people.responsibilities,
        rules=people.rules,
        phases=phases,
        gates=gates or _implied(mentioned),
        risks=read_risks(chapters, reader.risk_lines, reader.risk_tables),
    )
    pairing = pair_items(plan)
    check_delivery(plan, pairing, Evidence(chapters=chapters, mentions=tuple(mentioned)), reporter)
    return plan, pairing


def _gather_strays(chapters: Chapters, reporter: PlanReporter, names: dict[str, str]) -> None:
    """Give items that stand outside of every phase to the phase above them."""
    for topic in chapters.topics:
        if any(word in topic.title for word in _LEGENDS):
            continue
        for piece in topic.pieces:
            if not isinstance(piece, ListLine):
                continue
            read = read_item(piece, names)
            if read.mark is None or read.roles is None:
                continue
            taken = "it is left out" if topic.after is None else f"it is read as one of phase {topic.after.id}"
            reporter.report(
                "ITEM_OUTSIDE_PHASE",
                f"expected items below the heading of a phase, got one below none; {taken}, move it",
                at=piece.place,
            )
            if topic.after is not None:
                topic.after.pieces.append(piece)


def _has_role(piece: Piece, names: dict[str, str]) -> bool:
    if not isinstance(piece, ListLine):
        return False
    read = read_item(piece, names)
    return read.mark is not None and read.roles is not None


def _title(found: tuple[Piece, ...]) -> str:
    heading = next((piece for piece in found if isinstance(piece, Heading) and piece.level == 1), None)
    return "" if heading is None or phase_heading(heading.text, 0) is not None else " ".join(heading.text.split())


def _lines_of(gates: tuple[Gate, ...], text: PlanText) -> frozenset[int]:
    return frozenset(text.line_number(gate.at[0]) for gate in gates)


def _implied(mentioned: list[GateMention]) -> tuple[Gate, ...]:
    """Return the gates that are only mentioned, where none is declared."""
    found: dict[str, Gate] = {}
    for mention in mentioned:
        for number in mention.numbers:
            found.setdefault(number, Gate(id=number, after=number, text=mention.text, at=mention.at))
    return tuple(found.values())
