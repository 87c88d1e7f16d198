"""Eight people who decide about one request at the same time, from two processes: however it goes, one word counts.

Owns: making the requests, racing, and asking the database afterwards. Does not know: how many races are enough.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final, Literal

import asyncpg

from remit.errors import AlreadyDecidedError
from remit.ids import PrincipalId
from remit.ports.store import Approval, ApprovalRow, Claimed, Principal
from remit.store import PostgresStore
from tests.conformance.store.world import ACME, World, decision

DECIDERS: Final = 8
PEOPLE: Final = tuple(PrincipalId(f"person-{number}") for number in range(DECIDERS))
KINDS: Final = ("one", "one", "one", "one", "two", "late")
"""One must decide, two must agree, or the request expires while people decide."""

WRONG: Final = """
select a.approval_id, a.status, d.count as decisions, m.count as messages, m.told
from remit.approvals a
cross join lateral (
    select count(*), count(*) filter (where x.decision = 'approve') as approvals from remit.approval_decisions x
    where x.tenant_id = a.tenant_id and x.approval_id = a.approval_id
) d
cross join lateral (
    select count(*), min(convert_from(x.body, 'UTF8')::json ->> 'decision') as told from remit.inbox x
    where x.tenant_id = a.tenant_id and x.run_id = a.run_id and x.kind = 'approval'
) m
where a.status = 'pending' or m.count <> 1 or m.told <> a.status or case
    when a.status = 'approved' then d.count <> a.approvers_required or d.approvals <> d.count
    when a.status = 'denied' then d.count - d.approvals <> 1
    when a.status = 'expired' then d.count >= a.approvers_required
    else true
end
"""
"""Requests whose state, decisions and message do not tell one and the same story."""


@dataclass
class Outcome:
    """How races ended; ``wrong`` are those that did not have exactly one winner."""

    races: Counter[str] = field(default_factory=Counter)
    words: Counter[str] = field(default_factory=Counter)
    ends: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)


class Races:
    """Races on one database."""

    def __init__(self, world: World, other: PostgresStore, seed: int) -> None:
        self._world = world
        self._stores = (world.store, other)
        self._draw = random.Random(seed)
        self.outcome = Outcome()

    async def invite(self) -> None:
        """Make the people known."""
        for person in PEOPLE:
            principal = Principal(tenant_id=ACME, principal_id=person, kind="human", roles=("approver",))
            await self._world.store.directory.put_principal(principal)

    async def race(self) -> None:
        """Let everybody decide about one request, and note who won."""
        kind: Literal["one", "two", "late"] = self._draw.choice(KINDS)  # type: ignore[assignment]
        self.outcome.races[kind] += 1
        claim, row = await self._request(kind)
        people = self._draw.sample(PEOPLE, DECIDERS)
        acts = [self._decide(row, number, person) for number, person in enumerate(people)]
        if kind == "late":
            acts += [store.approvals.expire(ACME, claim.run_id) for store in self._stores]
        answers = await asyncio.gather(*acts, return_exceptions=True)
        decided = [answer for answer in answers if isinstance(answer, Approval)]
        refused = [answer for answer in answers if isinstance(answer, AlreadyDecidedError)]
        self.outcome.words["taken"] += len(decided)
        self.outcome.words["refused"] += len(refused)
        if kind == "late":
            await self._world.store.approvals.expire(ACME, claim.run_id)
        elif kind == "one" and (len(decided), len(refused)) != (1, DECIDERS - 1):
            self.outcome.wrong.append(f"{row.approval_id}: {answers}")

    async def judge(self, admin: asyncpg.Connection[Any]) -> None:
        """Ask the database about all races together."""
        self.outcome.wrong += [str(dict(row)) for row in await admin.fetch(WRONG)]
        ends = await admin.fetch("select status, count(*) from remit.approvals group by 1")
        self.outcome.ends.update({row["status"]: row["count"] for row in ends})

    async def _request(self, kind: str) -> tuple[Claimed, ApprovalRow]:
        if kind == "late":
            soon = timedelta(milliseconds=self._draw.uniform(3, 12))
            return await self._world.request(expires_at=await self._world.now() + soon)
        return await self._world.request(approvers=2 if kind == "two" else 1)

    async def _decide(self, row: ApprovalRow, number: int, person: PrincipalId) -> Approval:
        word = self._draw.choice(("approve", "approve", "deny"))
        store = self._stores[number % 2]
        return await store.approvals.decide(ACME, decision(row, person, decision=word, reason=person))
