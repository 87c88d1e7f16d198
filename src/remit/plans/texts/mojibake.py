"""Mojibake: UTF-8 that somebody read as another encoding and saved again.

Owns: recognising it, and the text that was meant, with the way back to the characters that stand in the file.
Does not know: what the text means. Which encoding it was is ``ftfy``'s judgement; a document has one.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from dataclasses import dataclass
from typing import Final

from ftfy import fix_encoding_and_explain

_FOREIGN: Final = re.compile(r"[^\x00-\x7f]+")
_JUDGED_MAX: Final = 400
"""So many different stretches are judged: a document that was mangled shows it early."""

_CODECS: Final = ("macroman", "sloppy-windows-1252")
"""Encodings whose traces are told by a single stretch."""

_CONTEXT: Final = 12
"""Characters of each neighbour that are judged with a stretch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Repair:
    """A text as it was meant. ``codec`` is what it was once misread as; ``first`` where that shows first."""

    text: str
    codec: str
    first: tuple[int, int]
    _read: tuple[int, ...]
    _written: tuple[int, ...]

    def written(self, offset: int) -> int:
        """Return where the character at an offset of the repaired text stands in the file's."""
        index = bisect_right(self._read, offset) - 1
        if index < 0:
            return offset
        begin = self._read[index]
        if index % 2 and offset > begin:
            # Inside of what was misread each byte of a character became a character.
            return self._written[index] + len(self.text[begin:offset].encode())
        return self._written[index] + offset - begin

    def misread(self, characters: str) -> str:
        """Return characters as they would stand in the file, had they been there when it was misread."""
        return characters.encode().decode(self.codec)


def repair(text: str) -> Repair | None:
    """Return the text as it was meant, or ``None`` if nothing was misread. Line ends stay where they are."""
    if text.isascii():
        return None
    codec = _codec(text)
    if codec is None:
        return None
    parts: list[str] = []
    read, written = [0], [0]
    done = length = 0
    first: tuple[int, int] | None = None
    for found in _FOREIGN.finditer(text):
        meant = _meant(found.group(), codec)
        if meant is None:
            continue
        first = first or found.span()
        parts += [text[done : found.start()], meant]
        length += found.start() - done
        read.append(length)
        written.append(found.start())
        length += len(meant)
        done = found.end()
        read.append(length)
        written.append(done)
    if first is None:
        return None
    parts.append(text[done:])
    return Repair(text="".join(parts), codec=codec, first=first, _read=tuple(read), _written=tuple(written))


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
        votes.update(step.parameter for step in steps if step.action == "encode")
    return votes.most_common(1)[0][0] if votes else None


def _is_telling(stretch: str, codec: str) -> bool:
    """Whether three characters or more are the bytes of a third or half as many: no language writes that by chance."""
    meant = _meant(stretch, codec) if len(stretch) >= 3 else None
    return meant is not None and 2 * len(meant) <= len(stretch)


def _meant(stretch: str, codec: str) -> str | None:
    try:
        meant = stretch.encode(codec).decode("utf-8")
    except (UnicodeEncodeError, UnicodeDecodeError):
        return None
    return meant if _is_printed(meant) else None


def _is_printed(text: str) -> bool:
    """Whether no line end or control character comes of it: lines must stay what they are."""
    return all(character.isprintable() or character in "\ufe0f\u200d\xa0" for character in text)
