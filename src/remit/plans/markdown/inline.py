"""Inline Markdown: what a reader sees of a line, with every character at its place.

Owns: links, tags, comments, entities, struck and emphasized text within one cell or heading.
Does not know: blocks, or what the text means.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from typing import Final

_MARKS: Final = re.compile(r"[\[<&~]")
_UNUSUAL: Final = re.compile(r"[\[<&~*`\t\n]|__|\s\s|\A\s|\s\Z|[^\S ]")
"""What a text has none of that is shown as it stands."""

_CODE: Final = re.compile(r"(`[^`]*`)")
_HIDDEN: Final = re.compile(r"<!--(?:(?!<!--).)*?-->|</?(?!https?:)[a-zA-Z][^<>]*>", re.DOTALL | re.IGNORECASE)
_ADDRESS: Final = re.compile(r"<(https?://[^<>\s]*)>")
_TARGET: Final = re.compile(r"\]\([^()]*\)|\]\[[^\[\]]*\]|[\[\]]")
_STRUCK: Final = re.compile(r"~~(?:(?!~~).)+~~", re.DOTALL)
_ENTITY: Final = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z][a-zA-Z0-9]{1,30});")
_EMPHASIS: Final = re.compile(r"\*\*|(?<!\w)__|__(?!\w)|`|(?<![\w*])\*(?=[^\s*])([^*]*[^\s*])\*(?![\w*])")


def seen(text: str) -> str:
    """Return a text as long as the one given, in which whatever a reader does not see is space.

    A link leaves its words, an entity its character, a line break ``\n``; struck text is gone, and code stays as it is.
    Marks of emphasis stay: whether a star is one depends on what the text is.
    """
    return text if _MARKS.search(text) is None else _outside_code(text, _padded)


def shown(text: str) -> str:
    """Return a text of one line as it is shown, without any mark: ``[**A** &amp; b](c)`` is ``A & b``."""
    if _UNUSUAL.search(text) is None:
        return text
    text = read_out(text)
    if "*" in text or "`" in text or "__" in text:
        text = _EMPHASIS.sub(lambda found: found[1] or "", text)
    return " ".join(text.split())


def read_out(text: str) -> str:
    """Return a text without links, tags, comments, entities and the marks of struck text; code and emphasis stay."""
    return text if _MARKS.search(text) is None else _outside_code(text.replace("~~", ""), _short)


def _outside_code(text: str, replace: Callable[[re.Match[str]], str]) -> str:
    if "`" not in text:
        return _read(text, replace)
    return "".join(part if part[:1] == "`" else _read(part, replace) for part in _CODE.split(text))


def _read(text: str, replace: Callable[[re.Match[str]], str]) -> str:
    if "<" in text:
        text = _ADDRESS.sub(r" \1 ", _HIDDEN.sub(replace, text))
    if "[" in text or "]" in text:
        text = _TARGET.sub(replace, text)
    if "~~" in text:
        text = _STRUCK.sub(replace, text)
    return _ENTITY.sub(replace, text) if "&" in text else text


def _short(found: re.Match[str]) -> str:
    """Return what is seen of something: of a line break a space, of an entity its character, of others nothing."""
    written = found.group()
    if written[0] == "&":
        meant = unescape(written)
        # An entity that is none, or one of two characters, stays.
        return written if len(meant) > 1 else meant if meant.isprintable() else " "
    return "\n" if written[:3].casefold() == "<br" else ""


def _padded(found: re.Match[str]) -> str:
    written = found.group()
    return (_short(found) or " ").ljust(len(written))
