"""Lines that are no plan: blocks of code, and comments that no reader sees.

Owns: finding them, and reading a plan that stands in a block of code as a whole.
Does not know: what the other lines mean. What a block of code is, is the Markdown parser's judgement.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from markdown_it import MarkdownIt

from remit.plans.texts import Line, PlanReporter, PlanText

_TASK: Final = re.compile(r"#{1,6}[ \t]+task[ \t]+[A-Za-z0-9]", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fence:
    """A block of code: the numbers of its first and last line, and what stands inside."""

    first: int
    last: int
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hidden:
    """What is not read as the plan. ``fences`` are by the number of their first line; ``lines`` are numbers."""

    fences: dict[int, Fence]
    lines: frozenset[int]


def find_hidden(text: PlanText, reporter: PlanReporter) -> Hidden:
    """Return what stands in blocks of code and comments; a plan that stands in one block as a whole is read."""
    if not any(mark in text.text for mark in ("```", "~~~", "<!--")):
        return Hidden(fences={}, lines=frozenset())
    fences, comments = _blocks(text)
    kept = _without_wrapping(text, fences, comments, reporter)
    for hidden in (*kept, *comments):
        _report_tasks(hidden, reporter)
    numbers = _numbers(kept, comments)
    stays = {fence.first for fence in kept}
    for fence in fences:
        if fence.first not in stays:
            numbers -= {line.number for line in fence.lines}
            numbers |= {fence.first, fence.last if _is_closed(fence) else fence.first}
    return Hidden(fences={fence.first: fence for fence in kept}, lines=frozenset(numbers))


def _blocks(text: PlanText) -> tuple[list[Fence], list[Fence]]:
    parser = MarkdownIt("zero", {"html": True}).enable(["fence", "html_block"])
    parser.core.ruler.enableOnly(["normalize", "block"])
    fences: list[Fence] = []
    comments: list[Fence] = []
    for token in parser.parse(text.text):
        if token.map is None:
            continue
        first, last = token.map[0] + 1, token.map[1]
        if token.type == "fence":
            fences.append(_fence(text, first, last))
        elif token.type == "html_block" and token.content.lstrip().startswith("<!--"):
            comments.append(Fence(first=first, last=last, lines=text.lines[first - 1 : last]))
    return fences, comments


def _fence(text: PlanText, first: int, last: int) -> Fence:
    """Return a block of code. The parser ends one that is never closed with the text."""
    last = min(last, len(text.lines))
    opening, closing = text.lines[first - 1].text.strip(), text.lines[last - 1].text.strip()
    is_closed = last > first and closing[:3] == opening[:3] and not closing.strip(opening[0])
    inside = text.lines[first : last - 1 if is_closed else last]
    return Fence(first=first, last=last, lines=inside)


def _is_closed(fence: Fence) -> bool:
    return fence.last == fence.first + len(fence.lines) + 1


def _without_wrapping(
    text: PlanText, fences: list[Fence], comments: list[Fence], reporter: PlanReporter
) -> list[Fence]:
    """Return the blocks that stay hidden: not one that is never closed, not one around the whole plan."""
    kept: list[Fence] = []
    for fence in fences:
        opening = text.lines[fence.first - 1]
        if not _is_closed(fence) and any(_TASK.match(line.text) for line in fence.lines):
            reporter.report(
                "SPECTRA_FENCE",
                "expected a block of code that is closed, got one that reaches to the end of the file and would hide "
                "tasks; it is read as if it ended here, close it",
                at=opening.place,
            )
            continue
        kept.append(fence)
    numbers = _numbers(kept, comments)
    if any(_TASK.match(line.text) for line in text.lines if line.number not in numbers):
        return kept
    wrapping = [fence for fence in kept if any(_TASK.match(line.text) for line in fence.lines)]
    if len(wrapping) != 1:
        return kept
    reporter.report(
        "SPECTRA_FENCE",
        "expected a plan, got one that stands in a block of code; it is read, take the fence away",
        at=text.lines[wrapping[0].first - 1].place,
        related={"the fence ends here": text.lines[wrapping[0].last - 1].place},
    )
    return [fence for fence in kept if fence is not wrapping[0]]


def _numbers(fences: list[Fence], comments: list[Fence]) -> set[int]:
    return {number for hidden in (*fences, *comments) for number in range(hidden.first, hidden.last + 1)}


def _report_tasks(hidden: Fence, reporter: PlanReporter) -> None:
    for line in hidden.lines:
        if _TASK.match(line.text):
            reporter.report(
                "SPECTRA_TASK_HIDDEN",
                "expected tasks outside of code and comments, got one inside, which is not read; move it out if it is "
                "part of the plan",
                at=line.place,
            )
            return
