"""Workers of an execution: the kernel's own owner, committer and pipeline in a process that can die or stall.

Owns: one simulated process: its memory, its lease, and its connections, on which replies get lost.
Does not know: when it gets work (``fleet``), or what is right.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Final

import msgspec

from remit.core.commands import CallTool
from remit.core.events import ActionFailed, Event
from remit.core.state import RunState
from remit.errors import StoreUnavailableError
from remit.ports.store import (
    Append,
    Claimed,
)
from remit.runtime.actor import RunActor
from remit.runtime.calls import ToolBook
from remit.runtime.guards import BreakerBook, LeaseGuard
from remit.runtime.outcomes import Outcomes
from remit.runtime.owner import OwnerHooks, OwnerPorts, RunOwner
from remit.runtime.pipeline import Pipeline, PipelinePorts
from remit.runtime.rows import microseconds_of
from remit.testing.events import suspended
from remit.testing.simulator.actor import WatchedActor
from remit.testing.simulator.connections import ApprovalsConnection, Connection, JournalConnection
from remit.testing.simulator.database import LEASE_SECONDS, RUN_ID
from remit.testing.simulator.dice import Dice, Fault
from remit.testing.simulator.site import NoSecrets, SimulatedClock, SimulatedEntropy, SimulatedRoom, Site, SiteCatalogue
from remit.testing.simulator.world import Shelf, SimulatedTool

LEASE_MARGIN_SECONDS: Final = 2.0
STALL_SECONDS_MAX: Final = 2.5 * LEASE_SECONDS


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
