"""One item: ``[ ] (B) title (1.5d)`` in every spelling that is read.

Owns: finding mark, roles, title and estimate in the text of a list item, and saying what is not canonical.
Does not know: phases.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from remit.plans.delivery.durations import (
    FoundDuration,
    Stands,
    duration_text,
    durations_in,
    find_durations,
    find_foreign,
    hidden,
)
from remit.plans.delivery.lines import ListLine, is_struck_out
from remit.plans.delivery.marks import MARKS, Mark, find_mark, last_mark
from remit.plans.delivery.record import BUILDER, HUMAN, LETTERS, ROLE_WORDS, TESTER, Duration, letters
from remit.plans.plan import Place, TaskState
from remit.plans.texts import PlanReporter

_WORDS: Final = {"b": BUILDER, "t": TESTER, "h": HUMAN, **ROLE_WORDS}
_BRACKETS: Final = re.compile(
    r"\*{0,3}(?:\((?P<round>[^()\n]{1,60})\)|\[(?P<square>[^\[\]\n]{1,60})\])\*{0,3}:?(?=\s|\*|\Z)"
)
_LEADING: Final = re.compile(r"\*{0,3}(?P<word>[A-Za-z]{1,20}(?:/[A-Za-z]{1,20}){0,4})(?::\*{0,3}|\*{1,3}:)(?=\s)")
_TRAILING: Final = re.compile(r"\((?P<round>[A-Z](?:/[A-Z]){0,4})\)\s*\Z")
_SEPARATOR: Final = re.compile(r"\s*(?:[/+&,]|\band\b)\s*")
_UNKNOWN: Final = re.compile(r"[A-Z]{1,2}")
_OTHER_UNIT: Final = re.compile(r"(?:\d|\b|[½¼¾])(?:h|hrs?|hours?|m|mins?|minutes?|w|wks?|weeks?)\b", re.IGNORECASE)
_CANONICAL: Final = re.compile(r"\([BTH](?:/[BTH])*\)")
_FIXABLE: Final = frozenset({Stands.IN_BRACKETS, Stands.AT_END})
_DONE_WORD: Final = re.compile(r"\*\*(?:DONE|COMPLETED?|FINISHED)\*\*")
_EDGE: Final = " \t\n–—:-"
_LOOSE_STOP: Final = re.compile(r" +([.,;:!?])(?=\s|\Z)")


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundRoles:
    """Roles in an item: ``cut`` is what is not part of the title; ``duration`` stands in the same brackets."""

    roles: tuple[str, ...]
    written: str
    cut: Place
    unknown: tuple[str, ...] = ()
    duration: Duration | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemText:
    """What the text of a list item says; offsets are those of the document."""

    line: ListLine
    mark: Mark | None
    roles: FoundRoles | None
    title: str
    durations: tuple[FoundDuration, ...]
    foreign: tuple[str, Place] | None
    said_done: Place | None
    said_state: Mark | None

    @property
    def is_item(self) -> bool:
        """Whether it is an item at all: it has a mark, or says who does it."""
        return self.mark is not None or self.roles is not None

    @property
    def state(self) -> TaskState:
        """Return how far it is; an unknown mark is taken as pending."""
        said = self.said_state if self.mark is None else self.mark
        return TaskState.PENDING if said is None or said.state is None else said.state

    @property
    def mark_at(self) -> Place:
        """Return the place of the mark alone; empty, before the text, where there is none."""
        said = self.said_state if self.mark is None else self.mark
        return (self.line.place[0], self.line.place[0]) if said is None else said.at

    @property
    def duration(self) -> Duration | None:
        """Return the estimate; of several the last."""
        if self.durations:
            return self.durations[-1].duration
        return None if self.roles is None else self.roles.duration


def may_have_roles(line: ListLine) -> bool:
    """Whether a line has anything that roles are written with; quick, since most lines below items have nothing."""
    text = line.text
    return not text[:1].isalnum() or ")" in text or _LEADING.match(text) is not None


def read_item(line: ListLine, names: Mapping[str, str]) -> ItemText:
    """Return what the text of a list item says.

    Args:
        line: The item as the document has it.
        names: Role by name, of people and of roles, all in small letters.
    """
    start = line.place[0]
    mark = find_mark(line.text, start)
    begin = start if mark is None else mark.end
    rest = line.text[begin - start :]
    roles = _leading_roles(rest, begin, names)
    said_state = last_mark(rest, begin)
    end = begin + len(rest) if said_state is None else said_state.at[0]
    visible = hidden(rest[: end - begin])
    durations = tuple(find_durations(visible, begin))
    cuts = [found.cut for found in durations if found.cut is not None]
    if roles is None:
        roles = _trailing_roles(visible, begin, cuts)
    if roles is not None:
        cuts.append(roles.cut)
    done = _DONE_WORD.search(visible)
    return ItemText(
        line=line,
        mark=mark,
        roles=roles,
        title=_title(rest[: end - begin], begin, cuts),
        durations=durations,
        foreign=None if durations else find_foreign(visible, begin),
        said_done=None if done is None else (begin + done.start(), begin + done.end()),
        said_state=said_state,
    )


def report_spelling(item: ItemText, reporter: PlanReporter) -> None:
    """Report what of an item is read although it is not written as it should be."""
    _report_bullet(item.line, reporter)
    _report_mark(item, reporter)
    _report_roles(item, reporter)
    _report_estimate(item, reporter)
    if is_struck_out(item.title) and item.state is not TaskState.DONE:
        reporter.report(
            "ITEM_STRUCK_OUT",
            f"expected an item that is to be done, got {item.title[:60]!r}, which is struck out; it is counted, remove "
            "the item, or the strokes",
            at=item.line.place,
        )
    if not item.title:
        reporter.report(
            "ITEM_EMPTY", "expected an item to say what is to be done, got none; write it", at=item.line.place
        )


def _report_bullet(line: ListLine, reporter: PlanReporter) -> None:
    if line.bullet is None:
        return
    begin = line.bullet[0]
    written = reporter.text.text[begin : line.place[0] + 3]
    reporter.report(
        "ITEM_MARK_SPELLING",
        f"expected `- ` before the mark of an item, got {written!r}, which Markdown takes for text; it is read as an "
        "item",
        at=line.bullet if line.bullet[0] < line.bullet[1] else (begin, begin + 1),
        replacement="- " if line.bullet[0] < line.bullet[1] else f"- {reporter.text.text[begin]}",
    )


def _report_mark(item: ItemText, reporter: PlanReporter) -> None:
    mark = item.mark
    if mark is None:
        _report_missing_mark(item, reporter)
        return
    if mark.state is None:
        reporter.report(
            "ITEM_MARK_UNKNOWN",
            f"expected a mark [ ], [~], [x] or [!], got [{mark.written}]; it is read as [ ], write the one "
            "that is meant",
            at=mark.whole,
        )
    elif not mark.is_canonical:
        meant = f"[{MARKS[mark.state]}]"
        written = reporter.text.text[slice(*mark.whole)]
        is_certain = mark.state is not TaskState.STUCK
        reporter.report(
            "ITEM_MARK_SPELLING",
            f"expected a mark [ ], [~], [x] or [!], got {written}; it is read as {meant}",
            at=mark.whole,
            replacement=f"{meant}{' ' if mark.is_glued else ''}" if is_certain else None,
        )
    elif mark.is_glued:
        written = reporter.text.text[slice(*mark.whole)]
        reporter.report(
            "ITEM_MARK_SPELLING",
            f"expected a space after the mark {written}, got none; it is read as a mark",
            at=mark.whole,
            replacement=f"{written} ",
        )
    said = item.said_state
    other = item.said_done if said is None else said.at
    states = TaskState.DONE if said is None else said.state
    if other is not None and states is not item.state:
        shown = reporter.text.text[slice(*other)]
        reporter.report(
            "ITEM_STATE_CONTRADICTED",
            f"expected one state, got the mark [{mark.written}] and {shown} in the same item; the mark counts, "
            "change the one that is wrong",
            at=mark.whole,
            related={"what contradicts it": other},
        )


def _report_missing_mark(item: ItemText, reporter: PlanReporter) -> None:
    said = item.said_state
    if said is not None:
        reporter.report(
            "ITEM_MARK_SPELLING",
            f"expected a mark [ ], [~], [x] or [!] before the item, got {said.written} after it; it is read as "
            f"[{MARKS[item.state]}]",
            at=said.whole,
        )
        return
    place = (item.line.place[0], item.line.place[0])
    reporter.report(
        "ITEM_MARK_MISSING",
        f"expected a mark [ ], [~], [x] or [!] before {item.title[:60]!r}, got none; it is read as [ ]",
        at=place,
        replacement="[ ] ",
    )


def _report_roles(item: ItemText, reporter: PlanReporter) -> None:
    roles = item.roles
    if roles is None:
        return
    if roles.unknown:
        reporter.report(
            "ITEM_ROLE_UNKNOWN",
            f"expected roles of the plan ((B), (T), (H)), got {', '.join(roles.unknown)}; name who that is among the "
            "roles, or write one of these",
            at=roles.cut,
        )
    elif _CANONICAL.fullmatch(roles.written) is None and all(role in LETTERS for role in roles.roles):
        meant = f"({letters(roles.roles)})"
        # Emphasis that goes on behind the roles would lose its beginning.
        begin, end = (len(roles.written) - len(part) for part in (roles.written.lstrip("*"), roles.written.rstrip("*")))
        is_certain = roles.duration is None and begin == end
        if meant != roles.written:
            reporter.report(
                "ITEM_ROLE_SPELLING",
                f"expected roles after the mark as {meant}, got {roles.written}; it is read so",
                at=roles.cut,
                replacement=meant if is_certain and roles.cut[0] <= _title_begin(item) else None,
            )


def _title_begin(item: ItemText) -> int:
    return item.line.place[0] if item.mark is None else item.mark.end


def _report_estimate(item: ItemText, reporter: PlanReporter) -> None:
    durations = item.durations
    if item.foreign is not None:
        written, place = item.foreign
        reporter.report(
            "ITEM_ESTIMATE_UNIT",
            f"expected an estimate in days, hours or weeks, got {written}; it is not counted, write days "
            "such as (1.5d)",
            at=place,
        )
    if not durations:
        return
    used = durations[-1]
    if len({found.duration for found in durations}) > 1:
        reporter.report(
            "ITEM_ESTIMATE_REPEATED",
            f"expected one estimate, got {', '.join(found.duration.written for found in durations)}; the last counts, "
            "remove the others",
            at=used.duration.at,
            related={f"{found.duration.written} here": found.duration.at for found in durations[:-1]},
        )
    if used.is_reversed or not used.duration.days_max:
        reporter.report(
            "ITEM_ESTIMATE_INVALID",
            f"expected an estimate above zero, the smaller number first, got {used.duration.written}; "
            "write such as 1-2d",
            at=used.duration.at,
        )
    elif not used.is_canonical:
        _report_estimate_spelling(used, reporter)


def _report_estimate_spelling(used: FoundDuration, reporter: PlanReporter) -> None:
    duration = used.duration
    meant = duration_text(duration)
    is_days = _OTHER_UNIT.search(duration.written) is None
    how = "" if is_days else " (a day has 8 hours, a week 5 days)"
    expected, got = "an estimate in days such as 1.5d", duration.written
    if used.stands is Stands.WITH_REMARK:
        expected, got = f"({meant}) alone in its brackets", f"{duration.written} with a remark"
    elif used.stands is Stands.IN_SQUARE:
        expected, got = f"an estimate in round brackets, ({meant})", f"[{duration.written}]"
    reporter.report(
        "ITEM_ESTIMATE_SPELLING",
        f"expected {expected}, got {got}; it is read as {meant}{how}",
        at=duration.at,
        replacement=meant if is_days and not duration.is_approximate and used.stands in _FIXABLE else None,
    )


def _leading_roles(rest: str, begin: int, names: Mapping[str, str]) -> FoundRoles | None:
    match = _BRACKETS.match(rest)
    if match is not None:
        return _roles(match["round"] or match["square"], match, begin, names)
    match = _LEADING.match(rest)
    if match is None:
        return None
    found = _roles(match["word"], match, begin, names)
    return None if found is None or found.unknown else found


def _roles(inside: str, match: re.Match[str], begin: int, names: Mapping[str, str]) -> FoundRoles | None:
    known: list[str] = []
    unknown: list[str] = []
    duration: Duration | None = None
    for part in _SEPARATOR.split(inside.strip()):
        role = names.get(part.lower()) or _WORDS.get(part.lower())
        amounts = [] if role else durations_in(part, begin + match.start() + match.group().find(part))
        if role is not None:
            known.append(role)
        elif amounts and amounts[0].written == part:
            duration = amounts[0]
        elif _UNKNOWN.fullmatch(part):
            known.append(part.lower())
            unknown.append(part)
        else:
            return None
    if not known:
        return None
    return FoundRoles(
        roles=tuple(dict.fromkeys(known)),
        written=match.group(),
        cut=(begin + match.start(), begin + match.end()),
        unknown=tuple(unknown),
        duration=duration,
    )


def _trailing_roles(visible: str, begin: int, cuts: list[Place]) -> FoundRoles | None:
    end = len(visible.rstrip())
    for cut in reversed(cuts):
        if cut[1] - begin >= end:
            end = len(visible[: cut[0] - begin].rstrip())
    window = max(0, end - 40)
    match = _TRAILING.search(visible[window:end])
    if match is None:
        return None
    found = _roles(match["round"], match, begin + window, {})
    return None if found is None or found.unknown else found


def _title(text: str, begin: int, cuts: list[Place]) -> str:
    parts: list[str] = []
    done = 0
    for cut in sorted(cuts):
        parts.append(text[done : max(done, cut[0] - begin)])
        done = max(done, cut[1] - begin)
    parts.append(text[done:])
    title = " ".join(" ".join(parts).strip(_EDGE).split())
    if cuts:
        title = _LOOSE_STOP.sub(r"\1", title)
    # What stood around roles or estimate may have taken one half of an emphasis with it.
    return title.strip("*") if title.count("**") % 2 else title
