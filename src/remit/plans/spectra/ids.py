"""Task ids and lists of them.

Owns: what an id looks like, when two spellings are the same, and reading references.
Does not know: which tasks exist.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise, product
from typing import Final

from remit.plans.plan import Reference
from remit.plans.spectra.names import NONE_WORDS
from remit.plans.spectra.pieces import Piece

ID: Final = r"[A-Za-z0-9]+(?:[._-][A-Za-z0-9]+)*"

ALL: Final = "all"
"""Stands for every other task where a document says so."""

_CANONICAL: Final = re.compile(r"[0-9]{3}")
_RANGE: Final = re.compile(r"([0-9]{1,3})(?:-|\N{EN DASH}|\.\.)([0-9]{1,3})")
_RANGES_ROOM: Final = 12
"""The ranges of a list stand for so many ids, and one more for each of its characters: others are not read."""

_SPLIT: Final = re.compile(r"([0-9]{1,3})-([a-z])")
_WORD: Final = re.compile(r"[^\s,]+")
_LABEL: Final = re.compile(r"(?<=[A-Za-z0-9])[\[({].*")
_ID: Final = re.compile(ID)
_TASK_WORDS: Final = frozenset({"task", "tasks", "and", "&", "+", "plus"})
_ALL_WORDS: Final = frozenset({"all", "everything"})
_ALL_FOLLOWING: Final = frozenset({"tasks", "previous", "prior", "other", "others", "above", "preceding", "the"})
_ARROW: Final = re.compile(
    r"-{1,40}>|={1,40}>|[-\N{BOX DRAWINGS LIGHT HORIZONTAL}\N{BOX DRAWINGS HEAVY HORIZONTAL}]{0,40}["
    r"\N{BLACK RIGHT-POINTING POINTER}\N{BLACK RIGHT-POINTING TRIANGLE}"
    r"\N{RIGHTWARDS ARROW}\N{LONG RIGHTWARDS ARROW}\N{RIGHTWARDS DOUBLE ARROW}"
    r"\N{HEAVY WIDE-HEADED RIGHTWARDS ARROW}\N{HEAVY ROUND-TIPPED RIGHTWARDS ARROW}]"
)
_BACK: Final = re.compile(r"<-{1,40}|<={1,40}|\N{LEFTWARDS ARROW}")
_COMMENT: Final = re.compile(r"\([^()]*\)$")


def same_id(written: str) -> str:
    """Return the spelling under which an id is compared: numbers have three digits, splits as well."""
    if written.isascii() and written.isdigit():
        return written.zfill(3)
    split = _SPLIT.fullmatch(written)
    return written if split is None else f"{split[1].zfill(3)}-{split[2]}"


def ids_of_range(written: str, count_max: int) -> tuple[str, ...]:
    """Return the ids that a range such as ``001-004`` stands for; none if it is no range, or stands for more."""
    found = _RANGE.fullmatch(written)
    first, last = (0, -1) if found is None else (int(found[1]), int(found[2]))
    return tuple(str(number).zfill(3) for number in range(first, last + 1)) if last - first < count_max else ()


def is_canonical(task_id: str) -> bool:
    """Whether an id has exactly three digits, as the format wants it."""
    return _CANONICAL.fullmatch(task_id) is not None


def split_parent(task_id: str) -> str | None:
    """Return the task that an id such as ``002-a`` was split from, or ``None``."""
    split = _SPLIT.fullmatch(task_id)
    return None if split is None else split[1].zfill(3)


def is_id(word: str) -> bool:
    """Whether a word may be an id: letters and digits, a digit at least."""
    return _ID.fullmatch(word) is not None and any(character.isdigit() for character in word)


@dataclass(frozen=True, slots=True, kw_only=True)
class References:
    """A list of ids as it was read.

    ``loose`` are ids in another spelling than the format's; ``unread`` are words that are no ids.
    """

    found: tuple[Reference, ...] = ()
    loose: tuple[Piece, ...] = ()
    unread: tuple[Piece, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Chains:
    """Chains of ids as they were read.

    ``arrows`` are those that the format does not have; ``alone`` are parts without an arrow, which say no order.
    """

    found: tuple[tuple[Reference, ...], ...] = ()
    alone: tuple[Piece, ...] = ()
    arrows: tuple[Piece, ...] = ()
    loose: tuple[Piece, ...] = ()
    unread: tuple[Piece, ...] = ()


def read_references(value: Piece) -> References:
    """Read a list such as ``Task 001, 003``, ``001 and 002`` or ``none``."""
    if is_none(value):
        return References()
    found: list[Reference] = []
    loose: list[Piece] = []
    unread: list[Piece] = []
    room = [len(value.text) + _RANGES_ROOM]
    for part in value.split(","):
        comment = _COMMENT.search(part.text)
        words = part if comment is None else part.cut(0, comment.start()).strip()
        if words.text and _is_all(words.text):
            found.append(Reference(id=ALL, at=words.place))
            continue
        _read_words(words, found, loose, unread, room=room)
    return References(found=tuple(found), loose=tuple(loose), unread=tuple(unread))


def _read_words(
    part: Piece, found: list[Reference], loose: list[Piece], unread: list[Piece], *, room: list[int]
) -> None:
    """Read ids among words; ``room`` is how many more ids ranges may stand for."""
    for match in _WORD.finditer(part.text):
        word = part.cut(*match.span())
        if word.text.casefold() in _TASK_WORDS:
            continue
        bare = _bare(word)
        if _RANGE.fullmatch(bare.text) or not is_id(bare.text):
            ids = ids_of_range(bare.text, room[0])
            room[0] -= len(ids)
            found += [Reference(id=one, at=bare.place) for one in ids]
            (loose if ids else unread).append(bare if ids else word)
            continue
        found.append(Reference(id=same_id(bare.text), at=bare.place))
        if same_id(bare.text) != bare.text:
            loose.append(bare)


def _bare(word: Piece) -> Piece:
    left = len(word.text) - len(word.text.lstrip("`*#[(\"'"))
    return word.cut(left, max(left, len(word.text.rstrip("`*:;.])\"'"))))


def _is_all(text: str) -> bool:
    words = text.casefold().split()
    return words[0] in _ALL_WORDS and all(word in _ALL_FOLLOWING for word in words[1:])


def is_none(value: Piece) -> bool:
    """Whether a value says that there is nothing: empty, ``none``, ``n/a``, a dash, in any markup."""
    bare = value.text.strip("*_`[]() ")
    return (bare.rstrip(".") or bare).casefold() in NONE_WORDS


def has_arrow(text: str) -> bool:
    """Whether there is an arrow of any kind."""
    return _ARROW.search(text) is not None or _BACK.search(text) is not None


def split_at_arrows(part: Piece) -> list[Piece]:
    """Return what stands between the arrows of a part."""
    return _links(part, [])


def _links(part: Piece, arrows: list[Piece]) -> list[Piece]:
    """Return what stands between the arrows of a part, in the order that they say, and which arrows are unusual."""
    arrow = _ARROW if _ARROW.search(part.text) else _BACK
    found: list[Piece] = []
    begin = 0
    for one in arrow.finditer(part.text):
        found.append(part.cut(begin, one.start()).strip())
        begin = one.end()
        if one.group() != "->":
            arrows.append(part.cut(*one.span()))
    found.append(part.cut(begin).strip())
    return found if arrow is _ARROW else found[::-1]


def read_chains(value: Piece) -> Chains:
    """Read chains such as ``001 -> 002 -> 003, 003 -> 004``; brackets around them are the caller's.

    A link may have several tasks: ``001 and 002 -> 003`` are two chains. There are no more of such than half of the
    characters; the part that would have them is said to be alone.
    """
    chains: list[tuple[Reference, ...]] = []
    arrows: list[Piece] = []
    alone: list[Piece] = []
    loose: list[Piece] = []
    unread: list[Piece] = []
    room = [len(value.text) + _RANGES_ROOM]
    pairs_left = len(value.text) // 2
    parts = () if is_none(value) else value.split(",")
    for part in parts:
        links = [_read_link(link, loose, unread, room) for link in _links(part, arrows)]
        links = [link for link in links if link]
        if links and not has_arrow(part.text):
            alone.append(part)
        if links and all(len(link) == 1 for link in links):
            chains.append(tuple(link[0] for link in links))
        elif (count := sum(len(one) * len(other) for one, other in pairwise(links))) <= pairs_left:
            pairs_left -= count
            chains += [pair for one, other in pairwise(links) for pair in product(one, other)]
        elif has_arrow(part.text):
            alone.append(part)
    return Chains(
        found=tuple(chains), alone=tuple(alone), arrows=tuple(arrows), loose=tuple(loose), unread=tuple(unread)
    )


def _read_link(link: Piece, loose: list[Piece], unread: list[Piece], room: list[int]) -> list[Reference]:
    """Return the tasks of one link; what is said about them in brackets is not looked at."""
    comment = _COMMENT.search(link.text)
    words = link if comment is None or not comment.start() else link.cut(0, comment.start())
    label = _LABEL.search(words.text)
    found: list[Reference] = []
    _read_words(words if label is None else words.cut(0, label.start()), found, loose, unread, room=room)
    return found
