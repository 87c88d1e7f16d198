"""Fixes: what findings say how to put right is put right, and nothing else changes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remit.diagnostics import (
    Diagnostic,
    Diagnostics,
    Edit,
    Reporter,
    Source,
    apply_fixes,
    edit_bytes,
    fix_until_done,
)
from remit.errors import UsageError
from tests.unit.diagnostics.catalogue import Example, examples

FIXABLE = {
    code: example
    for code, example in examples().items()
    if any(finding.fix is not None for finding in example.of_code(code))
}


def replacing(*words: tuple[str, str]):
    """Return a check that wants words replaced, each at its first place."""

    def check(raw: bytes) -> tuple[Source, Diagnostics]:
        source = Source("a.md", raw.decode("utf-8-sig"))
        diagnostics = Diagnostics()
        for old, new in words:
            start = source.text.find(old)
            if start >= 0:
                at = (start, start + len(old))
                Reporter(source, diagnostics).report("TYPE_WRONG", f"expected {new}", at=at, replacement=new)
        return source, diagnostics

    return check


def test_fix_changes_its_place_and_no_other_byte() -> None:
    """
    A byte-order mark, CRLF, trailing space and characters of several bytes stay as they are.
    """
    raw = b"\xef\xbb\xbf" + "näme: onne \r\n漢: two\r\n\r\n".encode()

    fixed = fix_until_done(raw, replacing(("onne", "one")))

    assert raw.replace(b"onne", b"one") == fixed.raw
    assert ["TYPE_WRONG"] == [finding.code for finding in fixed.made]


def test_fix_of_several_lines_takes_the_line_ends_of_the_file() -> None:
    """
    A file whose lines end in CRLF gets no line that ends otherwise.
    """
    assert b"one\r\ntwo\r\n" == fix_until_done(b"onne\r\n", replacing(("onne", "one\ntwo"))).raw


def test_of_overlapping_fixes_one_is_made_at_a_time() -> None:
    """
    Two fixes that reach into each other are not both made at once; the second is made if it is still wanted.
    """
    source, diagnostics = replacing(("ab", "x"), ("bc", "y"))(b"abc")

    assert b"xc" == apply_fixes(b"abc", source, diagnostics).raw
    assert b"xc" == fix_until_done(b"abc", replacing(("ab", "x"), ("bc", "y"))).raw


def test_fixes_that_show_after_others_are_made_too() -> None:
    """
    Fixing goes on until nothing is left to fix.
    """
    check = replacing(("a", "b"), ("b", "c"), ("c", "d"))

    fixed = fix_until_done(b"a b c a b c", check)

    assert b"d d d d d d" == fixed.raw
    assert fixed.raw == fix_until_done(fixed.raw, check).raw


def test_fixes_that_undo_each_other_are_not_made() -> None:
    """
    Two checks that want opposite things leave the file as it was.
    """
    fixed = fix_until_done(b"a", replacing(("a", "b"), ("b", "a")))

    assert (b"a", ()) == (fixed.raw, fixed.made)


def test_file_that_is_no_utf_8_is_refused() -> None:
    """
    Places in a text have none in bytes that are no UTF-8, so that nothing is changed.
    """
    source = Source("a.md", "caf\ufffd onne")
    diagnostics = Diagnostics()
    Reporter(source, diagnostics).report("TYPE_WRONG", "expected one", at=(5, 9), replacement="one")

    with pytest.raises(UsageError, match=r"expected UTF-8 in a\.md, got byte 0xe9 at byte 3; save the file as UTF-8"):
        apply_fixes(b"caf\xe9 onne", source, diagnostics)


def test_bytes_without_fixes_are_never_refused() -> None:
    """
    A file that is no UTF-8 and needs no fix is no error of fixing.
    """
    finding = Diagnostic(code="TYPE_WRONG", message="expected y", path="a.md")

    assert b"caf\xe9" == apply_fixes(b"caf\xe9", Source("a.md", "caf\ufffd"), [finding]).raw


@pytest.mark.parametrize("example", FIXABLE.values(), ids=FIXABLE)
def test_fix_of_an_example_removes_its_finding(example: Example) -> None:
    """
    A fix is offered only where it is certain: after it the finding is gone, no code is new, and again changes nothing.
    """
    before = {finding.code for finding in example.findings}
    raw = next(iter(example.files.values()))
    fixed = fix_until_done(raw, example.check)
    _, after = example.check(fixed.raw)

    assert fixed.made
    assert set() == {finding.code for finding in after} - before
    assert [] == [finding for finding in after if finding.fix is not None]
    assert fixed.raw == fix_until_done(fixed.raw, example.check).raw


@given(
    st.text(alphabet=st.characters(codec="utf-8"), max_size=60),
    st.lists(st.tuples(st.integers(0, 60), st.integers(0, 9), st.text(alphabet="xyz", max_size=3)), max_size=8),
)
def test_edits_keep_every_character_outside(text: str, wanted: list[tuple[int, int, str]]) -> None:
    """
    Whatever the edits: what stands outside of all of them is still there, in its order.
    """
    text = text.replace("\ufeff", "")
    edits = [
        Edit(start=min(start, len(text)), end=min(start + length, len(text)), replacement=new)
        for start, length, new in wanted
    ]
    covered = {offset for edit in edits for offset in range(edit.start, edit.end)}
    changed = edit_bytes(text.encode(), Source("a.md", text), edits).decode()
    outside = "".join(character for offset, character in enumerate(text) if offset not in covered)

    remaining = iter(changed)
    assert all(character in remaining for character in outside)
