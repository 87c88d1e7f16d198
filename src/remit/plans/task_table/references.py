"""Cells that list ids: what they name, what stands beside it, and which shorthands were read.

Owns: separators, parentheses, the words for "none", and the way from what is written to ids of tasks.
Does not know: which columns list ids, or whether the ids exist.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Final

from remit.plans.plan import NOWHERE, Place
from remit.plans.task_table.ids import Meaning, Shorthand, completed, is_id, meaning_of, number_of

_EXPANSIONS_FREE: Final = 4_000
_EXPANSIONS_SHARE: Final = 16
"""Ranges may stand for one id in so many characters of the document, and for some more: reading stays linear in its
size, and three thousand tasks that all come before each of the last ten are a tenth of it."""

_MARKS: Final = re.compile(r"[(),;\n]|<br ?/?>|(?<=\s)[+&](?=\s)|(?<=\s)(?:and|und|y|et)(?=\s)")
_DECORATION: Final = "`*_~[]\"' \t"
_NONE: Final = frozenset({"", "—", "\u2013", "-", "\u2212", "none", "n/a", "na", "nil", "null", "nothing", "tbd", "?"})
_TASK_WORD: Final = re.compile(r"(?:tasks?|items?|issues?|tickets?)[ \t]+(?=[#\w])", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mention:
    """One item of a list: the ids that it names, or the pattern of ids."""

    written: str
    at: Place = field(default=NOWHERE, compare=False)
    ids: tuple[str, ...] = ()
    pattern: str | None = None
    comment: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Loose:
    """An item that is no id."""

    text: str
    at: Place = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class References:
    """What a cell lists. ``says_none`` is set where it says that there is nothing; ``at`` is the cell's place."""

    mentions: tuple[Mention, ...] = ()
    loose: tuple[Loose, ...] = ()
    comments: tuple[Loose, ...] = ()
    says_none: bool = False
    at: Place = field(default=NOWHERE, compare=False)

    def ids(self) -> Iterator[tuple[str, Mention]]:
        """Return every id with the item that names it."""
        for mention in self.mentions:
            for written in mention.ids:
                yield written, mention

    @property
    def patterns(self) -> tuple[Mention, ...]:
        """Return the items that are patterns."""
        return tuple(mention for mention in self.mentions if mention.pattern is not None)


EMPTY: Final = References(says_none=True)


@dataclass(slots=True, kw_only=True)
class Sighting:
    """A kind of shorthand: where it is seen first, as what it was read, and how often it is used."""

    written: str
    ids: tuple[str, ...]
    at: Place
    count: int = 1


class TaskIndex:
    """The ids of a document's tasks with their positions, and the other ways to name one: number, spelling, title."""

    __slots__ = ("_spellings", "_titles", "ids")

    def __init__(self, tasks: Iterable[tuple[str, str]]) -> None:
        self.ids: dict[str, int] = {}
        self._titles: dict[str | int, str | None] = {}
        self._spellings: dict[str | int, str | None] = {}
        for task_id, title in tasks:
            if task_id in self.ids:
                continue
            self.ids[task_id] = len(self.ids)
            _enter(self._titles, _plain(title), task_id)
            _enter(self._spellings, _plain(task_id), task_id)
            number = number_of(task_id)
            if number is not None:
                _enter(self._spellings, number, task_id)

    def find(self, written: str) -> str | None:
        """Return the id of the task that an id, a number or a spelling names; ``None`` if it names none for certain."""
        if written in self.ids:
            return written
        bare = written.removeprefix("#")
        if bare.isascii() and bare.isdigit() and len(bare) <= 9:
            return self._spellings.get(int(bare))
        return self._spellings.get(_plain(written))

    def titled(self, title: str) -> str | None:
        """Return the id of the task with a title."""
        return self._titles.get(_plain(title)) if title else None


def _enter(table: dict[str | int, str | None], key: str | int, task_id: str) -> None:
    """Note an id under a key; a key of two ids stands for none."""
    table[key] = None if key in table else task_id


def _plain(text: str) -> str:
    return "".join(character for character in text.casefold() if character.isalnum())


