"""Risks: the register as a table, and lists of risks.

Owns: which column is what, and what a line of a list of risks says.
Does not know: whether the levels make sense.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from remit.plans.delivery.chapters import Chapters
from remit.plans.delivery.lines import ListLine
from remit.plans.delivery.record import DeliveryRisk
from remit.plans.markdown import Cell, Table

_COLUMNS: Final = {
    "id": ("risk id", "id", "#", "no", "no."),
    "impact": ("impact", "severity", "consequence"),
    "likelihood": ("likelihood", "probability", "chance"),
    "mitigation": ("mitigation", "mitigations", "response", "countermeasure", "contingency"),
    "text": ("description", "risk", "risks", "title", "what"),
}
_LINE: Final = re.compile(
    r"(?:\*{0,2}(?P<id>[A-Z]{1,5}-?\d{1,5})\*{0,2} {0,2}[:–—-] {0,2}\*{0,2} {0,2})?(?P<text>.*)\Z", re.DOTALL
)
_MITIGATION: Final = re.compile(r"[\s(;,.–—-]{0,4}\*{0,2}mitigation\*{0,2}:\*{0,2}\s{0,3}", re.IGNORECASE)


def is_about_risks(title: str) -> bool:
    """Whether a heading or label announces risks."""
    words = title.lower().replace("*", " ").replace(":", " ").split()
    return any(word in {"risk", "risks"} for word in words)


def read_risks(chapters: Chapters, lines: Iterable[ListLine], tables: Iterable[Table]) -> tuple[DeliveryRisk, ...]:
    """Return the risks of a document; ``lines`` and ``tables`` are those that stand inside phases."""
    found: list[DeliveryRisk] = []
    for topic in chapters.topics:
        if not is_about_risks(topic.title):
            continue
        for piece in topic.pieces:
            if isinstance(piece, Table):
                found += _rows(piece)
            elif isinstance(piece, ListLine) and piece.depth == 1:
                found.append(_line(piece))
    found += [_line(line) for line in lines if line.depth == 1]
    found += [risk for table in tables for risk in _rows(table)]
    return tuple(sorted(found, key=lambda risk: risk.at))


def _rows(table: Table) -> Iterator[DeliveryRisk]:
    names = [cell.text.lower().strip("* ") for cell in table.header]
    where = {
        field: next((index for index, name in enumerate(names) if name in known), None)
        for field, known in _COLUMNS.items()
    }
    if where["text"] is None:
        return
    for row in table.rows:
        if not any(cell.text for cell in row):
            continue
        yield DeliveryRisk(
            **{field: _cell(row, index) for field, index in where.items()}, at=(row[0].place[0], row[-1].place[1])
        )


def _cell(row: tuple[Cell, ...], index: int | None) -> str:
    return "" if index is None or index >= len(row) else row[index].text


def _line(line: ListLine) -> DeliveryRisk:
    match = _LINE.match(line.text)
    assert match is not None
    parts = _MITIGATION.split(match["text"], maxsplit=1)
    return DeliveryRisk(
        id=match["id"] or "",
        text=" ".join(parts[0].split()),
        mitigation=" ".join(parts[1].rstrip(") ").split()) if len(parts) > 1 else "",
        at=line.place,
    )
