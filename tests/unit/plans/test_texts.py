"""Texts of plans: tolerant reading, places in the file, and edits that change nothing else."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from remit.diagnostics import Diagnostics, Position
from remit.plans.markdown import Heading, ListItem, Table, read_blocks
from remit.plans.texts import Edit, PlanText, apply_edits, read_text

DASH = "\N{EM DASH}"
MANGLED = DASH.encode().decode("mac_roman")


def read(raw: bytes) -> tuple[PlanText, Diagnostics]:
    diagnostics = Diagnostics()
    text = read_text(raw, path="plan.md", diagnostics=diagnostics)
    assert text is not None
    return text, diagnostics


def test_mojibake_is_read_as_it_was_meant() -> None:
    """
    Text that was UTF-8, read as Mac Roman and saved again, is read as it was meant, and said once.
    """
    text, diagnostics = read(f"# Plan {MANGLED} one\nnext {MANGLED} [ ] task\n".encode())

    assert f"# Plan {DASH} one\nnext {DASH} [ ] task\n" == text.text
    assert ["MOJIBAKE_REPAIRED"] == [finding.code for finding in diagnostics]


def test_place_behind_mojibake_is_that_of_the_file() -> None:
    """
    A place in the text as it is read is found in the file, whose characters are others.
    """
    text, _ = read(f"a {MANGLED} b {MANGLED} c".encode())
    start = text.text.index("c")

    span = text.span(start, start + 1)

    assert Position(1, 13) == span.start
    assert "c" == text.source.text[text.written(start)]


def test_edit_changes_nothing_else() -> None:
    """
    A mark is changed in a file with byte-order mark, CRLF and mojibake; every other byte stays.
    """
    raw = f"\ufeff# A {MANGLED}\r\n- [ ] 001: one {MANGLED}\r\n".encode()
    text, _ = read(raw)
    start = text.text.index("[ ]") + 1

    changed = apply_edits(raw, text, [Edit(start=start, end=start + 1, replacement="x")])

    assert raw.replace(b"[ ]", b"[x]") == changed


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=200))
def test_no_edit_leaves_every_byte(written: str) -> None:
    """
    Whatever the file holds: without an edit its bytes stay as they are.
    """
    raw = written.encode()
    diagnostics = Diagnostics()
    text = read_text(raw, path="plan.md", diagnostics=diagnostics)

    if text is not None:
        assert raw == apply_edits(raw, text, [])


def test_oddities_are_said_and_read_on() -> None:
    """
    A byte-order mark, CRLF and tabs are warnings or notes; nothing of them is an error.
    """
    _, diagnostics = read(b"\xef\xbb\xbf# A\r\n\t- x\r\n")

    assert {"BYTE_ORDER_MARK", "LINE_ENDINGS", "TAB_INDENTATION"} == {finding.code for finding in diagnostics}
    assert not diagnostics.has_errors


def test_blocks_have_the_places_of_what_they_say() -> None:
    """
    Headings, items and cells point at their own words, also with escaped pipes and nesting.
    """
    text, _ = read(b"## Title ##\n\n1. one\n   - [ ] two\n\n| a | b |\n|---|---|\n| x \\| y | z |\n")

    blocks = read_blocks(text)

    heading, first, second, table = blocks
    assert isinstance(heading, Heading)
    assert isinstance(first, ListItem)
    assert isinstance(second, ListItem)
    assert isinstance(table, Table)
    assert ("Title", 2) == (heading.text, heading.level)
    assert (1, 1, 2) == (first.number, first.depth, second.depth)
    assert "[ ] two" == text.text[slice(*second.place)]
    assert ["x | y", "z"] == [cell.text for cell in table.rows[0]]
    assert "x \\| y" == text.text[slice(*table.rows[0][0].place)]
