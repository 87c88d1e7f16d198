"""Workers of an execution: the kernel's own owner, committer and pipeline in a process that can die or stall.

Owns: one simulated process: its memory, its lease, and its connections, on which replies get lost.
Does not know: when it gets work (``fleet``), or what is right.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import msgspec

from remit.core.commands import CallTool
from remit.core.events import ActionFailed, Event
from remit.core.limits import Policy
from remit.core.program import Program
from remit.core.state import RunState
from remit.errors import NotFoundError, StoreReadOnlyError, StoreUnavailableError
from remit.governance.breaker import BreakerState
from remit.governance.contracts import ToolContract
from remit.ids import ApprovalId, Digest, RunId, TenantId
from remit.ports.reservation import KeyOutcome
from remit.ports.room import RoomReport
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
from remit.runtime.actor import RunActor
from remit.runtime.calls import ToolBook
from remit.runtime.catalogue import ActivePolicy, Catalogue
from remit.runtime.guards import BreakerBook, LeaseGuard
from remit.runtime.metrics import Metrics
from remit.runtime.outcomes import Outcomes
from remit.runtime.owner import OwnerHooks, OwnerPorts, RunOwner
from remit.runtime.pipeline import Pipeline, PipelinePorts
from remit.runtime.rows import microseconds_of
from remit.testing.events import suspended
from remit.testing.simulator.actor import WatchedActor
from remit.testing.simulator.database import LEASE_SECONDS, RUN_ID, START, Database
from remit.testing.simulator.dice import Dice, Fault
from remit.testing.simulator.loop import VirtualLoop
from remit.testing.simulator.world import Shelf, SimulatedTool, World

LEASE_MARGIN_SECONDS: Final = 2.0
STALL_SECONDS_MAX: Final = 2.5 * LEASE_SECONDS
SLOW_SECONDS_MAX: Final = 8.0


@dataclass(slots=True, kw_only=True)
class Site:
    """What all processes of an execution share. ``policy`` is the one in force; people change it."""

    loop: VirtualLoop
    dice: Dice
    database: Database
    world: World
    program: Program
    contracts: tuple[ToolContract, ...]
    policy: ActivePolicy
    core_policy: Policy
    metrics: Metrics
    actors: type[WatchedActor]
    breakers: dict[str, BreakerState]


class SimulatedClock:
    """Virtual time as a worker sees it."""

    def __init__(self, loop: VirtualLoop) -> None:
        self._loop = loop

    def now(self) -> datetime:
        """Return the database's instant."""
        return START + timedelta(seconds=self._loop.time())

    def monotonic(self) -> float:
        """Return virtual seconds."""
        return self._loop.time()

    def observe(self, database_now: datetime) -> None:
        """Take a reply's instant; there is only one clock."""


class SimulatedEntropy:
    """Draws from the execution's seed."""

    def __init__(self, dice: Dice) -> None:
        self._rng = dice.rng

    def fraction(self) -> float:
        """Return jitter."""
        return self._rng.random()

    def nonce(self) -> str:
        """Return 32 hex characters."""
        return f"{self._rng.getrandbits(128):032x}"

    def uuid(self) -> str:
        """Return an id in the form of a UUID."""
        text = f"{self._rng.getrandbits(128):032x}"
        return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-8{text[17:20]}-{text[20:]}"


class NoSecrets:
    """Simulated tools need no credentials; one that is named has a value that means nothing."""

    def resolve(self, tenant_id: TenantId, name: str) -> str:
        """Return a value."""
        del tenant_id
        return f"simulated-{name}"

    def known_values(self) -> frozenset[str]:
        """Return nothing to redact."""
        return frozenset()


class SimulatedRoom:
    """Room for more work, most of the time."""

    def __init__(self, dice: Dice) -> None:
        self._dice = dice

    def require(self) -> None:
        """Return if there is room; ``StoreReadOnlyError`` if there is none for now."""
        if self._dice.strikes(Fault.NO_ROOM):
            raise StoreReadOnlyError("the disk is full", retryable=True)

    def look(self) -> RoomReport:
        """Return that there is room."""
        return RoomReport()


class SiteCatalogue(Catalogue):
    """The one program and the policy in force, without a directory to ask."""

    def __init__(self, site: Site) -> None:
        self._site = site

    async def program(self, tenant_id: TenantId, digest: Digest) -> Program:
        """Return the program."""
        del tenant_id
        if digest != self._site.program.digest:
            raise NotFoundError(f"no definition {digest}")
        return self._site.program

    def fresh_policy(self, tenant_id: TenantId) -> ActivePolicy | None:
        """Return the policy in force."""
        del tenant_id
        return self._site.policy

    async def policy(self, tenant_id: TenantId) -> ActivePolicy:
        """Return the policy in force."""
        del tenant_id
        return self._site.policy


class BluntPipeline(Pipeline):
    """The pipeline, which may also say what it need not: the core must know what to make of that.

    It asks a person again before another attempt, and takes a final no at its word.
    """

    def __init__(self, dice: Dice, ports: PipelinePorts) -> None:
        super().__init__(ports)
        self._dice = dice
        self._clock = ports.clock

    async def act(self, command: CallTool, state: RunState, *, resumed: bool) -> Event:
        """Run one call, or ask before it."""
        is_again = command.intent is not None and command.intent.attempt != command.attempt
        if is_again and command.approval is None and self._dice.strikes(Fault.ASK_AGAIN, eagerness=10.0):
            approval_id = SimulatedEntropy(self._dice).uuid()
            return suspended(command, approval_id, now_us=microseconds_of(self._clock.now()))
        event = await super().act(command, state, resumed=resumed)
        is_cleared = isinstance(event, ActionFailed) and event.effect == "absent" and not event.retryable
        if is_cleared and self._dice.strikes(Fault.BLUNT_NO, eagerness=100.0):
            return msgspec.structs.replace(event, effect="none")
        return event