class ReferenceReader:
    """Reads cells that list ids of a text of some length, and remembers which shorthands it met."""

    __slots__ = ("_room", "expansions_max", "overflow", "shorthands")

    def __init__(self, length: int) -> None:
        self.expansions_max = _EXPANSIONS_FREE + length // _EXPANSIONS_SHARE
        self._room = self.expansions_max
        self.overflow: Place | None = None
        self.shorthands: dict[Shorthand, Sighting] = {}

    def read(self, written: str, start: int, tasks: TaskIndex | None = None) -> References:
        """Return what a cell lists.

        Args:
            written: The cell as it stands in the text.
            start: The offset of its first character.
            tasks: Where the cell names tasks: their ids.
        """
        at = (start, start + len(written))
        if _is_none(written):
            return References(says_none=True, at=at)
        mentions: list[Mention] = []
        loose: list[Loose] = []
        comments: list[Loose] = []
        nothing = False
        for kind, first, last in _pieces(written):
            text = written[first:last]
            place = (start + first, start + last)
            if kind == "comment":
                self._comment(Loose(text=text, at=place), mentions, comments)
            elif _is_none(text):
                nothing = True
            else:
                found = self._mention(text, place, mentions, tasks)
                if found is None:
                    loose.append(Loose(text=text, at=place))
                else:
                    mentions.append(found)
        says_none = nothing and not mentions and not loose
        return References(
            mentions=tuple(mentions), loose=tuple(loose), comments=tuple(comments), says_none=says_none, at=at
        )

    def _mention(self, text: str, at: Place, before: list[Mention], tasks: TaskIndex | None) -> Mention | None:
        item = _TASK_WORD.sub("", text, count=1) if tasks is not None else text
        item = item.strip(" \t`" if item.count("*") == 1 else _DECORATION)
        if tasks is not None:
            known = tasks.find(item) if is_id(item) else tasks.titled(item)
            if known is not None:
                self._note(text, at, item, known)
                return Mention(written=text, at=at, ids=(known,))
        meaning = meaning_of(item, room=self._room, hyphenated=tasks is not None)
        if meaning.pattern is not None and tasks is not None:
            meaning = self._expanded(meaning, meaning.pattern, tasks)
        elif meaning.ids and tasks is not None:
            meaning = Meaning(ids=tuple(tasks.find(one) or one for one in meaning.ids), shorthand=meaning.shorthand)
        elif meaning.ids == (item,) and item.isdigit() and before and before[-1].ids:
            meaning = Meaning(ids=(completed(item, before[-1].ids[-1]),), shorthand=Shorthand.NUMBER)
        if not meaning.ids and meaning.pattern is None:
            return None
        self._spend(meaning, at)
        self._remember(meaning.shorthand, text, meaning.ids, at)
        return Mention(written=text, at=at, ids=meaning.ids, pattern=meaning.pattern)

    def _expanded(self, meaning: Meaning, pattern: str, tasks: TaskIndex) -> Meaning:
        """Return a pattern as the tasks that fit it; each look through the tasks is paid for."""
        if self._room < len(tasks.ids):
            return meaning
        self._room -= len(tasks.ids)
        before, _, after = pattern.partition("*")
        fitting = (task for task in tasks.ids if task.startswith(before) and task.endswith(after))
        return Meaning(ids=tuple(fitting), pattern=pattern, shorthand=Shorthand.PATTERN)

    def _note(self, text: str, at: Place, item: str, known: str) -> None:
        if item != known and item.removeprefix("#").isdigit():
            self._remember(Shorthand.NUMBER, text, (known,), at)

    def _comment(self, comment: Loose, mentions: list[Mention], comments: list[Loose]) -> None:
        """Keep what stands in parentheses, with the item before it; the target of a link says nothing."""
        if comment.text.startswith(("#", "http:", "https:", "./", "/")):
            return
        comments.append(comment)
        self._remember(Shorthand.COMMENT, f"({comment.text})", (), comment.at)
        if mentions:
            mentions.append(replace(mentions.pop(), comment=comment.text))

    def _spend(self, meaning: Meaning, at: Place) -> None:
        if meaning.shorthand is None or len(meaning.ids) < 2:
            return
        self._room = max(0, self._room - len(meaning.ids))
        if self.overflow is None and _is_cut(meaning):
            self.overflow = at

    def _remember(self, shorthand: Shorthand | None, text: str, ids: tuple[str, ...], at: Place) -> None:
        if shorthand is None:
            return
        seen = self.shorthands.get(shorthand)
        if seen is None:
            self.shorthands[shorthand] = Sighting(written=text, ids=ids, at=at)
        else:
            seen.count += 1


def _is_cut(meaning: Meaning) -> bool:
    """Whether a range stands for its ends only."""
    if len(meaning.ids) != 2 or meaning.shorthand in {Shorthand.VARIANTS, Shorthand.ALTERNATIVES}:
        return False
    first, last = map(number_of, meaning.ids)
    return first is None or last is None or last - first > 1


def _is_none(text: str) -> bool:
    return len(text) <= 12 and text.strip(_DECORATION).casefold() in _NONE


def _pieces(written: str) -> Iterator[tuple[str, int, int]]:
    """Return the items and the comments in parentheses of a cell: kind, first and last offset."""
    depth = start = 0
    for mark in _MARKS.finditer(written):
        what = mark.group()
        if what == "(":
            if depth == 0:
                yield from _piece("item", written, start, mark.start())
                start = mark.end()
            depth += 1
        elif what == ")" and depth:
            depth -= 1
            if depth == 0:
                yield from _piece("comment", written, start, mark.start())
                start = mark.end()
        elif depth == 0:
            yield from _piece("item", written, start, mark.start())
            start = mark.end()
    yield from _piece("comment" if depth else "item", written, start, len(written))


def _piece(kind: str, written: str, start: int, end: int) -> Iterator[tuple[str, int, int]]:
    text = written[start:end]
    stripped = text.strip()
    if stripped:
        first = start + text.find(stripped)
        yield kind, first, first + len(stripped)
