"""Changing how far an item is, in place.

Owns: which characters of a file become which; every other byte stays.
Does not know: whether the new state makes sense.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import Final

from remit.diagnostics import Diagnostics
from remit.errors import UsageError
from remit.plans.delivery.marks import BRACKETED, mark_for
from remit.plans.delivery.reading import read_delivery
from remit.plans.plan import TaskState
from remit.plans.texts import Edit, PlanReporter, apply_edits, read_text

_COMPARED_MAX: Final = 2_000
"""So many ids are compared with an unknown one."""


def set_state(raw: bytes, item_id: str, state: TaskState) -> bytes:
    """Return a delivery plan with one item in another state; nothing changes but the character of its mark.

    An emoji is replaced as a whole, by the emoji of the state. An item without a mark gets one.

    Args:
        raw: The file.
        item_id: The item's id, such as ``1.2-B3``.
        state: How far it is now.

    Raises:
        UsageError: the file cannot be read, or has no such item.
    """
    diagnostics = Diagnostics()
    text = read_text(raw, path="plan", diagnostics=diagnostics)
    record = None if text is None else read_delivery(text, PlanReporter(text, diagnostics))
    if text is None or record is None:
        raise UsageError(f"expected a delivery plan, got {diagnostics.summary()}")
    item = next((item for item in record.items if item.id == item_id), None)
    if item is None:
        known = [one.id for one in record.items[:_COMPARED_MAX]]
        near = get_close_matches(item_id, known, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise UsageError(f"expected the id of an item, such as 1.2-B3, got {item_id!r}{hint}")
    start, end = item.mark_at
    written = text.text[start:end]
    is_bare = start == end and text.text[start - 1 : start] != "["
    if item.state is state and not is_bare and (written in BRACKETED or len(written) > 0):
        return raw
    mark = f"[{mark_for(state, written)}] " if is_bare else mark_for(state, written)
    return apply_edits(raw, text, [Edit(start=start, end=end, replacement=text.in_kind(mark, start, end))])
