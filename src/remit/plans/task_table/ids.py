"""Ids as people write them: ranges, shorthands and patterns become the ids that are meant.

Owns: what one written item stands for, such as ``P1-T01..T41``, ``06..25``, ``P1-T-RK06a/b/c`` or ``INV-*``.
Does not know: cells, or what the ids name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

ID_LENGTH_MAX: Final = 80
"""Longer words are no ids."""

RANGE_MAX: Final = 10_000
"""So many ids may one range stand for: a plan with more tasks is not read by anybody."""

_ID: Final = re.compile(r"#?\w+(?:[-.:]\w+)*")
RANGE: Final = re.compile(
    r"\.{2,3}|…|(?<=\s)[\u2013\u2014-](?=\s)|(?<=\w)[\u2013\u2014](?=\w)|(?<=\s)(?:to|through)(?=\s)"
)
_LETTERS_ONLY: Final = re.compile(r"(?P<first>[\w.:-]*\d[a-z])(?:\.{2,3}|…|[\u2013\u2014-])(?P<last>[a-z])")
_SEGMENT: Final = re.compile(r"[^\W\d_]*")
_WORD: Final = re.compile(r"[\w#*]+")


class Shorthand(StrEnum):
    """The ways to write less than the ids in full."""

    RANGE = "range"
    SHORT_RANGE = "short range"
    NUMBER = "number"
    VARIANTS = "variants"
    ALTERNATIVES = "alternatives"
    PATTERN = "pattern"
    COMMENT = "comment"
    STRUCK = "struck"
    LINK = "link"
    RELATION = "relation"
    PREVIOUS = "previous"


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """What an item stands for: ids, or a pattern of ids that it does not name; nothing if it is no id at all."""

    ids: tuple[str, ...] = ()
    pattern: str | None = None
    shorthand: Shorthand | None = None


NOTHING: Final = Meaning()


def is_id(word: str) -> bool:
    """Whether a word may be an id: letters, digits, hyphens and the like, with a digit among them."""
    return (
        len(word) <= ID_LENGTH_MAX
        and _ID.fullmatch(word) is not None
        and any(character.isdigit() for character in word)
    )


def meaning_of(item: str, *, room: int, hyphenated: bool = False) -> Meaning:
    """Return what an item stands for.

    Args:
        item: What stands between two commas, without space around.
        room: So many ids may come of it; a range that needs more stands for its ends only.
        hyphenated: Whether ``T1-T5`` is a range here.
    """
    if len(item) > 4 * ID_LENGTH_MAX:
        return NOTHING
    if "*" in item:
        return _pattern(item)
    found = _lettered(item) or _range_of(item, room)
    if found is None and hyphenated:
        found = _hyphenated(item, room)
    if found is not None:
        return found
    if "/" in item:
        return _slashed(item)
    return Meaning(ids=(item,)) if is_id(item) else NOTHING


def _pattern(item: str) -> Meaning:
    words = item.split()
    if words and words[0].casefold() in {"all", "any", "every"}:
        words = words[1:]
    if len(words) != 1 or len(words[0]) > ID_LENGTH_MAX or not _is_pattern(words[0]):
        return NOTHING
    return Meaning(pattern=words[0], shorthand=Shorthand.PATTERN)


def _is_pattern(word: str) -> bool:
    """Whether one star stands for the rest of an id; ``**bold**`` is none."""
    return word.count("*") == 1 and len(word) > 1 and all(_WORD.fullmatch(part) for part in re.split(r"[-.:]", word))


def _range_of(item: str, room: int) -> Meaning | None:
    between = RANGE.search(item)
    if between is None:
        return None
    first, written = item[: between.start()].strip(), item[between.end() :].strip()
    if not (is_id(first) and is_id(written)):
        return None
    last = completed(written, first)
    ids = _span(first, last, room)
    if ids is None:
        return None
    shorthand = Shorthand.NUMBER if first.isdigit() else Shorthand.SHORT_RANGE
    return Meaning(ids=ids, shorthand=Shorthand.RANGE if last == written and not first.isdigit() else shorthand)


def _lettered(item: str) -> Meaning | None:
    """Return what ``P1-T-RK06a..c`` stands for: variants from the first letter to the last."""
    found = _LETTERS_ONLY.fullmatch(item)
    if found is None or not is_id(found["first"]):
        return None
    ids = _span(found["first"], found["first"][:-1] + found["last"], RANGE_MAX)
    return None if ids is None else Meaning(ids=ids, shorthand=Shorthand.VARIANTS)


def _hyphenated(item: str, room: int) -> Meaning | None:
    """Return what ``T1-T5`` or ``2.1-2.4`` stands for: a range whose middle hyphen has an id on each side."""
    parts = item.split("-")
    first, last = "-".join(parts[: len(parts) // 2]), "-".join(parts[len(parts) // 2 :])
    if len(parts) % 2 and parts[-1].isdigit():
        # T-1-5
        first, last = "-".join(parts[:-1]), parts[-1]
    if not (is_id(first) and is_id(last)):
        return None
    full = completed(last, first)
    ids = _span(first, full, room)
    shorthand = Shorthand.RANGE if full == last else Shorthand.SHORT_RANGE
    return None if ids is None or len(ids) == 1 else Meaning(ids=ids, shorthand=shorthand)


def _span(first: str, last: str, room: int) -> tuple[str, ...] | None:
    """Return the ids from one to another, or ``None`` if they do not count up."""
    head, digits, letter = _parts(first)
    last_head, last_digits, last_letter = _parts(last)
    if head != last_head:
        return None
    if digits == last_digits and letter and last_letter:
        return tuple(f"{head}{digits}{chr(code)}" for code in range(ord(letter), ord(last_letter) + 1)) or None
    low, high = int(digits or 0), int(last_digits or 0)
    if letter or last_letter or high < low or not digits:
        return None
    if high - low >= min(room, RANGE_MAX):
        return first, last
    return tuple(f"{head}{number:0{len(digits)}}" for number in range(low, high + 1))


def _parts(written: str) -> tuple[str, str, str]:
    """Return head, last number and the letter after it: ``P1-T-RK06a`` is ``P1-T-RK``, ``06``, ``a``."""
    letter = written[-1:] if "a" <= written[-1:] <= "z" and written[-2:-1].isdigit() else ""
    rest = written.removesuffix(letter) if letter else written
    head = rest.rstrip("0123456789")
    return head, rest[len(head) :], letter


def _slashed(item: str) -> Meaning:
    """Return what ``P1-T-RK06a/b/c`` or ``P1-C08/C09/C10`` stands for."""
    first, *others = (part.strip() for part in item.split("/"))
    if not is_id(first):
        return NOTHING
    ids = [first]
    variants = True
    for other in others:
        if len(other) == 1 and other.isalpha() and _parts(first)[2]:
            ids.append(first[:-1] + other)
        elif is_id(other):
            variants = False
            ids.append(completed(other, first))
        else:
            return NOTHING
    return Meaning(ids=tuple(ids), shorthand=Shorthand.VARIANTS if variants else Shorthand.ALTERNATIVES)


def completed(short: str, full: str) -> str:
    """Return an id in full that was shortened after another one: ``T41`` after ``P1-T01`` is ``P1-T41``."""
    if short.isdigit():
        head, digits, _ = _parts(full)
        return head + short if digits and head else short
    pieces = re.split(r"([-.:])", full)
    wanted = _letters(short)
    if len(re.split(r"[-.:]", short)) > len(pieces) // 2:
        return short
    for index in range(len(pieces) - 1, 0, -1):
        if wanted and _letters(pieces[index]) == wanted:
            return "".join(pieces[:index]) + short
    return short


def _letters(segment: str) -> str:
    found = _SEGMENT.match(segment)
    return "" if found is None else found.group()


def base_of(written: str) -> str | None:
    """Return the id that a variant belongs to: ``P1-T-RK06a`` to ``P1-T-RK06``; ``None`` for one that is no variant."""
    head, digits, letter = _parts(written)
    return head + digits if letter else None


def number_of(written: str) -> int | None:
    """Return the number at the end of an id."""
    digits = _parts(written)[1]
    return int(digits) if digits.isascii() and 0 < len(digits) <= 9 else None


def form_of(written: str) -> str:
    """Return the form of an id: ``P1-T-RK06a`` has ``P1-T-RK##``. Numbers before the last stay: they name a family."""
    head, digits, _ = _parts(written)
    return f"{head}##" if digits else written
