"""Legibility: text that a person can be deceived by, made visible.

Owns: which characters hide, turn or imitate something, and how they are shown instead.
Does not know: where the text comes from.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

PADDING_MIN: Final = 16
"""As many spaces in a row push text out of sight."""

BLANK_LINES_MIN: Final = 6

_BIDIRECTIONAL: Final = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_HIDDEN_CATEGORIES: Final = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"})
_FILLERS: Final = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
"""Letters and marks that show nothing."""

_EMOJI_SELECTOR: Final = "\ufe0f"
_SCRIPTS: Final = frozenset({"ARMENIAN", "CHEROKEE", "COPTIC", "CYRILLIC", "GREEK", "LATIN"})
"""Scripts whose letters look like each other's."""

_LATIN_LOOKALIKES: Final = frozenset(
    "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456\u0458\u0455\u04bb\u0501\u051b\u051d"  # Cyrillic, small
    "\u0410\u0412\u0415\u041a\u041c\u041d\u041e\u0420\u0421\u0422\u0425\u0406\u0408\u0405"  # Cyrillic, capital
    "\u03bf\u03bd\u03c1\u03b1\u0391\u0392\u0395\u0396\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a5\u03a7"
)
_PADDING: Final = re.compile(rf"[^\S\n]{{{PADDING_MIN},}}")
_BLANK_LINES: Final = re.compile(rf"(?:[^\S\n]*\n){{{BLANK_LINES_MIN},}}")
_WORD: Final = re.compile(r"\w+")
_ASCII_LETTER: Final = re.compile(r"[A-Za-z]")


def deceptions(text: str) -> list[str]:
    """Return what about a text may deceive its reader, sorted.

    ``bidirectional`` (order is turned around), ``hidden`` (characters that show nothing), ``padding`` (text is pushed
    out of sight), ``mixed-script`` (one word with letters of several scripts), ``lookalike`` (letters that imitate
    Latin ones).
    """
    if text.isascii() and text.isprintable() and PADDING_MIN * " " not in text:
        return []
    found = {kind for character in set(text) if (kind := _kind(character)) is not None}
    if _PADDING.search(text) or _BLANK_LINES.search(text):
        found.add("padding")
    if not text.isascii():
        has_latin = _ASCII_LETTER.search(text) is not None
        found |= {kind for word in _WORD.findall(text) for kind in _word_kinds(word, has_latin=has_latin)}
    return sorted(found)


def visible(text: str) -> str:
    """Return a text with everything hidden made visible, and padding counted instead of shown; line feeds stay."""
    if text.isascii() and text.isprintable() and PADDING_MIN * " " not in text:
        return text
    counted = _BLANK_LINES.sub(lambda match: f"\n⟨{match.group().count(chr(10))} blank lines⟩\n", text)
    counted = _PADDING.sub(lambda match: f"⟨{len(match.group())} spaces⟩", counted)
    return "".join(
        character if character == "\n" or _kind(character) is None else f"⟨U+{ord(character):04X}⟩"
        for character in counted
    )


def _kind(character: str) -> str | None:
    if " " <= character <= "~" or character in {"\n", "\t", _EMOJI_SELECTOR}:
        return None
    if character in _BIDIRECTIONAL:
        return "bidirectional"
    is_selector = "\ufe00" <= character <= "\ufe0e" or "\U000e0100" <= character <= "\U000e01ef"
    if is_selector or character in _FILLERS or unicodedata.category(character) in _HIDDEN_CATEGORIES:
        return "hidden"
    return None


def _word_kinds(word: str, *, has_latin: bool) -> list[str]:
    if word.isascii():
        return []
    kinds = []
    scripts = {unicodedata.name(letter, "").partition(" ")[0] for letter in word if letter.isalpha()}
    if len(scripts & _SCRIPTS) > 1:
        kinds.append("mixed-script")
    letters = [letter for letter in word if letter.isalpha()]
    imitates = bool(letters) and has_latin and _LATIN_LOOKALIKES.issuperset(letters)
    folded = unicodedata.normalize("NFKC", word)
    if imitates or (folded.isascii() and folded != word):
        kinds.append("lookalike")
    return kinds
