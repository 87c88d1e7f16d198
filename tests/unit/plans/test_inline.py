"""Inline Markdown: what is seen of a cell, where, and what a reader reads out."""

import pytest

from remit.plans.markdown.inline import read_out, seen, shown


@pytest.mark.parametrize(
    ("written", "at_its_place", "read"),
    [
        ("[#12](https://x.test/y) a", " #12                    a", "#12 a"),
        ("[ENG-1][1]", " ENG-1    ", "ENG-1"),
        ("~~x~~ y", "      y", "x y"),
        ("a<br>b", "a\n   b", "a b"),
        ("A &mdash; b&nbsp;c", "A —       b      c", "A — b c"),
        ("Q&amp;A", "Q&    A", "Q&A"),
        ("H<sub>2</sub>O <!-- note -->", "H     2      O              ", "H2O"),
        ("<https://x.test/ENG-2>", " https://x.test/ENG-2 ", "https://x.test/ENG-2"),
        ("a < b > c", "a < b > c", "a < b > c"),
        ("**Auth** for *all* `List<T>`", "**Auth** for *all* `List<T>`", "Auth for all List<T>"),
        ("P1-R* and snake_case", "P1-R* and snake_case", "P1-R* and snake_case"),
        ("&nothing; &#0;", "&nothing; \ufffd   ", "&nothing; \ufffd"),
    ],
    ids=lambda value: value[:12],
)
def test_inline_text_is_seen_at_its_place(written: str, at_its_place: str, read: str) -> None:
    """
    What is seen keeps its place, and what is shown has no marks.
    """
    assert at_its_place == seen(written)
    assert len(written) == len(seen(written))
    assert read == shown(written)


def test_read_out_keeps_code_and_emphasis() -> None:
    """
    Criteria keep what marks a command in them.
    """
    assert "`make dev` **works**, see docs" == read_out("`make dev` **works**, see [docs](d.md)")


@pytest.mark.parametrize("piece", ["<!--", "[a](", "~~", "<a", "&amp", "`", "[", "](", "*a", "]["])
def test_inline_text_costs_one_pass(piece: str) -> None:
    """
    Marks that are never closed are read as text, however many there are.
    """
    assert 40_000 * len(piece) == len(seen(piece * 40_000))
