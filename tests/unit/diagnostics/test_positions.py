"""Lines and columns, as editors count them."""

import pytest

from remit.diagnostics import Position, Source, Span


@pytest.mark.parametrize(
    ("offset", "expected"),
    [(0, (1, 1)), (2, (1, 3)), (3, (2, 1)), (5, (3, 1)), (6, (3, 2)), (8, (4, 1)), (99, (4, 3)), (-1, (1, 1))],
)
def test_position_counts_every_kind_of_line_end(offset: int, expected: tuple[int, int]) -> None:
    """
    LF, CRLF and a lone CR each end one line, and offsets outside the text are its ends.
    """
    source = Source("x", "ab\nc\rd\r\nef")

    assert Position(*expected) == source.position(offset)


def test_position_counts_code_points() -> None:
    """
    A character beyond the basic plane is one column.
    """
    source = Source("x", "a𝄞é b")

    assert Position(1, 4) == source.position(3)


def test_lines_come_without_their_ends() -> None:
    """
    A line is shown without LF or CRLF, and one that does not exist is empty.
    """
    source = Source("x", "ab\r\nc\n")

    assert ["ab", "c", "", ""] == [source.line(number) for number in (1, 2, 3, 0)]


def test_span_never_ends_before_it_starts() -> None:
    """
    A span whose end is before its start is empty.
    """
    assert Span(Position(1, 3), Position(1, 3)) == Source("x", "abcd").span(2, 1)
