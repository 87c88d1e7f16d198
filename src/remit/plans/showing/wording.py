"""Words of what is shown: untrusted text made fit to print, marks of states, figures as people read them.

Owns: what every form of showing a plan (tree, graph, page) says in the same way.
Does not know: any form.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Final

from remit.plans.plan import RiskClass, TaskKind, TaskState

STATE_MARKS: Final[Mapping[TaskState, str]] = MappingProxyType(
    {TaskState.PENDING: "[ ]", TaskState.IN_PROGRESS: "[~]", TaskState.DONE: "[x]", TaskState.STUCK: "[!]"}
)
"""The marks that plans write; they tell states apart without colour."""

STATE_WORDS: Final[Mapping[TaskState, str]] = MappingProxyType(
    {
        TaskState.PENDING: "pending",
        TaskState.IN_PROGRESS: "in progress",
        TaskState.DONE: "done",
        TaskState.STUCK: "stuck",
    }
)

KIND_WORDS: Final[Mapping[TaskKind, str]] = MappingProxyType(
    {TaskKind.WORK: "work", TaskKind.TEST: "test", TaskKind.HUMAN_GATE: "human gate"}
)

RISK_ORDER: Final = (RiskClass.CRITICAL, RiskClass.HIGH, RiskClass.MEDIUM, RiskClass.LOW)

_DAYS_WRITTEN_MAX: Final = 10**9
"""More days than this are no estimate, but may stand in a document."""

_SPACE: Final = re.compile(r"\s+")
_JOINERS: Final = "\N{ZERO WIDTH NON-JOINER}\N{ZERO WIDTH JOINER}"
"""Scripts and emoji need them between letters; they steer nothing."""


def shown(text: str) -> str:
    """Return a text on one line, without characters that steer or hide: XML forbids most of them."""
    if text.isascii() and text.isprintable() and "  " not in text:
        return text.strip()
    line = _SPACE.sub(" ", text).strip()
    return "".join(character if _is_shown(character) else "\N{REPLACEMENT CHARACTER}" for character in line)


def plain(text: str) -> str:
    """Return a text as ``shown`` does, without Markdown's marks of code and emphasis."""
    return shown(text).replace("`", "").replace("**", "")


def days(value: Decimal) -> str:
    """Return a number of days to the hundredth, without trailing zeros."""
    if value >= _DAYS_WRITTEN_MAX:
        return f"{value:.2E}"
    return f"{value:,.2f}".rstrip("0").rstrip(".")


def day_range(least: Decimal, most: Decimal) -> str:
    """Return days from the least to the most, such as ``1.5 d`` or ``1\N{EN DASH}2 d``."""
    return f"{days(least)} d" if least == most else f"{days(least)}\N{EN DASH}{days(most)} d"


def counted(count: int, word: str, words: str | None = None) -> str:
    """Return a count with its word, such as ``1 task`` or ``2 tasks``."""
    return f"{count:,} {word if count == 1 else words or word + 's'}"


def percent(part: int, whole: int) -> str:
    """Return a share, rounded down so that only a whole is 100 %."""
    return "\N{EN DASH}" if whole == 0 else f"{part * 100 // whole} %"


def _is_shown(character: str) -> bool:
    return character in _JOINERS or unicodedata.category(character)[0] != "C"
