"""Marks: how far an item is, in brackets or as an emoji, and changing one in place.

Owns: the characters of marks, and ``set_state``.
Does not know: items beyond their mark.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from remit.plans.plan import Place, TaskState

BRACKETED: Final = {
    " ": TaskState.PENDING,
    "~": TaskState.IN_PROGRESS,
    "x": TaskState.DONE,
    "X": TaskState.DONE,
    "!": TaskState.STUCK,
}
MARKS: Final = {
    TaskState.PENDING: " ",
    TaskState.IN_PROGRESS: "~",
    TaskState.DONE: "x",
    TaskState.STUCK: "!",
}
"""The mark of each state, between brackets."""

EMOJI: Final = {
    **dict.fromkeys("⬜☐🔲⚪◻⏸", TaskState.PENDING),
    **dict.fromkeys("🚧🔄⏳🟡🔨🏗▶", TaskState.IN_PROGRESS),
    **dict.fromkeys("✅✔☑🟢", TaskState.DONE),
    **dict.fromkeys("❌⛔🛑🔴🚫❗⚠✖", TaskState.STUCK),
}
EMOJI_MARKS: Final = {
    TaskState.PENDING: "⬜",
    TaskState.IN_PROGRESS: "🚧",
    TaskState.DONE: "✅",
    TaskState.STUCK: "❌",
}
"""The emoji that is written for each state."""

_ANY: Final = "".join(EMOJI)
_EMOJI: Final = re.compile(f"[{_ANY}]\ufe0f?")
_BRACKETS: Final = re.compile(r"\[([^\[\]\n]{0,6})\](?!\((?![A-Z](?:/[A-Z]){0,3}\)))")
_LAST_EMOJI: Final = re.compile(f"[{_ANY}]\ufe0f?\\s{{0,4}}\\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A mark. ``at`` is the character or emoji alone; ``end`` where the text after the mark begins.

    ``state`` is ``None`` for a mark that nobody knows; ``is_canonical`` is false for whatever is not ``[ ]``, ``[~]``,
    ``[x]``, ``[X]`` or ``[!]``. ``is_glued`` is true where no space follows.
    """

    state: TaskState | None
    written: str
    at: Place
    whole: Place
    end: int
    is_canonical: bool
    is_glued: bool = False


def find_mark(text: str, start: int) -> Mark | None:
    """Return the mark at the beginning of a text that begins at an offset, or ``None``."""
    bracketed = _BRACKETS.match(text)
    if bracketed is not None:
        return _bracketed(bracketed, text, start)
    emoji = _EMOJI.match(text)
    if emoji is None:
        return None
    place = (start, start + emoji.end())
    return Mark(
        state=EMOJI[emoji.group()[0]],
        written=emoji.group(),
        at=place,
        whole=place,
        end=start + _after(text, emoji.end()),
        is_canonical=False,
    )


def last_mark(text: str, start: int) -> Mark | None:
    """Return the emoji at the end of a text that begins at an offset, or ``None``."""
    found = _LAST_EMOJI.search(text, max(0, len(text) - 8))
    if found is None:
        return None
    written = found.group().rstrip()
    place = (start + found.start(), start + found.start() + len(written))
    return Mark(state=EMOJI[written[0]], written=written, at=place, whole=place, end=place[1], is_canonical=False)


def mark_for(state: TaskState, written: str) -> str:
    """Return the mark of a state in the style of the one that it replaces."""
    is_emoji = written[:1] in EMOJI
    return EMOJI_MARKS[state] if is_emoji else MARKS[state]


def _bracketed(match: re.Match[str], text: str, start: int) -> Mark | None:
    inside = match[1]
    stripped = inside.strip()
    if len(stripped) > 1 and _EMOJI.fullmatch(stripped) is None:
        return None
    begin = match.start(1) + (inside.find(stripped) if stripped else 0)
    length = len(stripped) or min(1, len(inside))
    character = stripped or " "
    known = BRACKETED.get(character) or EMOJI.get(character[0])
    if known is None and (character.isdigit() or character.isupper()):
        # A footnote, or a role in square brackets.
        return None
    return Mark(
        state=known,
        written=inside,
        at=(start + begin, start + begin + length),
        whole=(start, start + match.end()),
        end=start + _after(text, match.end()),
        is_canonical=inside in BRACKETED,
        is_glued=text[match.end() : match.end() + 1] not in {"", " ", "\t", "\n"},
    )


def _after(text: str, offset: int) -> int:
    rest = text[offset : offset + 8]
    return offset + len(rest) - len(rest.lstrip())
