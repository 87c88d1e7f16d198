"""A simulated process's connections to the database, on which requests stall and replies get lost.

Owns: what goes wrong on the way there and back. Does not know: what the database answers (``database``).
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Final, Protocol

from remit.errors import NotFoundError, StoreUnavailableError
from remit.governance.breaker import BreakerState
from remit.ids import ApprovalId, RunId, TenantId
from remit.ports.reservation import KeyOutcome
from remit.ports.store import (
    Append,
    Appended,
    AppendOutcome,
    Approval,
    Claimed,
    Decision,
    InboxMessage,
    LoadedRun,
    MintedRun,
    Submission,
    Submitted,
)
from remit.testing.simulator.dice import Fault
from remit.testing.simulator.site import Site

SLOW_SECONDS_MAX: Final = 8.0


class Process(Protocol):
    """Whose connection it is."""

    name: str

    async def gate(self) -> None:
        """Return when the process is running."""

    def die(self) -> None:
        """Lose all memory."""

    def stall(self) -> None:
        """Stop for a while."""


class Connection:
    """A worker's connection to the database, as the pipeline uses it."""

    def __init__(self, site: Site, worker: Process) -> None:
        self._site = site
        self._worker = worker

    async def reach(self) -> None:
        """Go there; fail if the database cannot be reached.

        Raises:
            StoreUnavailableError: it cannot.
        """
        await self._worker.gate()
        if self._site.dice.strikes(Fault.OUTAGE):
            await asyncio.sleep(self._site.dice.pause(2.0))
            raise StoreUnavailableError("the database cannot be reached", retryable=True)

    async def come_back(self) -> None:
        """Bring an answer back."""
        await asyncio.sleep(self._site.dice.pause(0.05))
        await self._worker.gate()

    async def find_key(self, tenant_id: TenantId, key: str) -> KeyOutcome | None:
        """Return what is known of a key."""
        del tenant_id
        await self.reach()
        known = self._site.database.keys.get(key)
        await self.come_back()
        return known

    async def take_rate(self, tenant_id: TenantId, *, name: str, per_minute: int) -> float:
        """Return no wait: rates are the database's business."""
        del tenant_id, name, per_minute
        await self.reach()
        return 0.0

    async def load_breaker(self, tenant_id: TenantId, dependency: str) -> BreakerState | None:
        """Return the stored state of a breaker."""
        del tenant_id
        await self.reach()
        return self._site.breakers.get(dependency)

    async def save_breaker(self, tenant_id: TenantId, dependency: str, state: BreakerState) -> None:
        """Store a breaker's state."""
        del tenant_id
        await self.reach()
        self._site.breakers[dependency] = state


class JournalConnection(Connection):
    """The connection that runs are written over: the place of crashes, lost replies and late writes."""

    async def append(self, batch: Sequence[Append]) -> tuple[list[Appended], datetime]:
        """Store entries, unless something goes wrong before or after."""
        site, dice = self._site, self._site.dice
        await self.reach()
        if dice.strikes(Fault.CRASH_BEFORE_APPEND):
            self._worker.die()
        if dice.strikes(Fault.STALL):
            self._worker.stall()
        await asyncio.sleep(dice.pause(SLOW_SECONDS_MAX) if dice.strikes(Fault.SLOW) else dice.pause(0.02))
        await self._worker.gate()
        if dice.strikes(Fault.BUSY):
            return [Appended(outcome=AppendOutcome.BUSY) for _ in batch], site.database.now
        if dice.strikes(Fault.CONFLICT):
            return [Appended(outcome=AppendOutcome.CONFLICT) for _ in batch], site.database.now
        replies = [site.database.append(append, worker=self._worker.name) for append in batch]
        if dice.strikes(Fault.CRASH_AFTER_APPEND):
            self._worker.die()
        if dice.strikes(Fault.STALL):
            self._worker.stall()
        await self.come_back()
        if dice.strikes(Fault.LOST_REPLY):
            raise StoreUnavailableError("the connection broke before the answer", retryable=True)
        return replies, site.database.now

    async def load_inbox(self, tenant_id: TenantId, run_id: RunId) -> tuple[list[InboxMessage], int]:
        """Return unread messages; they may come in another order than they were sent."""
        del tenant_id, run_id
        await self.reach()
        wake_sequence = self._site.database.wake_sequence
        messages = list(self._site.database.unread.values())
        if len(messages) > 1 and self._site.dice.strikes(Fault.REORDER, eagerness=20.0):
            self._site.dice.rng.shuffle(messages)
        await self.come_back()
        return messages, wake_sequence

    async def load(self, claims: Sequence[Claimed]) -> tuple[list[LoadedRun], datetime]:
        """Return claimed runs."""
        database = self._site.database
        runs = [run for claim in claims if (run := database.load(claim, worker=self._worker.name)) is not None]
        return runs, database.now

    async def submit(self, submissions: Sequence[Submission]) -> tuple[list[Submitted], datetime]:
        """Refuse: an execution has one run, which is there from the beginning."""
        raise NotFoundError(f"a simulated database takes no {len(submissions)} more runs")

    async def mint(self, count: int) -> list[MintedRun]:
        """Refuse, as ``submit``."""
        raise NotFoundError(f"a simulated database takes no {count} more runs")

    async def close(self) -> None:
        """Close nothing."""


class ApprovalsConnection(Connection):
    """The connection that decisions come over. People decide at the database (``people``)."""

    async def expire(self, tenant_id: TenantId, run_id: RunId) -> int:
        """Expire requests that are past their time."""
        del tenant_id, run_id
        await self.reach()
        count = self._site.database.expire()
        await self.come_back()
        return count

    async def decide(self, tenant_id: TenantId, decision: Decision) -> Approval:
        """Refuse: a worker decides nothing."""
        raise NotFoundError(f"{tenant_id}: {decision.approval_id} is not a worker's to decide")

    async def get(self, tenant_id: TenantId, approval_id: ApprovalId) -> Approval:
        """Refuse, as ``decide``."""
        raise NotFoundError(f"{tenant_id}: {approval_id} is not a worker's to see")

    async def list(self, tenant_id: TenantId, *, status: str | None = "pending", limit: int = 100) -> list[Approval]:
        """Return nothing: a worker asks for no lists."""
        del tenant_id, status, limit
        return []
