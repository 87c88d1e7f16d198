"""What the clients of a storm wrote down: the claims that they believe in, and every answer that they got."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field

from remit.ids import RunId, WorkerId
from remit.ports.store import Append, AppendOutcome, ApprovalRow, Claimed


@dataclass(kw_only=True)
class Held:
    """A claim as its client knows it: where the journal stands, and what was read of the inbox."""

    claim: Claimed
    owner: WorkerId
    sequence: int
    wake_sequence: int
    unread: list[int] = field(default_factory=list)
    keys: set[str] = field(default_factory=set)
    is_over: bool = False
    """The claim has ended for certain: no entry under it may be accepted any more."""


@dataclass(kw_only=True)
class Ledger:
    """Every answer that a client got, in the order of the answers."""

    counts: Counter[str] = field(default_factory=Counter)
    created: dict[RunId, int] = field(default_factory=dict)
    by_key: dict[str, set[RunId]] = field(default_factory=lambda: defaultdict(set))
    applied: dict[tuple[RunId, int], list[Append]] = field(default_factory=lambda: defaultdict(list))
    refused: list[tuple[Append, AppendOutcome]] = field(default_factory=list)
    owners: dict[tuple[RunId, int], list[WorkerId]] = field(default_factory=lambda: defaultdict(list))
    freed: Counter[tuple[RunId, int]] = field(default_factory=Counter)
    delivered: Counter[tuple[RunId, str]] = field(default_factory=Counter)
    stored_events: dict[str, list[tuple[RunId, ...]]] = field(default_factory=lambda: defaultdict(list))
    asked: dict[str, tuple[RunId, ApprovalRow]] = field(default_factory=dict)
    decided: Counter[str] = field(default_factory=Counter)
    quarantined: set[RunId] = field(default_factory=set)
    complaints: list[str] = field(default_factory=list)
    """What a client saw that cannot be, at the moment when it saw it."""
