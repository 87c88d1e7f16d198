"""Cells that list ids: what they name, what stands beside it, and which shorthands were read.

Owns: separators, parentheses, the words for "none", and reading items one by one.
Does not know: which columns list ids, or whether the ids exist; the index of tasks knows how one may be named.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Final

from remit.plans.markdown.inline import seen
from remit.plans.plan import NOWHERE, Place
from remit.plans.task_table import languages
from remit.plans.task_table.ids import Meaning, Shorthand, completed, meaning_of, number_of
from remit.plans.task_table.index import TaskIndex
from remit.plans.texts import NOTHING_WORDS

_EXPANSIONS_FREE: Final = 4_000
_EXPANSIONS_SHARE: Final = 16
"""Ranges may stand for one id in so many characters of the document, and for some more: reading stays linear in its
size, and three thousand tasks that all come before each of the last ten are a tenth of it."""

_MARKS: Final = re.compile(
    r"[(),;\n\u3001\uff0c\uff1b\uff08\uff09]|(?<=\s)[+&](?=\s)|(?<=[\s,;])(?:and|und|y|et|e|en|и)(?=\s)|\\?\|"
)
_OPENING: Final = "(\uff08"
_CLOSING: Final = ")\uff09"
_DECORATION: Final = "`*_~[]\"' \t"
_NONE: Final = (
    languages.NONE
    | NOTHING_WORDS
    | {"", "--", "\u2212", "null", "tbd", "?", "not applicable", "no dependency", "no dependencies"}
)
_NONE_LENGTH_MAX: Final = 20
_NONE_MARKS: Final = f"{_DECORATION}."
_STRUCK: Final = re.compile(r"~~((?:(?!~~).)+)~~")


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


class ReferenceReader:
    """Reads cells that list ids of a text of some length, and remembers which shorthands it met."""

    __slots__ = ("_room", "expansions_max", "overflow", "shorthands")

    def __init__(self, length: int) -> None:
        self.expansions_max = _EXPANSIONS_FREE + length // _EXPANSIONS_SHARE
        self._room = self.expansions_max
        self.overflow: Place | None = None
        self.shorthands: dict[Shorthand, Sighting] = {}

    def read(self, written: str, start: int, tasks: TaskIndex | None = None, *, task: str | None = None) -> References:
        """Return what a cell lists.

        Args:
            written: The cell as it stands in the text.
            start: The offset of its first character.
            tasks: Where the cell names tasks: their ids.
            task: The task that the cell is about; ``all previous`` are those before it.
        """
        at = (start, start + len(written))
        if tasks is not None and written in tasks.ids:
            return References(mentions=(Mention(written=written, at=at, ids=(written,)),), at=at)
        if _is_none(written):
            return References(says_none=True, at=at)
        for struck in _STRUCK.finditer(written) if "~~" in written else ():
            self._remember(Shorthand.STRUCK, struck[1], (), (start + struck.start(), start + struck.end()))
        written = seen(written)
        whole = None if tasks is None else self._title(written, at, tasks)
        if whole is not None:
            return References(mentions=(whole,), at=at)
        mentions: list[Mention] = []
        loose: list[Loose] = []
        comments: list[Loose] = []
        nothing = False
        for kind, first, last in _pieces(written):
            text = written[first:last]
            place = (start + first, start + last)
            if kind == "comment":
                named = self._named_beside(text, place, loose, tasks, is_alone=not mentions)
                if named is None:
                    self._comment(Loose(text=text, at=place), mentions, comments)
                else:
                    mentions.append(named)
            elif _is_none(text):
                nothing = True
            else:
                found = self._mention(text, place, mentions, tasks=tasks, task=task)
                if found is None:
                    loose.append(Loose(text=text, at=place))
                else:
                    mentions.append(found)
        says_none = nothing and not mentions and not loose
        return References(
            mentions=tuple(mentions), loose=tuple(loose), comments=tuple(comments), says_none=says_none, at=at
        )

    def _mention(
        self, text: str, at: Place, before: list[Mention], *, tasks: TaskIndex | None, task: str | None
    ) -> Mention | None:
        item = text.strip(" \t`" if text.count("*") == 1 else _DECORATION)
        if tasks is None:
            meaning = meaning_of(item, room=self._room)
            if meaning.ids == (item,) and item.isdigit() and before and before[-1].ids:
                meaning = Meaning(ids=(completed(item, before[-1].ids[-1]),), shorthand=Shorthand.NUMBER)
        else:
            meaning = self._tasks_meant(item, tasks, task)
        if not meaning.ids and meaning.pattern is None:
            return None
        self._spend(meaning, at)
        self._remember(meaning.shorthand, text, meaning.ids, at)
        return Mention(written=text, at=at, ids=meaning.ids, pattern=meaning.pattern)

    def _title(self, written: str, at: Place, tasks: TaskIndex) -> Mention | None:
        """Return the task whose title the whole cell is, with a comma or the like in it."""
        if _MARKS.search(written) is None:
            return None
        known = tasks.titled(written)
        return None if known is None else Mention(written=written.strip(), at=at, ids=(known,))

    def _tasks_meant(self, item: str, tasks: TaskIndex, task: str | None) -> Meaning:
        """Return the tasks that an item names: one as it is called, several in short, or ids that no task has."""
        known = tasks.named(item)
        if known is not None:
            return known
        count = tasks.previous(item, task)
        if count is not None:
            return self._previous(count, tasks, task)
        bare = tasks.without_words(item)
        several = tasks.each(bare)
        if several:
            return Meaning(ids=several)
        meaning = meaning_of(bare, room=self._room)
        ids = (tasks.find(one) or one for one in meaning.ids)
        if meaning.pattern is not None:
            return self._expanded(meaning, meaning.pattern, tasks)
        if meaning.ids == (bare,) or not meaning.ids:
            hyphenated = meaning_of(bare, room=self._room, hyphenated=True)
            ends = hyphenated.ids[:1] + hyphenated.ids[-1:]
            if len(hyphenated.ids) > 1 and any(tasks.find(one) is not None for one in ends):
                meaning = hyphenated
                ids = (tasks.find(one) or one for one in meaning.ids)
        return Meaning(ids=tuple(ids), shorthand=meaning.shorthand)

    def _previous(self, count: int, tasks: TaskIndex, task: str | None) -> Meaning:
        """Return the tasks before one: all of them, or the last ``count``; no more than there is room for."""
        position = tasks.ids.get(task or "", 0)
        first = max(0, position - min(count, self._room))
        return Meaning(ids=tasks.between(first, position), shorthand=Shorthand.PREVIOUS)

    def _named_beside(
        self, text: str, at: Place, loose: list[Loose], tasks: TaskIndex | None, *, is_alone: bool
    ) -> Mention | None:
        """Return the task that parentheses name behind words that name none: ``Login page (#12)``; or alone."""
        is_behind = bool(loose) and at[0] - loose[-1].at[1] <= 2
        if tasks is None or not (is_behind or (is_alone and not loose)):
            return None
        known = tasks.named(text.strip(_DECORATION))
        if known is None:
            return None
        self._remember(known.shorthand, text, known.ids, at)
        start = loose.pop().at[0] if is_behind else at[0]
        return Mention(written=text, at=(start, at[1]), ids=known.ids)

    def _expanded(self, meaning: Meaning, pattern: str, tasks: TaskIndex) -> Meaning:
        """Return a pattern as the tasks that fit it; each look through the tasks is paid for."""
        if self._room < len(tasks.ids):
            return meaning
        self._room -= len(tasks.ids)
        before, _, after = pattern.partition("*")
        fitting = (task for task in tasks.ids if task.startswith(before) and task.endswith(after))
        return Meaning(ids=tuple(fitting), pattern=pattern, shorthand=Shorthand.PATTERN)

    def _comment(self, comment: Loose, mentions: list[Mention], comments: list[Loose]) -> None:
        """Keep what stands in parentheses, with the item before it."""
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
    if len(meaning.ids) != 2 or meaning.shorthand not in {Shorthand.RANGE, Shorthand.SHORT_RANGE, Shorthand.NUMBER}:
        return False
    first, last = map(number_of, meaning.ids)
    return first is None or last is None or last - first > 1


def _is_none(text: str) -> bool:
    return len(text) <= _NONE_LENGTH_MAX and text.strip(_NONE_MARKS).casefold() in _NONE


def _pieces(written: str) -> Iterator[tuple[str, int, int]]:
    """Return the items and the comments in parentheses of a cell: kind, first and last offset."""
    depth = start = 0
    for mark in _MARKS.finditer(written):
        what = mark.group()
        if what in _OPENING:
            if depth == 0:
                yield from _piece("item", written, start, mark.start())
                start = mark.end()
            depth += 1
        elif what in _CLOSING and depth:
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
