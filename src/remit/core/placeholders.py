"""Placeholders in texts: where each ``${{ expression }}`` begins and ends.

Owns: the delimiters and their escape, ``$${{``.
Does not know: what is between them, except strings, comments and braces of CEL, which may hold ``}}``.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from remit.errors import ExpressionError

_OPENING: Final = re.compile(r"\$?\$\{\{")
_INSIDE: Final = re.compile(
    r"""(?P<text>
        (?<!\w)[bB]?[rR][bB]?(?:'{3}.*?'{3}|"{3}.*?"{3}|'[^'\n]*'|"[^"\n]*")
      | '{3}(?:\\.|[^\\])*?'{3} | "{3}(?:\\.|[^\\])*?"{3}
      | '(?:\\.|[^'\\\n])*' | "(?:\\.|[^"\\\n])*"
      | //.*?(?=\n|\}\}|\Z)
    ) | (?P<mark>[{}'"])""",
    re.DOTALL | re.VERBOSE,
)


class Placeholder(NamedTuple):
    """The text of an expression and the offset in the text around it where it begins."""

    text: str
    offset: int


def split(text: str) -> list[str | Placeholder]:
    """Return the literal parts and placeholders of a text in order; literal parts may be empty.

    Raises:
        ExpressionError: A placeholder, or a string inside it, is not closed. Carries ``offset``.
    """
    parts: list[str | Placeholder] = []
    literal = ""
    position = 0
    while (opening := _OPENING.search(text, position)) is not None:
        literal += text[position : opening.start()]
        position = opening.end()
        if opening.group().startswith("$$"):
            literal += opening.group()[1:]
            continue
        end = _find_end(text, opening)
        parts += [literal, Placeholder(text[position:end], position)]
        literal = ""
        position = end + 2
    return [*parts, literal + text[position:]]


def _find_end(text: str, opening: re.Match[str]) -> int:
    """Return where the closing braces are: those outside strings and comments that close no brace of the expression."""
    depth = 0
    for token in _INSIDE.finditer(text, opening.end()):
        match token["mark"]:
            case "{":
                depth += 1
            case "}" if depth > 0:
                depth -= 1
            case "}" if text.startswith("}}", token.start()):
                return token.start()
            case "'" | '"':
                raise _unclosed(text, token.start(), "a closing quote for this string")
            case _:
                pass
    raise _unclosed(text, opening.start(), "}} to close this ${{")


def _unclosed(text: str, offset: int, expected: str) -> ExpressionError:
    message = f"expected {expected}, got the end of the text; close it (character {offset})"
    return ExpressionError(message, offset=offset, expression=text)
