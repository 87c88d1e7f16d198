"""Bytes: size, encoding and characters."""

import pytest

from remit.plans.documents import DOCUMENT_BYTES_MAX
from tests.unit.plans.reading import findings_of, lines, read


def test_size_is_judged_before_anything_else() -> None:
    """
    4 MB are read, one byte more is not, whatever the bytes are.
    """
    fitting = b"# " + b"x" * (DOCUMENT_BYTES_MAX - 7) + b"\na: 1"

    assert DOCUMENT_BYTES_MAX == len(fitting)
    assert [] == findings_of(fitting)
    assert ["1:1 DOCUMENT_TOO_LARGE"] == findings_of(fitting + b"\n")
    assert ["1:1 DOCUMENT_TOO_LARGE"] == findings_of(b"\xff" * (DOCUMENT_BYTES_MAX + 1))


def test_invalid_utf_8_is_named_with_its_byte() -> None:
    """
    The message names the byte and its position in the file, and reading goes on.
    """
    _, diagnostics = read(b"\xef\xbb\xbfa: \xc3\xa9\xff\nb: 1\nb: 2\n")
    messages = {finding.code: finding.message for finding in diagnostics}

    assert ["1:1 BYTE_ORDER_MARK", "1:5 ENCODING_INVALID", "3:1 KEY_DUPLICATE"] == lines(diagnostics)
    assert "0xff at byte 8 " in messages["ENCODING_INVALID"]


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"\xef\xbb\xbfa: 1\n", ["1:1 BYTE_ORDER_MARK"]),
        (b"a: 1\r\nb: 2\r\n", ["1:5 LINE_ENDINGS"]),
        (b"a: 1\rb: 2\n", ["1:5 CHARACTER_FORBIDDEN"]),
        (b"a: \x00\n", ["1:4 CHARACTER_FORBIDDEN"]),
        (b"a: \x1b[0m\n", ["1:4 CHARACTER_FORBIDDEN"]),
        ("a: x\u2028y\n".encode(), ["1:5 CHARACTER_FORBIDDEN"]),
        ("a: x\u0085y\n".encode(), ["1:5 CHARACTER_FORBIDDEN"]),
        ("a: x\u202ey\n".encode(), ["1:5 CHARACTER_FORBIDDEN"]),
        ("a: x\ufeffy\n".encode(), ["1:5 CHARACTER_FORBIDDEN"]),
        ("a: 1\n".encode("utf-16"), ["1:1 ENCODING_INVALID"]),
        ("a: 1\n".encode("utf-32"), ["1:1 ENCODING_INVALID"]),
        (b"a: \xed\xa0\x80\n", ["1:4 ENCODING_INVALID", "1:5 ENCODING_INVALID", "1:6 ENCODING_INVALID"]),
        (b"a: \x80\x80\n", ["1:4 ENCODING_INVALID", "1:5 ENCODING_INVALID"]),
    ],
)
def test_bytes_that_hide_something_are_reported(raw: bytes, expected: list[str]) -> None:
    """
    Marks, controls and foreign encodings are findings at their place.
    """
    assert expected == findings_of(raw)


def test_byte_order_mark_and_crlf_change_nothing() -> None:
    """
    A file saved on Windows reads like any other, with findings that do not block.
    """
    document, diagnostics = read(b"\xef\xbb\xbfa: |\r\n  x\r\n  y\r\n")
    plain, _ = read(b"a: |\n  x\n  y\n")

    assert not diagnostics.has_errors
    assert document is not None
    assert plain is not None
    assert document.root is not None
    assert repr(plain.root.entries["a"].value.value) == repr(document.root.entries["a"].value.value)


def test_emoji_and_joiners_are_text() -> None:
    """
    Characters that scripts and emoji need are not refused.
    """
    assert [] == findings_of("a: '👩\u200d👩\u200d👧 שלום \u200f'\n")


def test_binary_garbage_is_not_read_on() -> None:
    """
    A file that is no text is answered shortly.
    """
    document, diagnostics = read(bytes(range(128, 256)) * 100)

    assert document is None
    assert 10 < len(diagnostics) < 30
