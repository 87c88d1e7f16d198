"""States of tasks: the words and marks people write, and what they mean.

Owns: the vocabulary of states and of risk classes.
Does not know: the tasks.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from remit.plans.markdown.inline import shown
from remit.plans.plan import RiskClass, TaskState
from remit.plans.task_table import languages
from remit.plans.task_table.columns import plain

_STATES: Final[Mapping[TaskState, str]] = {
    TaskState.PENDING: (
        "notstarted todo open pending planned new backlog ready queued unstarted no waiting scheduled future "
        "notdone proposed draft selectedfordevelopment tobedone upcoming triage"
    ),
    TaskState.IN_PROGRESS: (
        "inprogress doing wip started active ongoing inreview review underreview underway inqa testing partial "
        "working running indevelopment incodereview intesting inprocess ontrack atrisk delayed readyforreview "
        "readyforqa readyfortesting awaitingreview uat"
    ),
    TaskState.DONE: "done complete completed closed finished merged shipped yes x resolved verified delivered released",
    TaskState.STUCK: "blocked stuck onhold failed paused halted",
}
_DROPPED_WORDS: Final = (
    "cancelled canceled wontdo wontfix dropped obsolete rejected abandoned skipped removed descoped duplicate "
    "storniert verworfen entfällt cancelado cancelada descartado annulé abandonné annullato geannuleerd отменено "
    "已取消 中止"
)
_DROPPED: Final = frozenset(_DROPPED_WORDS.split())
"""Words for what will not be done."""

_MARKS: Final[Mapping[TaskState, str]] = {
    TaskState.PENDING: "☐⬜⏳🔲⚪",
    TaskState.IN_PROGRESS: "🔄🚧🟡🟠🏗▶⏩🔵",
    TaskState.DONE: "✅☑✓✔🟢",
    TaskState.STUCK: "❌⛔🔴🛑⚠🚫",
}
_NAMED_MARKS: Final[Mapping[TaskState, str]] = {
    TaskState.PENDING: "white_large_square hourglass hourglass_flowing_sand white_circle",
    TaskState.IN_PROGRESS: "construction arrows_counterclockwise yellow_circle orange_circle building_construction",
    TaskState.DONE: "white_check_mark heavy_check_mark ballot_box_with_check green_circle",
    TaskState.STUCK: "x no_entry no_entry_sign red_circle octagonal_sign warning",
}
_BOXES: Final = {"[ ]": TaskState.PENDING, "[]": TaskState.PENDING, "[~]": TaskState.IN_PROGRESS,
                 "[/]": TaskState.IN_PROGRESS, "[-]": TaskState.IN_PROGRESS, "[x]": TaskState.DONE,
                 "[!]": TaskState.STUCK}  # fmt: skip

_BOX: Final = re.compile(r"(?:\[[^\[\]]?\]|:\w{1,40}:)\s*")
_NAMED_MARK: Final = re.compile(r":(\w{1,40}):")
_REMARK: Final = re.compile(r"[(:;,\u2013\u2014]|\s-\s")
_PERCENT: Final = re.compile(r"(\d{1,3})(?:[.,]\d{1,4})?\s?%")
_LENGTH_MAX: Final = 40
_CELL_MAX: Final = 400


def _vocabulary() -> dict[str, TaskState]:
    return {
        word: state for table in (languages.STATES, _STATES) for state, words in table.items() for word in words.split()
    }


_WORDS: Final = _vocabulary()
_MARKED: Final = {mark: state for state, marks in _MARKS.items() for mark in marks}
_NAMED: Final = {name: state for state, names in _NAMED_MARKS.items() for name in names.split()}


def state_of(text: str) -> TaskState | None:
    """Return the state that a cell means by its box, mark, word or percentage; ``None`` if it is none that is known."""
    return _state(text.strip("`* ")[:_CELL_MAX])


@lru_cache(maxsize=1024)
def _state(written: str) -> TaskState | None:
    marked = mark_of(written)
    if marked is not None:
        # Words behind a mark say it better: a green circle is also on track.
        return _worded(shown(without_mark(written))) or marked
    stripped = shown(written)[:_LENGTH_MAX]
    percent = _PERCENT.fullmatch(stripped)
    if percent is not None and int(percent[1]) <= 100:
        return {0: TaskState.PENDING, 100: TaskState.DONE}.get(int(percent[1]), TaskState.IN_PROGRESS)
    return _worded(stripped)


def is_bare_state(text: str) -> bool:
    """Whether a cell says a state and nothing else, so that other tasks of the state may say the same."""
    stripped = text.strip("`* ")
    if plain(stripped) in _WORDS or stripped in {"0%", "100%"}:
        return True
    return mark_of(stripped) is not None and not without_mark(stripped).strip()


def _worded(text: str) -> TaskState | None:
    """Return the state that words mean; what follows in parentheses or behind a colon or dash says more about it."""
    whole = _WORDS.get(plain(text))
    if whole is not None:
        return whole
    remark = _REMARK.search(text)
    return None if remark is None else _WORDS.get(plain(text[: remark.start()]))


def mark_of(text: str) -> TaskState | None:
    """Return the state of the box or mark that a text begins with: ``[x]``, ``✅``, ``:white_check_mark:``."""
    box = _BOXES.get(text[:3].casefold()) or _BOXES.get(text[:2])
    if box is not None:
        return box
    named = _NAMED_MARK.match(text) if text[:1] == ":" else None
    return _NAMED.get(named[1]) if named is not None else _MARKED.get(text[:1])


def without_mark(text: str) -> str:
    """Return a text without the box or mark that it begins with, such as ``[x] Build``."""
    if text[:1] in _MARKED:
        return text[1:].lstrip("\ufe0f ")
    found = _BOX.match(text) if text[:1] in {"[", ":"} else None
    return text if found is None or mark_of(text) is None else text[found.end() :]


def is_dropped(text: str) -> bool:
    """Whether a cell says that the task will not be done."""
    return plain(text[:_LENGTH_MAX]) in _DROPPED


def risk_of(text: str) -> RiskClass | None:
    """Return the risk class that a cell means."""
    word = plain(text)
    if not word:
        return None
    return next((risk for risk in RiskClass if risk.value == word or (risk.value[:3] == word[:3] == word)), None)
