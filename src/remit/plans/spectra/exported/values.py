"""Values of ``plan.json``, with their places inside the quotation marks.

Owns: texts and lists of them as the readers of the Markdown form take them.
Does not know: which fields there are.
"""

from __future__ import annotations

from collections.abc import Iterator

from remit.diagnostics import Diagnostics
from remit.plans.documents import Invalid, Node, Scalar, Sequence
from remit.plans.fields import Fields, text_of, wrong_type
from remit.plans.plan import Reference, Text
from remit.plans.spectra.ids import same_id
from remit.plans.spectra.pieces import Piece
from remit.plans.texts import PLAN_BYTES_MAX, PlanReporter


class Values:
    """The values of one object."""

    def __init__(self, fields: Fields, reporter: PlanReporter) -> None:
        self.fields = fields
        self.reporter = reporter

    def piece(self, name: str) -> Piece | None:
        """Return a text with its place; ``None`` if there is none, having said why unless the field is not there."""
        node = self.fields.node(name)
        return None if node is None else self.piece_of(node)

    def piece_of(self, node: Node) -> Piece | None:
        """Return a node that is to be a text on its place; an empty one is one."""
        if isinstance(node, Scalar) and node.value == "":
            return Piece("", node.start + 1)
        found = text_of(self.reporter, node, length_max=PLAN_BYTES_MAX)
        return None if found is None else Piece(found, node.start + 1)

    def text(self, name: str) -> str | None:
        """Return a text, ``None`` if there is none or it is empty."""
        found = self.piece(name)
        return None if found is None else found.text or None

    def pieces(self, name: str) -> tuple[Piece, ...] | None:
        """Return a list of texts with their places."""
        items = self.fields.items(name)
        if items is None:
            return None
        found = (self.piece_of(item) for item in items)
        return tuple(piece for piece in found if piece is not None and piece.text)

    def texts(self, name: str) -> tuple[Text, ...] | None:
        """Return a list of texts."""
        found = self.pieces(name)
        return None if found is None else tuple(Text(text=one.text, at=self.place(one)) for one in found)

    def references(self, name: str) -> tuple[Reference, ...] | None:
        """Return a list of ids."""
        found = self.pieces(name)
        return None if found is None else tuple(self.reference(one) for one in found)

    def chains(self, name: str) -> tuple[tuple[Reference, ...], ...] | None:
        """Return a list of lists of ids; empty ones are left out."""
        items = self.fields.items(name)
        if items is None:
            return None
        return tuple(chain for chain in map(self._chain, items) if chain)

    def _chain(self, node: Node) -> tuple[Reference, ...]:
        if not isinstance(node, Sequence):
            if not isinstance(node, Invalid):
                wrong_type(self.reporter, node, "a list of ids")
            return ()
        found = (self.piece_of(item) for item in node.items)
        return tuple(self.reference(one) for one in found if one is not None and one.text)

    def reference(self, piece: Piece) -> Reference:
        """Return an id, in the spelling under which ids are compared."""
        return Reference(id=same_id(piece.text), at=self.place(piece))

    def children(self, name: str) -> Iterator[Node]:
        """Return the items of a list of objects."""
        yield from self.fields.items(name) or ()

    def place(self, piece: Piece) -> tuple[int, int]:
        """Return where a text stands; behind escapes only where it begins is certain."""
        return piece.place if self.is_plain(piece) else (piece.start, piece.start + 1)

    def is_plain(self, piece: Piece) -> bool:
        """Whether a text stands in the file without escapes."""
        return self.reporter.text.text[slice(*piece.place)] == piece.text

    def reporter_of(self, piece: Piece) -> PlanReporter:
        """Return who is told about the parts of a text: nobody if they have no place of their own."""
        return self.reporter if self.is_plain(piece) else PlanReporter(self.reporter.text, Diagnostics())
