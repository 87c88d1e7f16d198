"""Mojibake: UTF-8 that somebody read as another encoding and saved again.

Owns: recognising it, and the text that was meant, with the way back to the characters that stand in the file.
Does not know: what the text means. Which encoding it was is ``ftfy``'s judgement; a document has one.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Final

from ftfy import fix_encoding_and_explain

_FOREIGN: Final = re.compile(r"[^\x00-\x7f]+")
_JUDGED_MAX: Final = 400
"""So many different stretches are judged: a document that was mangled shows it early."""

_CODECS: Final = ("macroman", "sloppy-windows-1252")
"""Encodings whose traces are told by a single stretch."""

_CONTEXT: Final = 12
"""Characters of each neighbour that are judged with a stretch."""

_STRETCH_JUDGED_MAX: Final = 100
"""So many characters of a stretch are judged."""

_SIGN: Final = re.compile("[\u2010-\u2bff\U0001f000-\U0001faff]")
"""Dashes, quotation marks, arrows, boxes, marks, emoji."""

_PASSES_MAX: Final = 3
"""A text that was mangled and saved twice is repaired twice; nobody does it more often."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Repair:
    """A text as it was meant. ``codec`` is what it was once misread as; ``first`` where that shows first.

    ``before`` is the repair that came first, of a text that was mangled twice.
    """

    text: str
    codec: str
    first: tuple[int, int]
    before: Repair | None = None
    _read: array[int]
    _written: array[int]

    def written(self, offset: int) -> int:
        """Return where the character at an offset of the repaired text stands in the file's."""
        index = bisect_right(self._read, offset) - 1
        found = self._written[index] + offset - self._read[index]
        if index + 1 < len(self._written):
            found = min(found, self._written[index + 1])
        return found if self.before is None else self.before.written(found)

    def misread(self, characters: str) -> str:
        """Return characters as they would stand in the file, had they been there when it was misread."""
        mangled = characters.encode().decode(self.codec)
        return mangled if self.before is None else self.before.misread(mangled)

    def has_repaired(self, offset: int) -> bool:
        """Whether the character at an offset of the file's text is part of one that was repaired."""
        if self.before is not None:
            return self.before.has_repaired(offset)
        index = bisect_right(self._written, offset) - 1
        if index + 1 >= len(self._written):
            return False
        return self._written[index + 1] - self._written[index] != self._read[index + 1] - self._read[index]


def repair(text: str) -> Repair | None:
    """Return the text as it was meant, or ``None`` if nothing was misread. Line ends stay where they are."""
    found: Repair | None = None
    for _ in range(_PASSES_MAX):
        again = _repaired(text if found is None else found.text, found)
        if again is None:
            break
        found = again
    return found


def _repaired(text: str, before: Repair | None) -> Repair | None:
    codec = None if text.isascii() else _codec(text)
    if codec is None:
        return None
    parts: list[str] = []
    # A point for each repaired character and one behind each run of them; between points both texts are alike.
    read, written = array("q", [0]), array("q", [0])
    done = length = 0
    first: tuple[int, int] | None = None
    for start, end, meant in _mangled(text, codec):
        first = first or (start, end)
        parts += [text[done:start], meant]
        length += start - done
        read.extend((length, length + 1))
        written.extend((start, end))
        length += 1
        done = end
    if first is None:
        return None
    parts.append(text[done:])
    place = first if before is None else before.first
    return Repair(text="".join(parts), codec=codec, first=place, before=before, _read=read, _written=written)


def _mangled(text: str, codec: str) -> Iterator[tuple[int, int, str]]:
    """Yield each mangled character: where it starts and ends, and what was meant. True ones may stand beside it."""
    table = _bytes_of(codec)
    for found in _FOREIGN.finditer(text):
        offset, end = found.span()
        while offset < end:
            length = _LENGTHS.get(table.get(text[offset], 0), 0)
            meant = _meant(text[offset : offset + length], codec) if 0 < length <= end - offset else None
            if meant is None:
                offset += 1
            else:
                yield offset, offset + length, meant
                offset += length


_LENGTHS: Final = {
    **dict.fromkeys(range(0xC2, 0xE0), 2),
    **dict.fromkeys(range(0xE0, 0xF0), 3),
    **dict.fromkeys(range(0xF0, 0xF5), 4),
}
"""How many bytes a character has, by its first."""


@cache
def _bytes_of(codec: str) -> dict[str, int]:
    """Return the byte of each character of an encoding beyond ASCII."""
    return {bytes((byte,)).decode(codec, "replace"): byte for byte in range(0x80, 0x100)}


def _codec(text: str) -> str | None:
    votes: Counter[str] = Counter()
    judged: set[str] = set()
    for found in _FOREIGN.finditer(text):
        if found.group() in judged:
            continue
        judged.add(found.group())
        if len(judged) > _JUDGED_MAX:
            break
        votes.update(codec for codec in _CODECS if _is_telling(found.group(), codec))
        nearby = text[max(0, found.start() - _CONTEXT) : found.end() + _CONTEXT]
        steps = fix_encoding_and_explain(nearby).explanation or ()
        votes.update(step.parameter for step in steps[:1] if step.action == "encode")
    return votes.most_common(1)[0][0] if votes else None


def _is_telling(stretch: str, codec: str) -> bool:
    """Whether no language writes a stretch by chance.

    That are three characters or more that are the bytes of a third or half as many, and three or four among true
    characters that are the bytes of one sign.
    """
    meant = _meant(stretch, codec) if len(stretch) >= 3 else None
    if meant is not None:
        return 2 * len(meant) <= len(stretch)
    pieces = _mangled(stretch[:_STRETCH_JUDGED_MAX], codec)
    return any(end - start >= 3 and _SIGN.match(meant) for start, end, meant in pieces)


def _meant(stretch: str, codec: str) -> str | None:
    try:
        meant = stretch.encode(codec).decode("utf-8")
    except (UnicodeEncodeError, UnicodeDecodeError):
        return None
    return meant if _is_printed(meant) else None


def _is_printed(text: str) -> bool:
    """Whether no line end or control character comes of it: lines must stay what they are."""
    return all(character.isprintable() or character in "\ufe0f\u200d\xa0" for character in text)
