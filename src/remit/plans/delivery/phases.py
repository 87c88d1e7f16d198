"""One phase: its sections with items, goal, exit criteria and declared total.

Owns: what each line below a phase's heading belongs to, and the ids of items.
Does not know: other phases, except through the numbers of items, which are unique in the document.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum, auto
from typing import Final

from remit.plans.delivery.chapters import Chapter
from remit.plans.delivery.durations import durations_in, hidden
from remit.plans.delivery.gates import GateDraft, gate_of
from remit.plans.delivery.items import ItemText, may_have_roles, read_item, report_spelling
from remit.plans.delivery.lines import (
    Label,
    LabelLine,
    ListLine,
    TextLine,
    criteria_heading,
    phase_heading,
    section_heading,
)
from remit.plans.delivery.marks import find_mark
from remit.plans.delivery.record import Criterion, Detail, Duration, Entry, Gate, Item, Phase, Section, initials
from remit.plans.delivery.repeats import with_repeats
from remit.plans.delivery.risks import is_about_risks
from remit.plans.markdown import Heading, Table
from remit.plans.plan import Place, TaskState
from remit.plans.texts import PlanReporter

_DETAIL_DEPTH_MAX: Final = 12
"""Deeper details are taken as this deep."""

_WHAT: Final = frozenset({"item", "items", "task", "tasks", "title", "what", "work", "description", "deliverable"})
_HOW: Final = frozenset(
    {"role", "who", "owner", "assignee", "estimate", "effort", "duration", "days", "state", "status", "done"}
)
_HOW_MIN: Final = 2
"""A table with so many columns of an item's kind, and one that says what it is, is a table of items."""

_ARROWS: Final = ("→", "->", "=>")


class _Context(Enum):
    ITEMS = auto()
    GOAL = auto()
    CRITERIA = auto()
    GATE = auto()
    RISKS = auto()


@dataclass(slots=True, kw_only=True)
class _SectionDraft:
    number: str
    title: str
    at: Place
    items: list[Item] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    details: list[list[Detail]] = field(default_factory=list)

    def finished(self) -> Section:
        items = tuple(
            replace(item, details=tuple(details)) for item, details in zip(self.items, self.details, strict=True)
        )
        return Section(number=self.number, title=self.title, items=items, entries=tuple(self.entries), at=self.at)


