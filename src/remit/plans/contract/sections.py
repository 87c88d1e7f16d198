"""The body of an issue contract: sections and acceptance criteria.

Owns: what a section and a criterion is. Headings, lists and code are the Markdown reader's.
Does not know: the header.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from remit.diagnostics import Source
from remit.governance.suggestions import nearest
from remit.plans.contract.placeholders import placeholder_in
from remit.plans.contract.records import Criterion, Section
from remit.plans.contract.words import ACCEPTANCE, SECTIONS
from remit.plans.documents import shorten
from remit.plans.markdown import Heading, ListItem, read_blocks
from remit.plans.markdown.blocks import Block
from remit.plans.texts import PlanReporter, PlanText

_BOX: Final = re.compile(r"\[(.)\]\s+(?=\S)")
_EMPTY_BOX: Final = re.compile(r"\[\]\s*")
_MARKS: Final = frozenset(" xX~!")
_BULLET: Final = re.compile(r"\s*(?:[-*+]|\d{1,9}[.)])\s+(?:\[.\]\s+)?")
_FENCES: Final = ("```", "~~~")
_NOT_SPACE: Final = re.compile(r"[^\r\n]")
_KNOWN: Final = {title.casefold(): title for title in SECTIONS}
_OTHER_TITLES: Final = {
    "scope": "In Scope", "in-scope": "In Scope", "out-of-scope": "Out of Scope", "non-goals": "Non Goals",
    "nongoals": "Non Goals", "acceptance": ACCEPTANCE, "acceptance criterion": ACCEPTANCE, "goal": "Objective",
    "objectives": "Objective",
}  # fmt: skip
"""Titles that are read as those of required sections."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """What stands under the header."""

    preamble: str
    sections: tuple[Section, ...]
    criteria: tuple[Criterion, ...]


def read_body(text: PlanText, reporter: PlanReporter, *, first_line: int) -> Body:
    """Return the sections of a text from a line on, and the criteria among them."""
    body = _from_line(text, first_line)
    blocks = read_blocks(body)
    headings = _section_headings(blocks)
    begin = text.lines[first_line - 1].start if first_line <= len(text.lines) else len(text.text)
    bounds = [text.lines[heading.first - 1].start for heading in headings] + [len(text.text)]
    preamble = text.text[begin : bounds[0]].strip()
    sections = tuple(_section(text, reporter, heading, end) for heading, end in zip(headings, bounds[1:], strict=True))
    criteria = _criteria(text, blocks, sections, reporter)
    return Body(preamble=_lines(preamble), sections=sections, criteria=criteria)


def read_criteria(sections: Sequence[Section]) -> tuple[Criterion, ...]:
    """Return the criteria that sections hold which come from a JSON text; they have no places."""
    written = next((section.text for section in sections if section.title == ACCEPTANCE), "")
    found = (criterion_of(item, written) for item in read_blocks(PlanText(Source("", written))))
    return tuple(Criterion(text=one.text, mark=one.mark) for one in found if one is not None)


def require_sections(sections: Sequence[Section], reporter: PlanReporter, *, at: tuple[int, int]) -> None:
    """Report each required section that is not there or says nothing."""
    _report_repeated(sections, reporter)
    by_title = {section.title: section for section in reversed(sections)}
    for title in SECTIONS:
        section = by_title.get(title)
        if section is None:
            near = nearest(title, [other.title for other in sections if other.title not in SECTIONS])
            hint = "; write it under its heading" if near is None else f"; is it {near!r}?"
            reporter.report(
                "CONTRACT_SECTION_MISSING",
                f"expected the section {title!r} in an issue contract, got none{hint}",
                at=at,
            )
        elif not section.text:
            reporter.report(
                "CONTRACT_SECTION_EMPTY",
                f"expected text under {title!r}, got none; write it, or 'none' if there is nothing",
                at=section.title_at,
            )
    for section in sections:
        if not reporter.diagnostics.is_full:
            _report_placeholder(section, reporter)


def require_criteria(criteria: Sequence[Criterion], sections: Sequence[Section], reporter: PlanReporter) -> None:
    """Report an acceptance section that says something, but has no criterion to tick off."""
    section = next((section for section in sections if section.title == ACCEPTANCE), None)
    if section is not None and section.text and not criteria:
        reporter.report(
            "CONTRACT_CRITERION_MISSING",
            f"expected at least one criterion with a box under {ACCEPTANCE!r}, got none; write '- [ ] …'",
            at=section.title_at,
        )


def criterion_of(block: Block, written: str) -> Criterion | None:
    """Return the criterion that a list item is, or ``None``; lines that go on belong to it."""
    if not isinstance(block, ListItem):
        return None
    box = _BOX.match(block.text)
    if box is None or box[1] not in _MARKS:
        return None
    start = block.place[0]
    end = start + len(block.text)
    return Criterion(
        text=written[start + box.end() : end], mark=box[1], at=(start, end), mark_at=(start + 1, start + 2)
    )


def _from_line(text: PlanText, first_line: int) -> PlanText:
    """Return the text with everything above a line blank, so that every offset stays what it is."""
    start = text.lines[first_line - 1].start if first_line <= len(text.lines) else len(text.text)
    blank = _NOT_SPACE.sub(" ", text.text[:start])
    return PlanText(Source(text.source.path, blank + text.text[start:]))


def _section_headings(blocks: Sequence[Block]) -> list[Heading]:
    """Return the headings that begin sections: those not below the level of the first required one.

    What stands above the first section at its level, such as the page's title, introduces them all.
    """
    headings = [block for block in blocks if isinstance(block, Heading)]
    level = next((heading.level for heading in headings if _title(heading.text) in SECTIONS), 2)
    first = next((index for index, heading in enumerate(headings) if heading.level == level), len(headings))
    return [heading for heading in headings[first:] if heading.level <= level]


def _section(text: PlanText, reporter: PlanReporter, heading: Heading, end: int) -> Section:
    title = _title(heading.text)
    if title != heading.text:
        reporter.report(
            "CONTRACT_SECTION_ALIAS",
            f"expected the section {title!r}, got {shorten(heading.text)}, which is read as it; write {title!r}",
            at=heading.place,
            replacement=title,
        )
    start = text.lines[heading.last - 1].end
    written = text.text[start:end]
    stripped = written.strip()
    begin = start + (written.find(stripped) if stripped else 0)
    return Section(title=title, text=_lines(stripped), at=(begin, begin + len(stripped)), title_at=heading.place)


def _title(written: str) -> str:
    folded = written.strip(" *_:").casefold()
    return _KNOWN.get(folded) or _OTHER_TITLES.get(folded) or written


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _report_repeated(sections: Sequence[Section], reporter: PlanReporter) -> None:
    seen: dict[str, Section] = {}
    for section in sections:
        first = seen.setdefault(section.title, section)
        if first is not section and section.title in SECTIONS:
            reporter.report(
                "FIELD_REPEATED",
                f"expected the section {section.title!r} once, got it again; put both together",
                at=section.title_at,
                related={"first written here": first.title_at},
            )


def _report_placeholder(section: Section, reporter: PlanReporter) -> None:
    start, end = section.at
    is_plain = end - start == len(section.text)
    is_code = False
    offset = 0
    for line in section.text.split("\n"):
        is_code ^= line.lstrip().startswith(_FENCES)
        # Inside code angle brackets are the code's own.
        bullet = _BULLET.match(line)
        words = "" if is_code else line[bullet.end() if bullet else 0 :].strip()
        found = placeholder_in(words) if words else None
        if found is not None:
            first = start + offset + line.rindex(words) + found[0]
            reporter.report(
                "PLACEHOLDER_LEFT",
                f"expected text under {section.title!r}, got the placeholder {shorten(words[slice(*found)])}; "
                "fill it in",
                at=(first, first + found[1] - found[0]) if is_plain else section.at,
            )
        offset += len(line) + 1


def _criteria(
    text: PlanText, blocks: Sequence[Block], sections: Sequence[Section], reporter: PlanReporter
) -> tuple[Criterion, ...]:
    section = next((section for section in sections if section.title == ACCEPTANCE), None)
    if section is None:
        return ()
    start, end = section.at
    inside = [block for block in blocks if isinstance(block, ListItem) and start <= block.place[0] < end]
    found = [criterion_of(block, text.text) for block in inside]
    criteria = tuple(criterion for criterion in found if criterion is not None)
    for block, criterion in zip(inside, found, strict=True):
        # Without any criterion the section as a whole is told about.
        if criteria and criterion is None and block.depth == 1 and block.text:
            _report_unmarked(block, reporter)
    return criteria


def _report_unmarked(block: ListItem, reporter: PlanReporter) -> None:
    start = block.place[0]
    empty = _EMPTY_BOX.match(block.text)
    reporter.report(
        "CONTRACT_CRITERION_UNMARKED",
        f"expected a box before each criterion, `- [ ] …`, got {shorten(block.text)}; it is no criterion without one",
        at=block.place if empty is None else (start, start + empty.end()),
        replacement=f"[ ] {block.text}" if empty is None else "[ ] ",
    )
