"""Display: what a person sees before agreeing, rendered from the bytes that will be sent.

Owns: the rendering of arguments for terminal and console, and the warnings beside it.
Does not know: who asks. What a model says about a request is never part of it: it is rendered apart, and marked.
"""

from __future__ import annotations

import hashlib
import json
from typing import Final, Literal

import msgspec

from remit.core.canonical import DEPTH_MAX, JsonValue
from remit.governance.legibility import deceptions, visible
from remit.governance.mismatches import path_of

LINES_MAX: Final = 500
TEXT_SHOWN_MAX: Final = 2_000
"""Longer texts are cut in the middle: a person reads the rest in the full record, or does not agree."""

_HEAD: Final = 1_500
_TAIL: Final = 400
_INDENT: Final = "  "
_BAR: Final = "│ "

Kind = Literal["bidirectional", "cut", "hidden", "lookalike", "mixed-script", "padding", "unreadable"]

_MEANING: Final[dict[Kind, str]] = {
    "bidirectional": "characters that turn the order of text around; they are shown as ⟨U+…⟩",
    "cut": "more than is shown here; read the full record before you decide",
    "hidden": "characters that cannot be seen; they are shown as ⟨U+…⟩",
    "lookalike": "letters that imitate Latin ones",
    "mixed-script": "a word with letters of several scripts, as in forged names",
    "padding": "long padding, which can push text out of sight; it is counted instead of shown",
    "unreadable": "bytes that are no JSON",
}


class DisplayWarning(msgspec.Struct, frozen=True, kw_only=True):
    """Why a place needs a second look."""

    kind: Kind
    path: str
    message: str


class Display(msgspec.Struct, frozen=True, kw_only=True):
    """What is shown: plain text without control characters, and what about it may deceive."""

    text: str
    warnings: tuple[DisplayWarning, ...] = ()

    @property
    def needs_second_look(self) -> bool:
        """Whether something is hidden, imitated or not shown."""
        return bool(self.warnings)


def render_request(arguments: bytes) -> Display:
    """Return the display of a call's exact argument bytes. What is no JSON is shown as bytes, with a warning.

    Names and values keep their JSON form on one line; texts of several lines stand under their name, each line after
    a bar, so that no value can look like another field.
    """
    try:
        value = msgspec.json.decode(arguments)
    except (msgspec.DecodeError, UnicodeDecodeError):
        shown, _ = _cut(repr(arguments)[2:-1])
        return Display(text=shown, warnings=(_warning("unreadable", "$"),))
    return _Renderer().render(value)


def render_narration(text: str) -> Display:
    """Return what a model says about a request, every line marked as the model's."""
    shown, is_cut = _cut(text)
    kinds = [*deceptions(text), *(["cut"] if is_cut else [])]
    lines = [f"model says {_BAR}{line}" for line in visible(shown).splitlines() or [""]]
    return Display(text="\n".join(lines), warnings=tuple(_warning(kind, "the model's text") for kind in kinds))


class _Renderer:
    def __init__(self) -> None:
        self._lines: list[str] = []
        self._warnings: list[DisplayWarning] = []

    def render(self, value: JsonValue) -> Display:
        self._add("", value, (), 0)
        if len(self._lines) > LINES_MAX:
            self._lines = [*self._lines[:LINES_MAX], "⟨more lines not shown⟩"]
            self._warnings.append(_warning("cut", "$"))
        return Display(text="\n".join(self._lines), warnings=tuple(self._warnings))

    def _add(self, label: str, value: JsonValue, place: tuple[str | int, ...], depth: int) -> None:
        if len(self._lines) > LINES_MAX:
            return
        indent = _INDENT * min(depth, DEPTH_MAX)
        match value:
            case dict() if value:
                self._line(indent, label)
                for name, item in value.items():
                    self._check(name, (*place, name))
                    self._add(f"{_quoted(name)}:", item, (*place, name), depth + bool(place or label))
            case list() if value:
                self._line(indent, label)
                for index, item in enumerate(value):
                    self._add(f"[{index}]", item, (*place, index), depth + bool(place or label))
            case str():
                self._add_text(indent, label, value, place)
            case _:
                self._line(indent, f"{label} {json.dumps(value)}".strip())

    def _add_text(self, indent: str, label: str, text: str, place: tuple[str | int, ...]) -> None:
        self._check(text, place)
        shown, is_cut = _cut(text)
        if is_cut:
            self._warnings.append(_warning("cut", path_of(place)))
        if "\n" not in text:
            self._line(indent, f"{label} {_quoted(shown)}".strip())
            return
        self._line(indent, label)
        for line in visible(shown).split("\n"):
            self._line(indent + _INDENT + _BAR, line)

    def _line(self, indent: str, text: str) -> None:
        if text or indent.endswith(_BAR):
            self._lines.append(f"{indent}{text}")

    def _check(self, text: str, place: tuple[str | int, ...]) -> None:
        self._warnings += [_warning(kind, path_of(place)) for kind in deceptions(text)]


def _cut(text: str) -> tuple[str, bool]:
    if len(text) <= TEXT_SHOWN_MAX:
        return text, False
    digest = hashlib.sha256(text.encode(errors="replace")).hexdigest()[:16]
    omitted = len(text) - _HEAD - _TAIL
    return f"{text[:_HEAD]} ⟨{omitted} characters not shown, SHA-256 of all {digest}…⟩ {text[-_TAIL:]}", True


def _quoted(text: str) -> str:
    """Return a text in JSON's quotes, readable in its own script, with everything hidden made visible."""
    return visible(json.dumps(text, ensure_ascii=False))


def _warning(kind: str, path: str) -> DisplayWarning:
    known: Kind = kind  # type: ignore[assignment]  # deceptions returns these words, which a test compares
    return DisplayWarning(kind=known, path=path, message=f"{path} holds {_MEANING[known]}")
