"""The record of a SPECTRA execution plan: what the format says, whichever way it is written.

Owns: the records. ``None`` means that a document does not have the part; an empty tuple, that it is there and empty.
Does not know: texts. Places never make two records differ, so reading what was written gives an equal record.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from remit.plans.plan import NOWHERE, PathClaim, Place, Reference, RiskClass, TaskState, Text
from remit.plans.spectra.names import TITLE


class AssertionKind(StrEnum):
    """Forms of assertions that a verifier checks without running the code."""

    GREP = "GREP"
    CALLSITE = "CALLSITE"
    COUNT = "COUNT"
    NOT_EXISTS = "NOT_EXISTS"


@dataclass(frozen=True, slots=True, kw_only=True)
class Assertion:
    """One assertion; ``kind`` is ``None`` when its text has none of the forms."""

    kind: AssertionKind | None
    text: str
    at: Place = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class HeaderField:
    """A field of the header that the format does not know."""

    key: str
    value: str
    at: Place = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherField:
    """A field of a task that the format does not know, with its sub-items."""

    key: str
    value: str
    items: tuple[str, ...] = ()
    at: Place = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ownership:
    """The files of a task: its own, those that it shares, and those that it only reads."""

    owns: tuple[PathClaim, ...] | None = None
    touches: tuple[PathClaim, ...] | None = None
    reads: tuple[PathClaim, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wiring:
    """How a task proves that its parts are connected; ``others`` are sub-items of other names."""

    command: Text | None = None
    integration: Text | None = None
    others: tuple[Text, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SpectraTask:
    """One task.

    ``id`` has three digits in a sound plan. ``description`` is the text beside the check mark, ``None`` without a check
    mark. ``places`` has the places of the values of its fields, by the format's names; ``mark_at`` is the place of the
    mark alone.
    """

    id: str
    title: str
    description: str | None = None
    state: TaskState = TaskState.PENDING
    criteria: tuple[Text, ...] | None = None
    files: tuple[PathClaim, ...] | None = None
    verify: Text | None = None
    risk: RiskClass | None = None
    iterations_max: int | None = None
    scope: str | None = None
    dependencies: tuple[Reference, ...] | None = None
    ownership: Ownership | None = None
    wiring: Wiring | None = None
    assertions: tuple[Assertion, ...] | None = None
    others: tuple[OtherField, ...] = ()
    at: Place = field(default=NOWHERE, compare=False)
    id_at: Place = field(default=NOWHERE, compare=False)
    mark_at: Place = field(default=NOWHERE, compare=False)
    description_at: Place = field(default=NOWHERE, compare=False)
    places: Mapping[str, Place] = field(default_factory=dict, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parallelism:
    """What the plan says may run at the same time."""

    independent: tuple[Reference, ...] | None = None
    chains: tuple[tuple[Reference, ...], ...] | None = None
    recommendation: str | None = None
    others: tuple[OtherField, ...] = ()
    recommendation_at: Place = field(default=NOWHERE, compare=False)
    at: Place = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphEntry:
    """A line of the dependency graph: a chain of ids, each after the one before."""

    chain: tuple[Reference, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Marker:
    """A mark that tools leave in the text, such as ``STUCK:002``; ``parts`` are the tasks of a split."""

    word: str
    task: Reference | None
    parts: tuple[Reference, ...] = ()
    at: Place = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class SpectraPlan:
    """A plan. ``level`` is what its header says; ``graph`` has the chains of the dependency graph."""

    title: str = TITLE
    project: str | None = None
    level: int | None = None
    generated: str | None = None
    source: str | None = None
    others: tuple[HeaderField, ...] = ()
    tasks: tuple[SpectraTask, ...] = ()
    parallelism: Parallelism | None = None
    graph: tuple[GraphEntry, ...] | None = None
    markers: tuple[Marker, ...] = ()
    at: Place = field(default=NOWHERE, compare=False)
    project_at: Place = field(default=NOWHERE, compare=False)
    level_at: Place = field(default=NOWHERE, compare=False)