class SimulatedWorker:
    """One process. Every wait goes through ``gate``, which is where a dead one stays."""

    def __init__(self, site: Site, name: str) -> None:
        self._site = site
        self.name = name
        self.is_dead = False
        self._stalled_until = 0.0
        clock = SimulatedClock(site.loop)
        self.lease = LeaseGuard(clock, lease_seconds=LEASE_SECONDS, margin_seconds=LEASE_MARGIN_SECONDS)
        self.lease.renew = self.heartbeat
        entropy, secrets = SimulatedEntropy(site.dice), NoSecrets()
        connection = Connection(site, self)
        tools = ToolBook(Shelf([SimulatedTool(contract, site.world, self) for contract in site.contracts]))
        pipeline = BluntPipeline(
            site.dice,
            PipelinePorts(
                tools=tools,
                catalogue=SiteCatalogue(site),
                reservation=connection,
                secrets=secrets,
                breakers=BreakerBook(connection, clock),
                outcomes=Outcomes(clock=clock, entropy=entropy, secrets=secrets, lease=self.lease),
                clock=clock,
                entropy=entropy,
                metrics=site.metrics,
            ),
        )
        ports = OwnerPorts(
            journal=JournalConnection(site, self),
            approvals=ApprovalsConnection(site, self),
            catalogue=SiteCatalogue(site),
            pipeline=pipeline,
            clock=clock,
            metrics=site.metrics,
            room=SimulatedRoom(site.dice),
        )
        hooks = OwnerHooks(
            finished=self._on_finished,
            waiting=self._on_waiting,
            hand_back=self.hand_back,
            pass_on=self.hand_back,
            due_in=lambda _seconds: None,
            room=lambda: None,
            published=lambda: None,
        )
        self.owner = RunOwner(ports, hooks, core_policy=site.core_policy, actors=site.actors)
        self._committing = site.loop.create_task(self.owner.committer.run())
        self._register()

    @property
    def is_responsive(self) -> bool:
        """Whether the process runs, so that it reports in time."""
        return not self.is_dead and self._stalled_until <= self._site.loop.time()

    def _register(self) -> None:
        self._site.database.leases[self.name] = self._site.loop.time()
        self.lease.extend(self._site.loop.time())

    # --- life ------------------------------------------------------------------------------------------------------

    async def gate(self) -> None:
        """Return when the process is running; a dead one never is."""
        while not self.is_responsive:
            if self.is_dead:
                await self._site.loop.create_future()
            await asyncio.sleep(self._stalled_until - self._site.loop.time())

    def die(self) -> None:
        """Lose all memory: nothing of this process is ever heard again. What it sent is under way."""
        self.is_dead = True
        database = self._site.database
        if self.name in database.leases:
            # It reported until now.
            database.leases[self.name] = self._site.loop.time()
        if database.on_news is not None:
            database.on_news()

    def stall(self) -> None:
        """Stop for a while, perhaps for longer than the lease, and notice nothing of it."""
        loop, database = self._site.loop, self._site.database
        self._stalled_until = loop.time() + self._site.dice.pause(STALL_SECONDS_MAX)
        if self.name in database.leases:
            database.leases[self.name] = loop.time()
        wake_at = self._stalled_until + self._site.dice.pause()
        loop.call_at(wake_at, lambda: loop.start(self.report()))
        if database.on_news is not None:
            database.on_news()

    async def report(self) -> None:
        """Make the heartbeat that follows a pause."""
        with suppress(StoreUnavailableError):  # its lease was over, and it has started over
            await self.heartbeat()

    async def heartbeat(self) -> None:
        """Extend the lease; if it is over, forget every run and become known again.

        Raises:
            StoreUnavailableError: nobody answered, or the lease was over.
        """
        await self.gate()
        site = self._site
        if site.dice.strikes(Fault.OUTAGE):
            raise StoreUnavailableError("the heartbeat got no answer", retryable=True)
        site.database.sweep({self.name})
        if self.name not in site.database.leases:
            self.owner.lose_all()
            self._register()
            raise StoreUnavailableError("the lease was over", retryable=True)
        self._register()

    # --- work ------------------------------------------------------------------------------------------------------

    async def take(self, claim: Claimed) -> None:
        """Load a claimed run and take it up; hand it back if that cannot be done now."""
        await self.gate()
        await asyncio.sleep(self._site.dice.pause())
        await self.gate()
        run = self._site.database.load(claim, worker=self.name)
        if run is None:
            return
        try:
            await self.owner.take_up(run)
        except StoreUnavailableError:
            await self.hand_back(claim)

    async def hand_back(self, claim: Claimed) -> None:
        """Give a claim up."""
        await self.gate()
        await asyncio.sleep(self._site.dice.pause())
        self._site.database.release(claim, worker=self.name)

    def hear_soon(self) -> None:
        """Hear that there may be a message."""
        if self.is_responsive:
            self.owner.hear_soon(RUN_ID)

    def _on_finished(self, actor: RunActor, append: Append) -> None:
        del append
        assert isinstance(actor, WatchedActor)
        actor.hear_after_the_end(self._site.database.now)

    def _on_waiting(self, actor: RunActor) -> None:
        del actor
        if self._site.dice.strikes(Fault.CRASH_IDLE):
            self.die()


class Connection:
    """A worker's connection to the database, as the pipeline uses it."""

    def __init__(self, site: Site, worker: SimulatedWorker) -> None:
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
