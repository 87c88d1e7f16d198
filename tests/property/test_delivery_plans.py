"""Laws of delivery plans: what is written is read again, and changing a mark changes that mark."""

import codecs
from collections.abc import Callable
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from remit.diagnostics import Diagnostics
from remit.plans.delivery import DeliveryPlan, Item, read_delivery, set_state, write_delivery
from remit.plans.plan import TaskState
from remit.plans.texts import PlanReporter, read_text
from tests.property.delivery_plans import STATES, delivery_plans


def read(raw: bytes) -> DeliveryPlan:
    diagnostics = Diagnostics()
    text = read_text(raw, path="plan.md", diagnostics=diagnostics)
    assert text is not None
    record = read_delivery(text, PlanReporter(text, diagnostics))
    assert record is not None
    return record


def as_written(text: str) -> bytes:
    return text.encode()


def with_crlf(text: str) -> bytes:
    return text.replace("\n", "\r\n").encode()


def with_mark(text: str) -> bytes:
    return codecs.BOM_UTF8 + text.encode()


def misread(text: str) -> bytes:
    """Return the text as it is after somebody read it as Mac Roman and saved it."""
    return text.encode().decode("mac_roman").encode()


FORMS = [as_written, with_crlf, with_mark, misread]

EXAMPLES_MAX = 50
"""A plan takes long to make up."""


@settings(max_examples=EXAMPLES_MAX)
@given(delivery_plans())
def test_written_plan_is_read_again(record: DeliveryPlan) -> None:
    """
    Reading what was written gives the same record.
    """
    assert record == read(write_delivery(record).encode())


@settings(max_examples=EXAMPLES_MAX)
@given(form=st.sampled_from(FORMS), record=delivery_plans())
def test_form_of_the_file_does_not_matter(form: Callable[[str], bytes], record: DeliveryPlan) -> None:
    """
    The same plan is read from a file with CRLF, with a byte-order mark, and with characters that were misread.
    """
    assert record == read(form(write_delivery(record)))


@settings(max_examples=EXAMPLES_MAX)
@given(form=st.sampled_from(FORMS), record=delivery_plans(), state=STATES, data=st.data())
def test_changing_a_mark_changes_one_character(
    form: Callable[[str], bytes], record: DeliveryPlan, state: TaskState, data: st.DataObject
) -> None:
    """
    Setting the state of an item changes the character of its mark and no other byte of the file.
    """
    raw = form(write_delivery(record))
    item = data.draw(st.sampled_from(record.items))

    changed = set_state(raw, item.id, state)

    before, after = raw.decode(), changed.decode()
    differing = [index for index, pair in enumerate(zip(before, after, strict=True)) if pair[0] != pair[1]]
    assert len(differing) == (item.state is not state)
    assert state_of(record, item, state) == read(changed)


@settings(max_examples=EXAMPLES_MAX)
@given(form=st.sampled_from(FORMS), record=delivery_plans(), state=STATES, data=st.data())
def test_emoji_mark_is_replaced_whole(
    form: Callable[[str], bytes], record: DeliveryPlan, state: TaskState, data: st.DataObject
) -> None:
    """
    Where marks are emoji, the whole emoji becomes another one, and everything else stays.
    """
    emoji = {"[ ]": "⬜", "[~]": "🚧", "[x]": "✅", "[!]": "⚠️"}
    lines = write_delivery(record).split("\n")
    marked = [emoji_line(line, emoji) for line in lines]
    raw = form("\n".join(marked))
    item = data.draw(st.sampled_from(record.items))

    changed = set_state(raw, item.id, state)

    assert state_of(record, item, state) == read(changed)
    assert raw.count(b"\n") == changed.count(b"\n")
    assert sum(one != two for one, two in zip(raw.split(b"\n"), changed.split(b"\n"), strict=True)) <= 1


def emoji_line(line: str, emoji: dict[str, str]) -> str:
    """Return an item's line with an emoji instead of its mark; details keep theirs."""
    mark = line[2:5]
    return f"- {emoji[mark]}{line[5:]}" if line.startswith("- [") and mark in emoji else line


def state_of(record: DeliveryPlan, changed: Item, state: TaskState) -> DeliveryPlan:
    """Return the record with one item in another state."""
    phases = tuple(
        replace(
            phase,
            sections=tuple(
                replace(
                    section,
                    items=tuple(replace(item, state=state) if item is changed else item for item in section.items),
                )
                for section in phase.sections
            ),
        )
        for phase in record.phases
    )
    return replace(record, phases=phases)
