"""The index of a document's tasks: every way in which a list may name one.

Owns: finding a task by its id, number, spelling, title or address, and words that stand before or behind it.
Does not know: cells, or where one item of a list ends.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from remit.plans.task_table import languages
from remit.plans.task_table.columns import plain
from remit.plans.task_table.ids import ID_LENGTH_MAX, Meaning, Shorthand, number_of

_ADDRESS_MAX: Final = 400

_NOUNS: Final = "|".join(
    (
        "tasks?",
        "items?",
        "issues?",
        "tickets?",
        "steps?",
        "stories",
        "story",
        "nr\\.?",
        "no\\.?",
        *sorted(languages.TASK_WORDS),
    )
)
_LEADING_NOUN: Final = re.compile(rf"(?:{_NOUNS})[ \t]+(?=[#\w])", re.IGNORECASE)
_LEADING_VERB: Final = re.compile(
    r"(?:(?:is |be )?(?:blocked by|dependent on|waiting (?:on|for))|depends? (?:up)?on|waits? (?:on|for)|after|"
    r"(?:all|both|each) of|then|requires?|needs|follows|see)(?::[ \t]*|[ \t]+)",
    re.IGNORECASE,
)
_PREVIOUS: Final = re.compile(
    r"(?P<all>all (?:of )?)?(?:the )?(?:previous|above|prior|preceding|earlier)(?: (?:(?P<many>tasks|steps|items|ones)|"
    r"task|step|item|one))?",
    re.IGNORECASE,
)
_RELATION: Final = re.compile(
    r"(.*[^\s+-])\s?(?:(?:FS|SS|FF|SF|EA|AA|EE|AE)\s?)(?:[+-]\s?\d{1,9}(?:[.,]\d{1,4})?\s?(?:%|[^\W\d_]{1,12}\.?)?)?",
)
"""How schedules write it: end to start and the like, in English or German, and a lag."""


class TaskIndex:
    """The ids of a document's tasks with their positions, and the other ways to name one: number, spelling, title."""

    __slots__ = ("_order", "_spellings", "_titles", "ids")

    def __init__(self, tasks: Iterable[tuple[str, str]]) -> None:
        self.ids: dict[str, int] = {}
        self._order: list[str] = []
        self._titles: dict[str | int, str | None] = {}
        self._spellings: dict[str | int, str | None] = {}
        for task_id, title in tasks:
            if task_id in self.ids:
                continue
            self.ids[task_id] = len(self.ids)
            self._order.append(task_id)
            _enter(self._titles, plain(title), task_id)
            _enter(self._spellings, plain(task_id), task_id)
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
        if len(written) > ID_LENGTH_MAX:
            return None
        return self._spellings.get(plain(written))

    def named(self, item: str) -> Meaning | None:
        """Return the one task that an item of a list names in any way, and how it is written; ``None`` for others."""
        found = self._called(item)
        if found is None:
            bare = self.without_words(item)
            if bare != item and bare:
                found = self._called(bare)
                item = bare
        if found is not None:
            is_short = item != found and item.removeprefix("#").isdigit()
            return Meaning(ids=(found,), shorthand=Shorthand.NUMBER if is_short else None)
        return self._linked(item) or self._related(item)

    def previous(self, item: str, task: str | None) -> int | None:
        """Return how many tasks before one an item means, such as ``all previous tasks``; ``None`` if it does not."""
        if task is None or len(item) > ID_LENGTH_MAX:
            return None
        found = _PREVIOUS.fullmatch(item)
        if found is None:
            return None
        return self.ids.get(task, 0) if found["all"] or found["many"] else 1

    def between(self, first: int, last: int) -> tuple[str, ...]:
        """Return the tasks from one position to before another, in the order of the document."""
        return tuple(self._order[first:last])

    def each(self, item: str) -> tuple[str, ...]:
        """Return the tasks of an item that is nothing but their ids with space between; none for any other."""
        if " " not in item or len(item) > _ADDRESS_MAX:
            return ()
        found = [self.find(word) for word in item.split()]
        return tuple(one for one in found if one is not None) if None not in found else ()

    def without_words(self, item: str) -> str:
        """Return an item without words before its id: ``blocked by: task #3`` is ``#3``."""
        if len(item) > 4 * ID_LENGTH_MAX:
            return item
        return _LEADING_NOUN.sub("", _LEADING_VERB.sub("", item))

    def titled(self, title: str) -> str | None:
        """Return the id of the only task with a title."""
        return self._titles.get(plain(title))

    def _called(self, item: str) -> str | None:
        return self.find(item) or self.titled(item)

    def _linked(self, item: str) -> Meaning | None:
        """Return the task that an address ends in, or ``owner/repository#12``."""
        if "/" not in item or len(item) > _ADDRESS_MAX:
            return None
        last = re.split(r"[/#]", item.rstrip("/"))[-1]
        found = self.find(last) if last else None
        is_address = item.startswith(("http://", "https://")) or "#" in item
        return None if found is None or not is_address else Meaning(ids=(found,), shorthand=Shorthand.LINK)

    def _related(self, item: str) -> Meaning | None:
        """Return the task of a relation with its lag: ``3FS+2 days``."""
        found = _RELATION.fullmatch(item) if len(item) <= ID_LENGTH_MAX else None
        task = None if found is None else self.find(found[1])
        return None if task is None else Meaning(ids=(task,), shorthand=Shorthand.RELATION)


def _enter(table: dict[str | int, str | None], key: str | int, task_id: str) -> None:
    """Note an id under a key; a key of two ids stands for none, and nothing is called by a word without letters."""
    if key != "":
        table[key] = None if key in table else task_id