class PhaseReader:
    """Reads the phases of one document.

    Args:
        reporter: Where findings go.
        names: Role by name, for items that write a name instead of a letter.
        has_roles: The items of the document say who does them, so that one that does not is reported.
    """

    def __init__(self, reporter: PlanReporter, *, names: Mapping[str, str], has_roles: bool) -> None:
        self._reporter = reporter
        self._names = names
        self._has_roles = has_roles
        self._counts: Counter[tuple[str, str]] = Counter()
        self._gates: list[GateDraft] = []
        self.risk_lines: list[ListLine] = []
        self.risk_tables: list[Table] = []
        self._begin("")

    def _begin(self, phase_id: str) -> None:
        self._phase_id = phase_id
        self._number = phase_id
        self._context = _Context.ITEMS
        self._sections = [_SectionDraft(number="", title="", at=(0, 0))]
        self._criteria: list[Criterion] = []
        self._goal: list[str] = []
        self._total: Duration | None = None
        self._item_depth: int | None = None
        self._gate_depth: int | None = None

    @property
    def gates(self) -> tuple[Gate, ...]:
        """Return the gates that the phases read so far declare."""
        return tuple(draft.finished() for draft in self._gates)

    def read(self, chapter: Chapter) -> Phase:
        """Return the phase of a chapter."""
        self._begin(chapter.id)
        said = chapter.said
        self._number = said.number
        self._sections[0].at = chapter.heading.place
        for piece in chapter.pieces:
            match piece:
                case Heading():
                    self._heading(piece, chapter)
                case LabelLine():
                    self._label(piece, chapter)
                case TextLine() if self._context is _Context.GOAL:
                    self._goal.append(piece.text)
                case TextLine():
                    self._declares_gate(piece, depth=0)
                case ListLine():
                    self._list_line(piece)
                case Table() if self._context is _Context.RISKS:
                    self.risk_tables.append(piece)
                case Table():
                    self._report_table(piece)
        sections = (draft.finished() for draft in self._sections)
        goal = " ".join(" ".join(self._goal).split())
        return with_repeats(
            Phase(
                id=chapter.id,
                number=said.number,
                title=said.title,
                weeks=said.weeks,
                state=None if said.mark is None else said.mark.state,
                goal=goal,
                sections=tuple(section for section in sections if section != Section(number="", title="")),
                criteria=tuple(self._criteria),
                total=self._total,
                at=chapter.heading.place,
            ),
            self._reporter,
        )

    def _heading(self, heading: Heading, chapter: Chapter) -> None:
        self._item_depth = self._gate_depth = None
        criteria = criteria_heading(heading.text)
        if criteria is not None:
            self._begin_criteria(criteria["phase"], heading.place, chapter)
            return
        if self._declares_gate(heading, depth=0):
            self._context = _Context.GATE
            return
        if is_about_risks(heading.text):
            self._context = _Context.RISKS
            return
        inner = phase_heading(heading.text, heading.place[0])
        if inner is not None and "." in inner.number:
            number, title = inner.number, inner.title
        else:
            number, title = section_heading(heading.text)
        self._context = _Context.ITEMS
        self._sections.append(_SectionDraft(number=number, title=title, at=heading.place))

    def _declares_gate(self, piece: Heading | LabelLine | ListLine | TextLine, *, depth: int) -> bool:
        """Take a line as a gate if it declares one; without a phase of its own it follows the one it stands in."""
        gate = gate_of(piece)
        if gate is None:
            return False
        self._gates.append(GateDraft(gate=gate if gate.after else replace(gate, after=self._number)))
        self._item_depth = None
        self._gate_depth = depth
        return True

    def _label(self, label: LabelLine, chapter: Chapter) -> None:
        self._item_depth = self._gate_depth = None
        if label.label is Label.OTHER and self._declares_gate(label, depth=0):
            self._context = _Context.GATE
            return
        match label.label:
            case Label.GOAL:
                self._context = _Context.GOAL
                self._goal.append(label.rest)
            case Label.CRITERIA:
                self._begin_criteria(label.phase, label.place, chapter)
                if label.rest:
                    self._criterion(label.rest, label.start)
            case Label.TOTAL:
                self._context = _Context.ITEMS
                self._total = self._total or _total(label)
            case Label.OTHER:
                self._context = _Context.RISKS if is_about_risks(label.name) else _Context.ITEMS

    def _report_table(self, table: Table) -> None:
        """Say that the rows of a table are no items if they look as if they were meant to be."""
        names = {cell.text.lower().strip("* ") for cell in table.header}
        if names.isdisjoint(_WHAT) or len(names & _HOW) < _HOW_MIN or not table.rows:
            return
        self._reporter.report(
            "ITEM_TABLE_UNREAD",
            f"expected items as a list, `- [ ] (B) Title (1d)`, got a table of {len(table.rows)} with "
            f"{', '.join(cell.text for cell in table.header)}; its rows are not read, write each as an item",
            at=(table.header[0].place[0], table.header[-1].place[1]),
        )

    def _begin_criteria(self, named: str | None, place: Place, chapter: Chapter) -> None:
        self._context = _Context.CRITERIA
        if named is not None and named.lower() != chapter.said.number.lower():
            self._reporter.report(
                "EXIT_CRITERIA_MISLABELLED",
                f"expected exit criteria of phase {chapter.said.number}, which they stand in, got those of phase "
                f"{named}; move them or correct the number",
                at=place,
                related={"the phase": chapter.heading.place},
            )

    def _list_line(self, line: ListLine) -> None:
        if self._context is _Context.GOAL:
            self._context = _Context.ITEMS
        if not may_have_roles(line) and self._belongs_above(line):
            return
        read = read_item(line, self._names)
        if read.roles is None and self._belongs_above(line):
            return
        self._gate_depth = None
        is_criterion = self._context is _Context.CRITERIA
        if read.roles is None and not is_criterion and self._declares_gate(line, depth=line.depth):
            return
        if self._context is _Context.RISKS and not read.is_item:
            self.risk_lines.append(line)
        elif is_criterion and read.roles is None:
            self._criterion(line.text, line.place[0], depth=line.depth)
        elif read.is_item:
            self.add_item(read)
        elif line.depth == 1:
            self._entry(read)

    def _belongs_above(self, line: ListLine) -> bool:
        """Take a line as part of the gate or item above if it is nested in it."""
        if self._gate_depth is not None and line.depth > self._gate_depth:
            self._gates[-1].lines.append(line)
            return True
        if self._item_depth is not None and line.depth > self._item_depth:
            self._detail(line)
            return True
        return False

    def add_item(self, read: ItemText) -> None:
        """Add an item to the section that is read."""
        if self._context is not _Context.ITEMS:
            self._context = _Context.ITEMS
        section = self._sections[-1]
        roles = () if read.roles is None else read.roles.roles
        if not roles and self._has_roles:
            self._reporter.report(
                "ITEM_ROLE_MISSING",
                f"expected a role after the mark, (B), (T) or (H), got {read.title[:40]!r}; say who does it",
                at=read.line.place,
            )
        prefix = section.number or self._phase_id
        marks = initials(roles)
        self._counts[prefix, marks] += 1
        report_spelling(read, self._reporter)
        section.items.append(
            Item(
                id=f"{prefix}-{marks}{self._counts[prefix, marks]}",
                roles=roles,
                title=read.title,
                state=read.state,
                duration=read.duration,
                at=read.line.place,
                mark_at=read.mark_at,
            )
        )
        section.details.append([])
        self._item_depth = read.line.depth

    def _detail(self, line: ListLine) -> None:
        assert self._item_depth is not None
        details = self._sections[-1].details[-1]
        mark = find_mark(line.text, line.place[0])
        text = line.text if mark is None else line.text[mark.end - line.place[0] :]
        deepest = details[-1].depth + 1 if details else 1
        depth = min(line.depth - self._item_depth, deepest, _DETAIL_DEPTH_MAX)
        state = None if mark is None else mark.state
        details.append(Detail(text=" ".join(text.split()), depth=depth, state=state, at=line.place))

    def _criterion(self, text: str, start: int, *, depth: int = 1) -> None:
        if depth > 1:
            return
        mark = find_mark(text, start)
        words = text if mark is None else text[mark.end - start :]
        state = None if mark is None else mark.state
        place = (start, start + len(text))
        self._criteria.append(Criterion(text=" ".join(words.split()), state=state, at=place))

    def _entry(self, read: ItemText) -> None:
        said = read.said_state
        state = TaskState.DONE if read.said_done else None
        self._item_depth = None
        self._sections[-1].entries.append(
            Entry(
                text=read.title,
                state=said.state if said is not None else state,
                duration=read.duration,
                at=read.line.place,
            )
        )


def _total(label: LabelLine) -> Duration | None:
    """Return the total that a line declares: the only duration after ``total``, or the one after an arrow."""
    text = hidden(label.rest)
    begin = max(text.lower().find("total"), 0)
    arrow = max(text.rfind(one) for one in _ARROWS)
    found = durations_in(text[begin:], label.start + begin)
    if arrow >= 0:
        found = [duration for duration in found if duration.at[0] >= label.start + arrow][:1]
    says_total = "total" in text.lower() or label.name not in {"timeline", "duration"}
    return found[0] if len(found) == 1 and says_total else None
