"""Writing a delivery plan: the record as canonical Markdown.

Owns: how each part is written, so that reading it gives the same record.
Does not know: the text that a record was read from. What stands between its parts is not in the record and is not
written; to change a file in place there is ``set_state``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from remit.plans.delivery.durations import duration_text
from remit.plans.delivery.marks import EMOJI_MARKS, MARKS
from remit.plans.delivery.record import (
    BUILDER,
    HUMAN,
    TESTER,
    Criterion,
    DeliveryPlan,
    DeliveryRisk,
    DeliveryRule,
    Entry,
    Gate,
    Involvement,
    Item,
    Phase,
    Responsibility,
    RoleHolder,
    Section,
    Share,
    Weeks,
    letters,
)
from remit.plans.plan import TaskState

_RULES: Final = {
    DeliveryRule.TESTED_BEFORE_DONE: "No work is done until its tests pass.",
    DeliveryRule.BUILDER_WRITES_NO_TESTS: "The builder does not write tests.",
}
_INVOLVEMENT: Final = {
    Involvement.PRIMARY: "✅",
    Involvement.CONTRIBUTES: "⚠️",
    Involvement.NONE: "❌",
}
_COLUMNS: Final = (BUILDER, TESTER, HUMAN)


def write_delivery(record: DeliveryPlan) -> str:
    """Return a delivery plan as Markdown; reading it gives an equal record."""
    return "\n".join(_lines(record)).strip("\n") + "\n"


def _lines(record: DeliveryPlan) -> Iterator[str]:
    if record.title:
        yield from (f"# {record.title}", "")
    if record.holders:
        yield from ("## Roles", "")
        yield from (_holder(holder) for holder in record.holders)
        yield ""
    if record.responsibilities:
        yield from _responsibilities(record)
    if record.rules:
        yield from ("## Rules", "")
        yield from (f"- {_RULES[stated.rule]}" for stated in record.rules)
        yield ""
    yield from ("## Phases", "")
    for phase in record.phases:
        yield from _phase(phase)
    if record.gates:
        yield from ("## Human Gates", "")
        for gate in record.gates:
            yield from _gate(gate)
        yield ""
    if record.risks:
        yield from _risks(record.risks)


def _holder(holder: RoleHolder) -> str:
    names = f" ({', '.join(holder.names)})" if holder.names else ""
    return f"- **{holder.role.title()}{names}** – {holder.duties}".rstrip()


def _responsibilities(record: DeliveryPlan) -> Iterator[str]:
    roles = [role for role in _COLUMNS if any(holder.role == role for holder in record.holders)]
    yield _row(["Responsibility", *(role.capitalize() for role in roles)])
    yield "|---" * (len(roles) + 1) + "|"
    for responsibility in record.responsibilities:
        yield _row([responsibility.text, *_cells(responsibility, roles)])
    yield ""


def _cells(responsibility: Responsibility, roles: Iterable[str]) -> Iterator[str]:
    shares = {share.role: share for share in responsibility.shares}
    for role in roles:
        yield _share(shares[role]) if role in shares else ""


def _share(share: Share) -> str:
    note = f" ({share.note})" if share.note else ""
    return f"{_INVOLVEMENT[share.involvement]}{note}"


def _phase(phase: Phase) -> Iterator[str]:
    mark = "" if phase.state is None else f"{EMOJI_MARKS[phase.state]} "
    title = f" – {phase.title}" if phase.title else ""
    weeks = "" if phase.weeks is None else f" ({_weeks(phase.weeks)})"
    yield from (f"### {mark}Phase {phase.number}{title}{weeks}", "")
    if phase.goal:
        yield from (f"**Goal:** {phase.goal}", "")
    for section in phase.sections:
        yield from _section(section)
    if phase.criteria:
        yield from ("**Exit Criteria**", "")
        yield from (f"{number}. {_criterion(one)}" for number, one in enumerate(phase.criteria, start=1))
        yield ""
    if phase.total is not None:
        yield from (f"**Total:** {duration_text(phase.total)}", "")


def _weeks(weeks: Weeks) -> str:
    if weeks.first is None:
        return f"{weeks.count} weeks"
    return f"Week {weeks.first}" if weeks.count == 1 else f"Weeks {weeks.first}–{weeks.last}"


def _section(section: Section) -> Iterator[str]:
    heading = " ".join(part for part in (section.number, section.title) if part)
    if heading:
        yield from (f"#### {heading}", "")
    if section.entries:
        yield from (f"{number}. {_entry(entry)}" for number, entry in enumerate(section.entries, start=1))
        yield ""
    if section.items:
        for item in section.items:
            yield from _item(item)
        yield ""


def _entry(entry: Entry) -> str:
    duration = "" if entry.duration is None else f" – {duration_text(entry.duration)}"
    says_state = entry.state is None or (entry.state is TaskState.DONE and "**DONE**" in entry.text)
    mark = "" if says_state or entry.state is None else f" {EMOJI_MARKS[entry.state]}"
    return f"{entry.text}{duration}{mark}"


def _item(item: Item) -> Iterator[str]:
    roles = f"({letters(item.roles)})" if item.roles else ""
    duration = "" if item.duration is None else f"({duration_text(item.duration)})"
    yield " ".join(part for part in (f"- [{MARKS[item.state]}]", roles, item.title, duration) if part)
    for detail in item.details:
        mark = "" if detail.state is None else f"[{MARKS[detail.state]}] "
        yield f"{'  ' * detail.depth}- {mark}{detail.text}".rstrip()


def _criterion(criterion: Criterion) -> str:
    mark = "" if criterion.state is None else f"[{MARKS[criterion.state]}] "
    return f"{mark}{criterion.text}"


def _gate(gate: Gate) -> Iterator[str]:
    after = f" (After Phase {gate.after})" if gate.after else ""
    yield f"- **Gate {gate.id}{after}** – {gate.text}".rstrip()
    yield from (f"  - {criterion}" for criterion in gate.criteria)


def _risks(risks: tuple[DeliveryRisk, ...]) -> Iterator[str]:
    yield from ("## Risks", "")
    yield _row(["Risk ID", "Description", "Impact", "Likelihood", "Mitigation"])
    yield "|---" * 5 + "|"
    yield from (_row([risk.id, risk.text, risk.impact, risk.likelihood, risk.mitigation]) for risk in risks)
    yield ""


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"
