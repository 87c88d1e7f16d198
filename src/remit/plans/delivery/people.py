"""Roles: who builds, who tests, who decides, and which rules the plan states about them.

Owns: reading roles from lists and tables, the table of responsibilities, and the rules that can be checked.
Does not know: phases and items.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from remit.plans.delivery.chapters import Chapters
from remit.plans.delivery.lines import LabelLine, ListLine, Piece, TextLine
from remit.plans.delivery.record import (
    BUILDER,
    HUMAN,
    ROLE_WORDS,
    TESTER,
    DeliveryRule,
    Involvement,
    Responsibility,
    RoleHolder,
    Share,
    StatedRule,
)
from remit.plans.markdown import Cell, Table

_ROLES: Final = {
    "builder": BUILDER,
    "tester": TESTER,
    "human": HUMAN,
    "human owner": HUMAN,
    "human reviewer": HUMAN,
}
"""What a role is called anywhere; other words for it (`ROLE_WORDS`) count where roles are given."""
_BULLET: Final = re.compile(
    r"\*{0,2}(?P<first>[A-Za-z][\w .@-]{0,40}?)(?: \((?P<second>[^()\n]{1,80})\))?\*{0,2} {0,2}[–—:-] {0,2}"
    r"\*{0,2}(?P<duties>.*)\Z",
    re.DOTALL,
)
_HEADER: Final = re.compile(r"(?P<first>[A-Za-z][\w .@-]{0,40}?)(?: \((?P<second>[^()\n]{1,80})\))?\Z")
_PEOPLE: Final = frozenset({"person", "people", "name", "names", "who", "owner", "agent"})
_NAMES: Final = re.compile(r" {0,2}(?:[,&/+]|\band\b) {0,2}")
_INVOLVEMENT: Final = {"✅": Involvement.PRIMARY, "⚠": Involvement.CONTRIBUTES, "❌": Involvement.NONE}
_WORD: Final = re.compile(r"[a-z]+")
_WORK: Final = frozenset({"task", "tasks", "item", "items", "work", "feature", "features", "coding"})
_TESTS: Final = frozenset({"test", "tests", "testing"})
_BEFORE: Final = frozenset({"until", "unless", "before"})
_AFTER: Final = frozenset({"when", "once", "after", "if"})
_DONE: Final = frozenset({"done", "complete", "completed", "finished"})
_TESTED_BEFORE_DONE: Final = (
    (frozenset({"no"}), _WORK, _DONE, _BEFORE, _TESTS),
    (_WORK, frozenset({"not"}), _DONE, frozenset({"until", "unless"}), _TESTS),
    (_WORK, frozenset({"only"}), _DONE, _AFTER, _TESTS),
    (_WORK, _DONE, frozenset({"only"}), _AFTER, _TESTS),
)
_WRITING: Final = frozenset({"write", "writes", "writing", "author", "authors", "authoring"})
_LINE_MAX: Final = 2_000
"""Longer lines state no rule."""


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """What a document says about roles."""

    holders: tuple[RoleHolder, ...]
    responsibilities: tuple[Responsibility, ...]
    rules: tuple[StatedRule, ...]

    def by_name(self) -> dict[str, str]:
        """Return role by name, in small letters: of people, of roles, and initials that one role has alone."""
        names = {holder.role: holder.role for holder in self.holders}
        initials: dict[str, list[str]] = {}
        for holder in self.holders:
            for short in {holder.role[0], "".join(word[0] for word in holder.role.split())}:
                initials.setdefault(short, []).append(holder.role)
            for name in holder.names:
                names.setdefault(name.lower(), holder.role)
        for initial, roles in initials.items():
            if len(roles) == 1 and initial not in {"b", "t", "h"}:
                names.setdefault(initial, roles[0])
        return names


def read_people(chapters: Chapters) -> People:
    """Return the roles of a document, who has them, and the rules that it states."""
    found: dict[str, RoleHolder] = {}
    responsibilities: list[Responsibility] = []
    rules: dict[DeliveryRule, StatedRule] = {}
    for topic in chapters.topics:
        is_about_roles = any(word in topic.title for word in ("role", "responsibilit", "team", "people"))
        for piece in topic.pieces:
            match piece:
                case Table():
                    rows = tuple(_table(piece, found))
                    responsibilities += rows
                case ListLine() if piece.depth == 1:
                    _bullet(piece, found, is_about_roles=is_about_roles)
                case _:
                    pass
            for rule in _rules(piece):
                rules.setdefault(rule.rule, rule)
    for rule in _implied(responsibilities):
        rules.setdefault(rule.rule, rule)
    return People(
        holders=tuple(found.values()),
        responsibilities=tuple(responsibilities),
        rules=tuple(rules[rule] for rule in DeliveryRule if rule in rules),
    )


def _bullet(line: ListLine, found: dict[str, RoleHolder], *, is_about_roles: bool) -> None:
    match = _BULLET.match(line.text)
    if match is None:
        return
    pair = _pair(match, ROLE_WORDS if is_about_roles else _ROLES)
    if pair is None and is_about_roles and match["second"]:
        pair = match["first"].strip().lower(), _split(match["second"])
    if pair is not None:
        duties = " ".join(match["duties"].split())
        _add(found, RoleHolder(role=pair[0], names=pair[1], duties=duties, at=line.place))


def _pair(match: re.Match[str], words: Mapping[str, str]) -> tuple[str, tuple[str, ...]] | None:
    """Return role and names of ``Builder (Codex)``, ``Codex (Builder)`` or ``Builder``."""
    first, second = match["first"].strip(), match["second"]
    role = words.get(first.lower())
    if role is not None:
        return role, () if second is None else _split(second)
    role = None if second is None else words.get(second.strip().lower())
    return None if role is None else (role, _split(first))


def _split(names: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in _NAMES.split(names) if name.strip())


def _add(found: dict[str, RoleHolder], holder: RoleHolder) -> None:
    before = found.get(holder.role)
    if before is None:
        found[holder.role] = holder
        return
    found[holder.role] = RoleHolder(
        role=holder.role,
        names=tuple(dict.fromkeys((*before.names, *holder.names))),
        duties=before.duties or holder.duties,
        at=before.at,
    )


def _table(table: Table, found: dict[str, RoleHolder]) -> Iterator[Responsibility]:
    headers = [cell.text.lower().strip("* ") for cell in table.header]
    if len(headers) > 1 and headers[0] in {"role", "roles"} and headers[1] in _PEOPLE:
        _roles_by_row(table, found)
        return
    columns: dict[int, str] = {}
    holders: list[RoleHolder] = []
    for index, cell in enumerate(table.header[1:], start=1):
        match = _HEADER.match(cell.text.strip("* "))
        pair = None if match is None else _pair(match, ROLE_WORDS)
        if pair is not None:
            columns[index] = pair[0]
            holders.append(RoleHolder(role=pair[0], names=pair[1], at=cell.place))
    is_certain = all(_names_role(table.header[index].text) for index in columns)
    if len(columns) < 2 or not (is_certain or _has_shares(table)):
        return
    for holder in holders:
        _add(found, holder)
    for row in table.rows:
        if row and row[0].text:
            shares = (_share(row[index], role) for index, role in columns.items() if index < len(row))
            yield Responsibility(
                text=row[0].text,
                shares=tuple(share for share in shares if share is not None),
                at=(row[0].place[0], row[-1].place[1]),
            )


def _names_role(header: str) -> bool:
    """Whether the header of a column is one of the words that mean a role anywhere."""
    match = _HEADER.match(header.strip("* "))
    return match is not None and _pair(match, _ROLES) is not None


def _has_shares(table: Table) -> bool:
    """Whether a table says of anything who takes part in it; one of tasks may have an owner and a tester too."""
    return any(cell.text[:1] in _INVOLVEMENT for row in table.rows for cell in row[1:])


def _roles_by_row(table: Table, found: dict[str, RoleHolder]) -> None:
    """Take the rows of a table of roles: the role, who has it, and what they do."""
    for row in table.rows:
        if len(row) < 2 or not row[0].text:
            continue
        written = row[0].text.strip("* ").lower()
        duties = row[2].text if len(row) > 2 else ""
        role = ROLE_WORDS.get(written, written)
        _add(found, RoleHolder(role=role, names=_split(row[1].text.strip("* ")), duties=duties, at=row[0].place))


def _share(cell: Cell, role: str) -> Share | None:
    involvement = _INVOLVEMENT.get(cell.text[:1])
    if involvement is None:
        return None
    note = cell.text[1:].removeprefix("\ufe0f").strip()
    if note.startswith("(") and note.endswith(")"):
        note = note[1:-1]
    return Share(role=role, involvement=involvement, note=note, at=cell.place)


def _rules(piece: Piece) -> Iterator[StatedRule]:
    match piece:
        case ListLine() | TextLine():
            text, place = piece.text, piece.place
        case LabelLine():
            text, place = piece.rest, piece.place
        case _:
            return
    if len(text) > _LINE_MAX or "test" not in text.lower():
        return
    words = _WORD.findall(text.lower())
    if any(_says(words, wanted) for wanted in _TESTED_BEFORE_DONE):
        yield StatedRule(rule=DeliveryRule.TESTED_BEFORE_DONE, at=place)
    if _says(words, (frozenset({"builder"}), frozenset({"not", "never"}), _WRITING, _TESTS)):
        yield StatedRule(rule=DeliveryRule.BUILDER_WRITES_NO_TESTS, at=place)


def _implied(responsibilities: list[Responsibility]) -> Iterator[StatedRule]:
    """Return the rules that the table of responsibilities states by a cell."""
    for row in responsibilities:
        words = frozenset(_WORD.findall(row.text.lower()))
        share = next((share for share in row.shares if share.role == BUILDER), None)
        is_none = share is not None and share.involvement is Involvement.NONE and not share.note
        if share is not None and is_none and words & _TESTS and words & _WRITING:
            yield StatedRule(rule=DeliveryRule.BUILDER_WRITES_NO_TESTS, at=share.at)


def _says(words: list[str], wanted: tuple[frozenset[str], ...]) -> bool:
    """Whether words occur in an order, with others between them."""
    position = 0
    for word in words:
        if word in wanted[position]:
            position += 1
            if position == len(wanted):
                return True
    return False
