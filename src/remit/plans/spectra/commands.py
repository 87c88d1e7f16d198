"""Commands in fields: which part of a text is a command, and which is words about it.

Owns: telling both apart.
Does not know: the shell's grammar, or whether a command shows anything.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from remit.plans.plan import Text
from remit.plans.spectra.pieces import Piece

_SPAN: Final = re.compile(r"(?P<ticks>`+)(?P<command>[^`]+)(?P=ticks)(?!`)")
_REQUEST: Final = re.compile(r"(?:GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS)[ \t]+[/{\w]")
_NOTHING: Final = re.compile(r"(?:n/?a|none)[.]?|(?:manual|manually|visual|visually)\b.*", re.IGNORECASE)
_SENTENCE: Final = re.compile(r"[A-Z][a-z]*,?(?:[ \t]+[^\s]+){2,}")
_SHELL: Final = re.compile(r"[|&;<>$]|(?:^|[ \t])--?\w|(?:^|[ \t])\w+=")


@dataclass(frozen=True, slots=True, kw_only=True)
class Commands:
    """What a text has of commands; ``is_alone`` says whether it has nothing else."""

    found: tuple[Text, ...]
    is_alone: bool


def commands_in(text: Text) -> Commands:
    """Return the commands of a text: all of it, or what stands in backticks among words.

    Spans that begin with a hyphen are options that the words speak of. A text that begins with a command and has
    backticks later is one command: the shell has a meaning for them.
    """
    if not text.text:
        return Commands(found=(), is_alone=True)
    is_words = reads_as_words(text.text)
    if "`" in text.text and (is_words or text.text.startswith("`")):
        piece = Piece(text.text, text.at[0])
        spans = [piece.cut(*span.span("command")).strip() for span in _SPAN.finditer(text.text)]
        return Commands(
            found=tuple(Text(text=one.text, at=one.place) for one in spans if one.text[:1] not in {"", "-"}),
            is_alone=False,
        )
    return Commands(found=() if is_words else (text,), is_alone=not is_words)


def reads_as_words(text: str) -> bool:
    """Whether a text is no command: a sentence, a request such as ``GET /orders``, or a word for nothing."""
    if _REQUEST.match(text) or _NOTHING.fullmatch(text):
        return True
    return _SENTENCE.match(text) is not None and _SHELL.search(re.sub(r"`[^`]*`", "", text)) is None
