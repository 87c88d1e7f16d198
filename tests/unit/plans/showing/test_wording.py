"""Texts and figures as people read them."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remit.plans.showing.measuring import shorten, text_width, wrap
from remit.plans.showing.wording import day_range, days, percent, shown


@pytest.mark.parametrize(
    ("value", "text"),
    [("0", "0"), ("1.50", "1.5"), ("10", "10"), ("1E+2", "100"), ("0.125", "0.12"), ("1234.5", "1,234.5")],
)
def test_days_have_no_trailing_zeros(value: str, text: str) -> None:
    """
    Days are written to the hundredth, as people write them.
    """
    assert text == days(Decimal(value))


def test_absurd_days_stay_short() -> None:
    """
    A document may hold any number; it is not written out in a million digits.
    """
    assert "9.99E+999999" == days(Decimal("9.99E+999999"))


def test_range_of_one_value_is_the_value() -> None:
    """
    A range is written only where there is one.
    """
    assert ("2 d", "1\N{EN DASH}2 d") == (day_range(Decimal(2), Decimal(2)), day_range(Decimal(1), Decimal(2)))


def test_percent_is_whole_only_when_everything_is() -> None:
    """
    99.9 % is not rounded up to what would read as complete.
    """
    assert ("99 %", "100 %", "\N{EN DASH}") == (percent(999, 1000), percent(5, 5), percent(0, 0))


def test_joiners_of_scripts_are_kept() -> None:
    """
    Persian and emoji need them; other invisible characters are replaced.
    """
    text = "\u0645\u06cc\u200c\u062e\u0648 👩\u200d💻"

    assert text == shown(f"  {text}\n")
    assert "a\N{REPLACEMENT CHARACTER}b" == shown("a\u200eb")


@given(st.text(max_size=80), st.floats(20, 300), st.integers(1, 3))
def test_wrapped_lines_fit_and_lose_nothing_but_the_end(text: str, width: float, lines_max: int) -> None:
    """
    No line is too wide, there are not too many, and without an ellipsis all words are there.
    """
    lines = wrap(shown(text), width=width, size=10, lines_max=lines_max)

    assert len(lines) <= lines_max
    assert all(text_width(line, 10) <= width for line in lines)
    if not (lines and lines[-1].endswith("…")):
        assert "".join(shown(text).split()) == "".join("".join(lines).split())


def test_long_words_are_broken_where_names_are() -> None:
    """
    A path is broken behind a slash and a name before a capital, not in the middle of a word.
    """
    assert ("Orchestration", "Repository") == wrap("OrchestrationRepository", width=100, size=10, lines_max=2)
    assert ("integration/", "tests/all.ts") == wrap("integration/tests/all.ts", width=90, size=10, lines_max=3)


@given(st.text(max_size=60), st.floats(20, 200))
def test_shortened_text_fits(text: str, width: float) -> None:
    """
    Whatever the text, it fits, and a text that fits is left alone.
    """
    found = shorten(text, width=width, size=10)

    assert text_width(found, 10) <= width
    if text_width(text, 10) <= width:
        assert text == found
