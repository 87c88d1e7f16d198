"""What a delivery plan says: phases with items of builder and tester, gates, risks, and who is who.

Owns: the records. Places are offsets of the text as it is read; they never make two plans differ.
Does not know: how the text was written (``reading``), what is wrong with it (``checks``), or the common plan.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Final

from remit.plans.plan import NOWHERE, Place, TaskState

BUILDER: Final = "builder"
TESTER: Final = "tester"
HUMAN: Final = "human"

LETTERS: Final = {BUILDER: "B", TESTER: "T", HUMAN: "H"}
"""The letter of each role, as items write it."""

ROLE_WORDS: Final = {
    **dict.fromkeys(("builder", "developer", "dev"), BUILDER),
    **dict.fromkeys(("tester", "qa"), TESTER),
    **dict.fromkeys(("human", "human owner", "owner", "human reviewer"), HUMAN),
}
"""What the three roles are called, in small letters."""

LETTERS_MAX: Final = 2
"""A role of so many letters that the plan does not name is what an item wrote, in small letters."""


class Involvement(StrEnum):
    """What a role has to do with a responsibility."""

    PRIMARY = "primary"
    CONTRIBUTES = "contributes"
    NONE = "none"


class DeliveryRule(StrEnum):
    """Rules that a plan may state for itself, and that can be checked."""

    TESTED_BEFORE_DONE = "tested before done"
    BUILDER_WRITES_NO_TESTS = "builder writes no tests"


@dataclass(frozen=True, slots=True, kw_only=True)
class Duration:
    """Person-days between ``days_min`` and ``days_max``; ``is_each`` when they are meant for each of several things."""

    days_min: Decimal
    days_max: Decimal
    is_each: bool = False
    is_approximate: bool = False
    written: str = field(default="", compare=False)
    at: Place = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Detail:
    """A line below an item; ``depth`` counts from 1. ``state`` is set where the line has a mark."""

    text: str
    depth: int = 1
    state: TaskState | None = None
    at: Place = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One item. ``roles`` is empty where the plan does not say who does it; ``mark_at`` is the place of the mark alone.

    ``id`` is that of its section, or of its phase where there is no numbered section, then the letters of its roles and
    its number among the items with the same: ``1.2-B3``. ``repeats`` says how often an item is done whose estimate is
    meant for each of several things, and ``repeats_open`` for how many of them it is not done yet; where the plan does
    not say it for certain both are 1.
    """

    id: str
    roles: tuple[str, ...]
    title: str
    state: TaskState = TaskState.PENDING
    duration: Duration | None = None
    details: tuple[Detail, ...] = ()
    repeats: int = 1
    repeats_open: int = 1
    at: Place = field(default=NOWHERE, compare=False)
    mark_at: Place = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An entry of a plain list inside a phase, such as one of the things that a checklist is repeated for."""

    text: str
    state: TaskState | None = None
    duration: Duration | None = None
    at: Place = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A part of a phase under a heading of its own; ``number`` is empty where it has none.

    Items and entries that stand before the first heading are a section with neither number nor title.
    """

    number: str
    title: str
    items: tuple[Item, ...] = ()
    entries: tuple[Entry, ...] = ()
    at: Place = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Criterion:
    """An exit criterion; ``state`` is set where it has a mark."""

    text: str
    state: TaskState | None = None
    at: Place = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Weeks:
    """The weeks of a phase: ``first`` is ``None`` where the plan only says how many."""

    first: int | None
    count: int
    at: Place = field(default=NOWHERE, compare=False)

    @property
    def last(self) -> int | None:
        """Return the number of the last week."""
        return None if self.first is None else self.first + self.count - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """A phase. ``id`` is its number, and unique; ``total`` what the plan itself says that its items sum to.

    ``state`` is set where the heading has a mark of its own.
    """

    id: str
    number: str
    title: str
    weeks: Weeks | None = None
    state: TaskState | None = None
    goal: str = ""
    sections: tuple[Section, ...] = ()
    criteria: tuple[Criterion, ...] = ()
    total: Duration | None = None
    at: Place = field(default=NOWHERE, compare=False)

    @property
    def items(self) -> tuple[Item, ...]:
        """Return the items of all sections, in reading order."""
        return tuple(item for section in self.sections for item in section.items)

    @property
    def is_done(self) -> bool:
        """Whether its heading says so, or every item is done."""
        items = self.items
        return self.state is TaskState.DONE or (bool(items) and all(item.state is TaskState.DONE for item in items))


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """A human gate; ``after`` is the number of the phase that it follows, empty where the plan does not say."""

    id: str
    after: str
    text: str
    criteria: tuple[str, ...] = ()
    at: Place = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryRisk:
    """A row of the risk register; cells that the plan does not have are empty."""

    id: str
    text: str
    impact: str = ""
    likelihood: str = ""
    mitigation: str = ""
    at: Place = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleHolder:
    """A role, and the names of those who have it."""

    role: str
    names: tuple[str, ...]
    duties: str = ""
    at: Place = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """What one role has to do with a responsibility; ``note`` is what the cell says besides."""

    role: str
    involvement: Involvement
    note: str = ""
    at: Place = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Responsibility:
    """A row of the table of responsibilities."""

    text: str
    shares: tuple[Share, ...]
    at: Place = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class StatedRule:
    """A rule that the plan states, and where."""

    rule: DeliveryRule
    at: Place = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryPlan:
    """A delivery plan as it was read."""

    title: str
    holders: tuple[RoleHolder, ...] = ()
    responsibilities: tuple[Responsibility, ...] = ()
    rules: tuple[StatedRule, ...] = ()
    phases: tuple[Phase, ...] = ()
    gates: tuple[Gate, ...] = ()
    risks: tuple[DeliveryRisk, ...] = ()

    @property
    def items(self) -> tuple[Item, ...]:
        """Return all items, in reading order."""
        return tuple(item for phase in self.phases for item in phase.items)

    def names(self, role: str) -> tuple[str, ...]:
        """Return who has a role."""
        return next((holder.names for holder in self.holders if holder.role == role), ())

    def states(self, rule: DeliveryRule) -> StatedRule | None:
        """Return where the plan states a rule, or ``None``."""
        return next((stated for stated in self.rules if stated.rule is rule), None)


def letters(roles: tuple[str, ...]) -> str:
    """Return roles as an item writes them: ``B``, ``B/T/H``, ``Designer``."""
    return "/".join(LETTERS.get(role) or (role.upper() if len(role) <= LETTERS_MAX else role.title()) for role in roles)


def initials(roles: tuple[str, ...]) -> str:
    """Return roles as ids have them: ``B``, ``BTH``, ``D``; ``U`` where nobody is named."""
    marks = (LETTERS.get(role) or (role.upper() if len(role) <= LETTERS_MAX else role[0].upper()) for role in roles)
    return "".join(marks) or "U"
