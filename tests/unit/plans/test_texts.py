"""Texts of plans: tolerant reading, places in the file, and edits that change nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remit.diagnostics import Diagnostics, Position
from remit.plans.markdown import Heading, ListItem, Table, read_blocks
from remit.plans.texts import PLAN_BYTES_MAX, Edit, PlanText, apply_edits, read_text

DASH = "\N{EM DASH}"
LANGUAGES = Path(__file__).with_name("languages.txt")
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


MEANT = "\N{EM DASH} \N{LEFT DOUBLE QUOTATION MARK}a\N{RIGHT DOUBLE QUOTATION MARK} \N{BULLET} é ü 漢字 🙂 ├── ✅ |"


@pytest.mark.parametrize("codec", ["macroman", "sloppy-windows-1252", "latin-1", "cp437", "iso-8859-2"])
def test_mojibake_of_every_origin_is_read_as_meant(codec: str) -> None:
    """
    Also where bytes became control characters, which are no findings of their own then.
    """
    text, diagnostics = read(f"# A {MEANT} b\n- c {MEANT}\n".encode().decode(codec).encode())

    assert f"# A {MEANT} b\n- c {MEANT}\n" == text.text
    assert ["MOJIBAKE_REPAIRED"] == [finding.code for finding in diagnostics]


@pytest.mark.parametrize("codec", ["macroman", "sloppy-windows-1252"])
def test_every_place_behind_mojibake_is_exact(codec: str) -> None:
    """
    Each character that is alike in both texts has its own place, and a repaired one has the stretch that stood for it.
    """
    text, _ = read(f"a{DASH}{DASH}b {DASH}c é d".encode().decode(codec).encode())

    for offset, character in enumerate(text.text):
        start, end = text.written(offset), text.written(offset + 1)
        assert character == repair_of(text.source.text[start:end], codec)


def repair_of(stretch: str, codec: str) -> str:
    return stretch if stretch.isascii() else stretch.encode(codec).decode()


@pytest.mark.parametrize("codec", ["macroman", "sloppy-windows-1252"])
def test_true_characters_beside_mangled_ones_stay(codec: str) -> None:
    """
    Somebody went on writing in a mangled file: what is right beside the mojibake is left alone.
    """
    mangled = DASH.encode().decode(codec)

    text, diagnostics = read(f"é{mangled}ü: {mangled}漢 {DASH} ß\n".encode())

    assert f"é{DASH}ü: {DASH}漢 {DASH} ß\n" == text.text
    assert ["MOJIBAKE_REPAIRED"] == [finding.code for finding in diagnostics]


def test_text_that_was_mangled_twice_is_repaired_twice() -> None:
    """
    Saved wrongly two times, each character has become six or more; one finding tells it, at its place in the file.
    """
    once = f"a {DASH} b".encode().decode("macroman")

    text, diagnostics = read(once.encode().decode("macroman").encode())

    assert f"a {DASH} b" == text.text
    assert [("MOJIBAKE_REPAIRED", 3)] == [(finding.code, finding.span.start.column) for finding in diagnostics]
    assert "b" == text.source.text[text.written(text.text.index("b"))]


@pytest.mark.parametrize("written", LANGUAGES.read_text(encoding="utf-8").splitlines())
def test_sound_text_of_any_language_is_left_alone(written: str) -> None:
    """
    No language is taken for mojibake: a false repair would change what a plan says.
    """
    text, diagnostics = read(f"# {written}\n\n- {written}: {written}\n".encode())

    assert text.source.text == text.text
    assert [] == [finding.code for finding in diagnostics]


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=60))
def test_repaired_text_keeps_its_lines_and_places(written: str) -> None:
    """
    Whatever was mangled: places never go backwards, and both texts have the same lines.
    """
    text, _ = read(f"a {DASH} b\n{written}\nc\n".encode().decode("macroman").encode())

    places = [text.written(offset) for offset in range(len(text.text) + 1)]
    assert sorted(places) == places
    assert len(text.source.text) == places[-1]
    assert text.source.line_count == len(text.lines)


def test_edit_inside_of_mojibake_takes_its_whole_character() -> None:
    """
    A repaired character is changed as one: no part of what stood for it stays behind.
    """
    raw = f"- {MANGLED} one".encode()
    text, _ = read(raw)

    assert b"- x one" == apply_edits(raw, text, [Edit(start=2, end=3, replacement="x")])


def test_file_that_is_no_utf_8_is_read_on() -> None:
    """
    Bytes that are no UTF-8 are told one by one, and what is around them is read.
    """
    text, diagnostics = read(b"# Caf\xe9 a\n- \xff b\n")

    assert ["ENCODING_INVALID"] * 2 == [finding.code for finding in diagnostics]
    assert "# Caf\ufffd a\n- \ufffd b\n" == text.text


def test_oddities_are_told_once_each() -> None:
    """
    However many lines end in CRLF or begin with a tab, one finding tells it; hidden characters are told one by one.
    """
    _, diagnostics = read(b"# A\r\n" + b"\t- x\r\n" * 50 + "- a\u202eb \u200b\x07\n".encode())

    codes = [finding.code for finding in diagnostics]
    assert [1, 1, 2] == [codes.count(code) for code in ("LINE_ENDINGS", "TAB_INDENTATION", "CHARACTER_FORBIDDEN")]
    assert "and 49 more lines" in next(f.message for f in diagnostics if f.code == "TAB_INDENTATION")


def test_too_large_plan_is_not_read() -> None:
    """
    A file beyond the limit is one finding and no text.
    """
    diagnostics = Diagnostics()

    assert read_text(b"x" * (PLAN_BYTES_MAX + 1), path="plan.md", diagnostics=diagnostics) is None
    assert ["DOCUMENT_TOO_LARGE"] == [finding.code for finding in diagnostics]
