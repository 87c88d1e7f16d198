"""Display: what a person sees is what will be sent, with everything that hides made visible."""

from __future__ import annotations

import json
from typing import Any, get_args

import pytest

from remit.governance import display
from remit.governance.display import LINES_MAX, Kind, render_narration, render_request
from remit.governance.legibility import deceptions


def rendered(value: Any) -> tuple[str, list[tuple[str, str]]]:
    shown = render_request(json.dumps(value).encode())
    return shown.text, [(warning.kind, warning.path) for warning in shown.warnings]


def test_request_is_rendered_field_by_field() -> None:
    """
    Names, numbers, nested records and lists each have a line; nothing about them needs a second look.
    """
    text, warnings = rendered({"to": "jo", "n": 5, "ok": True, "none": None, "items": [{"sku": "A"}, {}], "e": []})

    assert [
        '"to": "jo"',
        '"n": 5',
        '"ok": true',
        '"none": null',
        '"items":',
        "  [0]",
        '    "sku": "A"',
        "  [1] {}",
        '"e": []',
    ] == text.splitlines()
    assert [] == warnings


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("pay \u202eecila", "bidirectional"),
        ("a\u2066b\u2069", "bidirectional"),
        ("zero\u200bwidth", "hidden"),
        ("tag\U000e0041", "hidden"),
        ("a\ufe01b", "hidden"),
        ("filler\u3164", "hidden"),
        ("bell\x07", "hidden"),
        ("line\u2028break", "hidden"),
        ("to: jo" + " " * 60 + "and to: eve", "padding"),
        ("first" + "\n" * 10 + "last", "padding"),
        ("p\u0430ypal.com", "mixed-script"),
        ("\u0440\u0430\u0443 me", "lookalike"),
        ("\uff50\uff41\uff59", "lookalike"),
        ("\U0001d429\U0001d41a\U0001d432", "lookalike"),
    ],
)
def test_text_that_deceives_is_reported(text: str, kind: str) -> None:
    """
    Turned, hidden, pushed away or imitated: each is named, with the place, in values and in names.
    """
    assert kind in deceptions(text)
    assert (kind, "$.note") in rendered({"note": text})[1]
    assert kind in [found for found, _ in rendered({text: 1})[1]]
    assert kind in [warning.kind for warning in render_narration(text).warnings]


@pytest.mark.parametrize(
    "text",
    ["", "Hello, world!", "Grüße aus Köln", "Привет, мир", "Καλημέρα", "日本語テキスト", "a\nb\tc", "thumbs ❤️", "½"],
)
def test_ordinary_text_is_not_reported(text: str) -> None:
    """
    Other languages are no deception.
    """
    assert [] == [kind for kind in deceptions(text) if text != "½" or kind != "lookalike"]


def test_value_cannot_look_like_a_field() -> None:
    """
    Lines of a text stand after a bar, so that none of them passes for another argument.
    """
    text, _ = rendered({"note": 'thanks\n"approved": true', "n": 1})

    assert ['"note":', "  │ thanks", '  │ "approved": true', '"n": 1'] == text.splitlines()


def test_long_text_is_cut_and_reported() -> None:
    """
    What is not shown is said, with a digest of the whole.
    """
    text, warnings = rendered({"body": "x" * 5_000 + "END"})

    assert "3103 characters not shown" in text
    assert text.endswith('xEND"')
    assert [("cut", "$.body")] == warnings


def test_many_lines_are_cut_and_reported() -> None:
    """
    A request of a thousand fields ends with a warning instead of scrolling the decision away.
    """
    text, warnings = rendered(list(range(1_000)))

    assert LINES_MAX + 1 == len(text.splitlines())
    assert [("cut", "$")] == warnings


@pytest.mark.parametrize("arguments", [b"\xff\xfe", b"{", b"", b'{"a": 1} trailing'])
def test_bytes_that_are_no_json_are_shown_as_bytes(arguments: bytes) -> None:
    """
    Whatever is asked for is shown, and that it cannot be read is said.
    """
    shown = render_request(arguments)

    assert ["unreadable"] == [warning.kind for warning in shown.warnings]
    assert shown.needs_second_look


def test_every_kind_of_warning_has_its_words() -> None:
    """
    The table of explanations has an entry for each kind.
    """
    assert set(get_args(Kind)) == set(display._MEANING)


def test_deeply_nested_request_is_shown() -> None:
    """
    Nesting as deep as JSON is accepted does not break the display.
    """
    assert render_request(b"[" * 100 + b"1" + b"]" * 100).text.endswith("[0] 1")
