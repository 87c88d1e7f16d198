"""JSON to a tree: strict, with the place of every node.

Owns: which JSON is accepted (RFC 8259, less duplicate keys, numbers that are not kept exactly, and lone surrogates).
Does not know: the fields of any document.

Frequent slips (a placeholder, a comment, a missing or trailing comma, single quotes, NaN) are reported and read over,
so that one reading finds them all; behind any other mistake reading stops.
"""

from __future__ import annotations

import re
from typing import Final

from remit.diagnostics import Diagnostics, Reporter, Source
from remit.plans.documents.building import TreeBuilder
from remit.plans.documents.decoding import VALUES_MAX
from remit.plans.documents.numbers import Unfit, integer, real
from remit.plans.documents.tree import Document, Invalid, Node, Scalar, shorten

_SKIPPED: Final = frozenset(" \t\n\r/#")
_SPACE: Final = re.compile(r"[ \t\n\r]+")
_COMMENT: Final = re.compile(r"(?://|#)[^\n\r]*|/\*(?:[^*]|\*(?!/))*+(?:\*/)?")
_PLAIN_STRING: Final = re.compile(r'"[^"\\\x00-\x1f]*"')
_STRING: Final = re.compile(r""""(?:[^"\\\n\r]|\\[^\n\r])*+"?|'(?:[^'\\\n\r]|\\[^\n\r])*+'?""")
_WORD: Final = re.compile(r"[-+.\w]+")
_PLACEHOLDER: Final = re.compile(r"<[^<>\"\n\r]{1,200}>|\.{3}|\N{HORIZONTAL ELLIPSIS}|(?:TODO|TBD|FIXME)\b")
_OPENINGS: Final = frozenset("<.\N{HORIZONTAL ELLIPSIS}TF")
_INTEGER: Final = re.compile(r"-?(?:0|[1-9][0-9]*)")
_FLOAT: Final = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?")
_QUOTED: Final = re.compile(r'["\\\\\x00-\x1f]')
_ESCAPE: Final = re.compile(r"\\(?:u([0-9a-fA-F]{4})|(.)|$)", re.DOTALL)
_ESCAPED: Final = {'"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_WORDS: Final = {"true": True, "false": False, "null": None}
_FOREIGN_WORDS: Final = {"True": "true", "False": "false", "None": "null", "undefined": "null"}
_NOT_FINITE: Final = frozenset({"NaN", "Infinity", "-Infinity", "+Infinity"})
_CLOSERS: Final = "]}"
_INTO_YAML: Final = "remove it, or write the file as YAML"
"""What to do with a comment in a document that may as well be YAML; plans may not."""


def read_json(source: Source, diagnostics: Diagnostics) -> Document:
    """Return the tree of a JSON text; everything wrong with it is reported."""
    reader = _Reader(Reporter(source, diagnostics), source.text, 0, values_max=VALUES_MAX, comments=_INTO_YAML)
    return _read(reader, len(source.text), source)


def read_json_within(reporter: Reporter, text: str, *, at: tuple[int, int]) -> Document:
    """Return the tree of the JSON that stands between two offsets of a text, such as in a code fence.

    Places of nodes, and of what is reported, are offsets of ``text``. It has any number of values: plans do.
    """
    start, end = at
    reader = _Reader(reporter, text if end == len(text) else text[:end], start)
    return _read(reader, end, reporter.source)


def _read(reader: _Reader, end: int, source: Source) -> Document:
    reader.read()
    root = reader.tree.finish(end)
    return Document(source=source, root=root, is_complete=not reader.tree.stopped)


class _Reader:
    """Walks over the text once, without recursion."""

    def __init__(
        self,
        reporter: Reporter,
        text: str,
        start: int,
        *,
        values_max: int | None = None,
        comments: str = "remove it, or write it into a field",
    ) -> None:
        self._comments = comments
        self._report = reporter.report
        self._diagnostics = reporter.diagnostics
        self._text = text
        self._at = start
        self._is_first = True
        """Whether nothing of the innermost collection was read yet."""
        self.tree = TreeBuilder(reporter, values_max=values_max)

    def read(self) -> None:
        """Read one value and what may follow it."""
        if not self._next():
            return
        self._value()
        while self.tree.depth and not self.tree.stopped:
            self._member()
        if not self.tree.stopped and self._next():
            self._stop("the end of the text", "send one value and nothing after it")

    def _member(self) -> None:
        """Read the next item or entry of the innermost collection, or its end."""
        comma = self._at if self._next() == "," else None
        if comma is not None:
            self._at += 1
            if self._is_first:
                self._slip("a value before the comma", "remove the comma", at=(comma, comma + 1), instead="")
        following = self._next()
        if not following:
            self._stop("the closing bracket", "close what was opened")
        elif following in _CLOSERS:
            if comma is not None and not self._is_first:
                self._slip("another value after the comma", "remove the comma", at=(comma, comma + 1), instead="")
            self._close(following)
        elif following == ",":
            self._slip("a value between the commas", "remove one comma", at=(self._at, self._at + 1), instead="")
            self._is_first = False
        else:
            if comma is None and not self._is_first:
                at = (self._at, self._at + 1)
                self._slip("',' or the closing bracket", "separate members by commas", at=at, instead=f", {following}")
            if not self.tree.is_mapping_open or self._key():
                self._is_first = False
                self._value()

    def _close(self, closer: str) -> None:
        expected = "}" if self.tree.is_mapping_open else "]"
        if closer != expected:
            self._stop(f"'{expected}'", "close the innermost bracket first")
            return
        self._at += 1
        self.tree.close(self._at)
        self._is_first = False

    def _key(self) -> bool:
        """Read a key and its colon."""
        start = self._at
        if self._text[start] in "\"'":
            self.tree.add(self._string())
        elif word := _WORD.match(self._text, start):
            self._slip("a key in double quotes", "quote it", at=word.span(), instead=f'"{word.group()}"')
            self._at = word.end()
            self.tree.add(Scalar(value=word.group(), start=start, end=self._at))
        else:
            self._stop("a key in double quotes", "write key, colon, value")
            return False
        if self.tree.stopped:
            return False
        if self._next() != ":":
            self._stop("':' after the key", "write key, colon, value")
            return False
        self._at += 1
        return True

    def _value(self) -> None:
        character = self._next()
        if character in ("{", "["):
            self.tree.open(self._at, is_mapping=character == "{")
            self._at += 1
            self._is_first = True
        elif character in ('"', "'"):
            self.tree.add(self._string())
        elif character in _OPENINGS and (left_open := _PLACEHOLDER.match(self._text, self._at)):
            self._at = left_open.end()
            self._report(
                "PLACEHOLDER_LEFT",
                f"expected a value, got the placeholder {shorten(left_open.group())}; fill it in",
                at=left_open.span(),
            )
            self.tree.add(Invalid(start=left_open.start(), end=left_open.end()))
        elif word := _WORD.match(self._text, self._at):
            self._at = word.end()
            self.tree.add(self._word(word.group(), *word.span()))
        else:
            self._stop("a value", "write an object, list, string, number, true, false or null")

    def _word(self, word: str, start: int, end: int) -> Node:
        if word in _WORDS:
            return Scalar(value=_WORDS[word], start=start, end=end)
        number: int | float | Unfit
        if _INTEGER.fullmatch(word):
            number = integer(word)
        elif _FLOAT.fullmatch(word):
            number = real(word)
        elif word in _NOT_FINITE:
            number = Unfit("NUMBER_NOT_FINITE", f"expected a finite number, got {word}; leave it out or write null")
        else:
            known = _FOREIGN_WORDS.get(word)
            remedy = "put a text in double quotes" if known is None else f"write {known}"
            number = Unfit("SYNTAX_INVALID", f"expected a value, got {shorten(word)}; {remedy}")
        if isinstance(number, Unfit):
            self._report(number.code, number.message, at=(start, end), replacement=_FOREIGN_WORDS.get(word))
            return Invalid(start=start, end=end)
        return Scalar(value=number, start=start, end=end)

    def _string(self) -> Node:
        start = self._at
        if plain := _PLAIN_STRING.match(self._text, start):
            self._at = plain.end()
            return Scalar(value=plain.group()[1:-1], start=start, end=self._at, style='"')
        quoted = _STRING.match(self._text, start)
        assert quoted is not None
        self._at = quoted.end()
        text = quoted.group()
        if text[0] == "'":
            is_certain = text[-1] == "'" and len(text) > 1 and not _QUOTED.search(text)
            instead = f'"{text[1:-1]}"' if is_certain else None
            self._slip("double quotes", 'write "…"', at=(start, self._at if is_certain else start + 1), instead=instead)
        if len(text) == 1 or text[-1] != text[0]:
            end, self._at = self._at, start
            self._stop("a closing quote on the same line", "close the string, and write a line end as \\n")
            self._at = end
            return Invalid(start=start, end=self._at)
        value = self._unescaped(text[1:-1], start + 1)
        if value is None:
            return Invalid(start=start, end=self._at)
        return Scalar(value=value, start=start, end=self._at, style=text[0])

    def _unescaped(self, text: str, offset: int) -> str | None:
        """Return what a string stands for, or ``None`` if part of it was refused."""
        parts: list[str] = []
        done = 0
        is_valid = True
        for found in _ESCAPE.finditer(text):
            code, letter = found.groups()
            parts.append(text[done : found.start()])
            done = found.end()
            if code is not None:
                parts.append(chr(int(code, 16)))
            elif letter in _ESCAPED:
                parts.append(_ESCAPED[letter])
            else:
                is_valid = False
                self._slip("a known escape", "double the backslash", at=(offset + found.start(), offset + found.end()))
        parts.append(text[done:])
        if "\t" in text:
            is_valid = False
            tab = offset + text.index("\t")
            self._slip("no tab inside a string", "write it as \\t", at=(tab, tab + 1))
        value = "".join(parts).encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
        if _SURROGATE.search(value):
            self._report(
                "SURROGATE_LONE",
                "expected whole characters, got half of one in this string; write the character itself or both halves",
                at=(offset - 1, self._at),
            )
            return None
        return value if is_valid else None

    def _next(self) -> str:
        """Skip white space (and comments, which are reported); return the next character, ``""`` at the end."""
        text = self._text
        while self._at < len(text):  # bound: every turn but the last moves on
            character = text[self._at]
            if character not in _SKIPPED:
                return character
            if (space := _SPACE.match(text, self._at)) is not None:
                self._at = space.end()
                continue
            comment = _COMMENT.match(text, self._at)
            if comment is None:
                return character
            self._slip("no comment (JSON has none)", self._comments, at=comment.span())
            self._at = comment.end()
        return ""

    def _slip(self, expected: str, remedy: str, *, at: tuple[int, int], instead: str | None = None) -> None:
        """Report what is read over; ``instead`` is what to write there, if that is certain."""
        got = shorten(self._text[slice(*at)], length_max=20)
        self._report("SYNTAX_INVALID", f"expected {expected}, got {got}; {remedy}", at=at, replacement=instead)
        if self._diagnostics.is_full:
            self.tree.stopped = True

    def _stop(self, expected: str, remedy: str) -> None:
        self.tree.stopped = True
        got = repr(self._text[self._at]) if self._at < len(self._text) else "the end of the text"
        self._report("SYNTAX_INVALID", f"expected {expected}, got {got}; {remedy}", at=(self._at, self._at + 1))
