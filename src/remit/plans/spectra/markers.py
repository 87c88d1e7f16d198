"""Marks that tools leave in a plan, such as ``STUCK:002``, ``SPLIT:002 -> 002-a, 002-b`` and ``SPECTRA_COMPLETE``.

Owns: reading them.
Does not know: whether the tasks they name agree.
"""

from __future__ import annotations

import re
from typing import Final

from remit.plans.spectra.ids import read_references, split_at_arrows
from remit.plans.spectra.pieces import Piece
from remit.plans.spectra.record import Marker
from remit.plans.texts import Line

SPLIT: Final = "SPLIT"
STUCK: Final = "STUCK"
VERIFIED: Final = "VERIFIED"
COMPLETE: Final = "SPECTRA_COMPLETE"

_MARKER: Final = re.compile(r"[ \t>*_`-]*(?P<word>SPLIT|STUCK|VERIFIED):(?P<rest>.*)")
_COMPLETE: Final = re.compile(r"[ \t>*_`<-]*SPECTRA_COMPLETE[*_`/> \t]*$")


def read_marker(line: Line) -> Marker | None:
    """Return the mark that a line is, or ``None``; a mark without the id of a task is none."""
    if _COMPLETE.match(line.text):
        return Marker(word=COMPLETE, task=None, at=line.place)
    found = _MARKER.match(line.text)
    if found is None:
        return None
    rest = Piece(line.text, line.start).cut(found.start("rest")).strip()
    first, *others = split_at_arrows(rest) if found["word"] == SPLIT else [rest]
    tasks = read_references(first).found
    if not tasks:
        return None
    parts = tuple(one for other in others for one in read_references(other).found)
    return Marker(word=found["word"], task=tasks[0], parts=parts, at=line.place)
