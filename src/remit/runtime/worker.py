"""The worker: claims runs, keeps its lease, and reclaims what dead workers left.

Owns: the loops (claim, heartbeat, sweep, listen) and graceful shutdown.
Does not know: SQL, decisions, tools; ``owner`` takes claimed runs from event to event.
"""

from __future__ import annotations

import asyncio
import heapq
import uuid
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Final

import msgspec
import structlog

from remit.clock import Clock
from remit.core.decide import DEFAULT_POLICY, Policy
from remit.core.events import RunSubmitted
from remit.core.program import Program
from remit.core.state import CommandKey
from remit.errors import RemitError, StoreReadOnlyError, StoreUnavailableError
from remit.ids import RunId, TenantId, WorkerId
from remit.ports.store import Append, Claimed, Dispatch
from remit.runtime.actor import RunActor
from remit.runtime.guards import LeaseGuard
from remit.runtime.metrics import Metrics
from remit.runtime.owner import OUTAGE_DELAY_SECONDS, OwnerHooks, OwnerPorts, RunOwner

OWNED_RUNS_MAX: Final = 512
CLAIM_BATCH: Final = 64
LISTEN_SECONDS: Final = 10.0
PASS_ON_SECONDS: Final = 0.5
"""How long a claim that only others can work on is kept, and then how long they may claim before us."""
SWEEP_AGAIN_SECONDS: Final = 0.2
"""How soon a sweep that found a full batch is followed by the next: a worker takes up about 300 runs a second."""

DUE_SLACK_SECONDS: Final = 0.005
"""Only the database says that something is due; asking a moment later than estimated saves asking twice."""

_log = structlog.get_logger("remit.worker")


class WorkerOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How a worker paces itself. A dead worker's runs go on elsewhere within lease + sweep interval.

    ``tools`` are the names of the tools that it has, for whoever wonders why nobody works on a run.
    """

    worker_id: WorkerId
    version: str
    tools: tuple[str, ...] | None = None
    lease_seconds: float = 20.0
    heartbeat_seconds: float = 4.0
    sweep_seconds: float = 4.0
    poll_seconds: float = 1.0
    owned_runs_max: int = OWNED_RUNS_MAX
    shutdown_seconds: float = 20.0
    core_policy: Policy = DEFAULT_POLICY


class WorkerPorts(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker is wired to."""

    owner: OwnerPorts
    dispatch: Dispatch
    lease: LeaseGuard


class Worker:
    """Runs until stopped.

    ``on_finished`` tells of terminal runs that this process owned, ``on_waiting`` of those that it let go,
    ``on_outbox`` that messages are to be delivered.
    """

    def __init__(self, ports: WorkerPorts, options: WorkerOptions) -> None:
        self._dispatch = ports.dispatch
        self._journal = ports.owner.journal
        self._lease = ports.lease
        self._clock: Clock = ports.owner.clock
        self._metrics: Metrics = ports.owner.metrics
        self._options = options
        self._owner = RunOwner(
            ports.owner,
            OwnerHooks(
                finished=self._tell_finished,
                waiting=self._tell_waiting,
                hand_back=self._hand_back_one,
                pass_on=self._pass_on,
                due_in=self._expect_due,
                room=self._make_room,
                published=self._tell_outbox,
            ),
            core_policy=options.core_policy,
        )
        # Workers that start together do not ask together.
        self._phase = uuid.UUID(options.worker_id).int % 1_000 / 1_000
        self._dues: list[float] = []
        self._wake = asyncio.Event()
        self._is_drained = asyncio.Event()
        self._loops: list[asyncio.Task[None]] = []
        self._committing: asyncio.Task[None] | None = None
        self._strays: list[Claimed] = []
        self._claims_from = 0.0
        self._claim_request: str | None = None
        self._is_stopping = False
        self._is_short = False
        self._connected_since: float | None = None
        self._server_started_at: datetime | None = None
        self.on_finished: Callable[[TenantId, RunId], None] | None = None
        self.on_waiting: Callable[[TenantId, RunId], None] | None = None
        self.on_outbox: Callable[[], None] | None = None
        self._lease.renew = self._renew

    @property
    def worker_id(self) -> WorkerId:
        """Return this process's worker id."""
        return self._options.worker_id

    @property
    def owned_count(self) -> int:
        """Return how many runs this worker owns now."""
        return len(self._owner)

    def owns(self, run_id: RunId) -> bool:
        """Whether this worker owns a run now."""
        return self._owner.owns(run_id)

    # --- life --------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Register and start the loops."""
        options = self._options
        await self._register()
        self._committing = asyncio.create_task(self._owner.committer.run(), name="committer")
        self._loops = [
            asyncio.create_task(self._claim_loop(), name="claim"),
            asyncio.create_task(self._repeat(self._heartbeat, options.heartbeat_seconds), name="heartbeat"),
            asyncio.create_task(self._repeat(self._sweep, options.sweep_seconds), name="sweep"),
            asyncio.create_task(self._listen(), name="listen"),
        ]

    async def stop(self) -> None:
        """Stop claiming, let calls in flight end, store what was decided, hand everything back.

        If calls had to be cut off that may have been sent, nothing is handed back: the runs go on elsewhere when the
        lease is over.
        """
        self._is_stopping = True
        self._wake.set()
        claiming, others = self._loops[:1], self._loops[1:]
        await _end_tasks(claiming)
        # The heartbeat goes on until the last call has ended: its lease must not expire meanwhile.
        is_clean = await self._owner.finish_calls(timeout_seconds=self._options.shutdown_seconds)
        self._owner.committer.close()
        committing = [] if self._committing is None else [self._committing]
        await _end_tasks([*others, *committing])
        if not is_clean:
            _log.warning("calls_cut_off", owned=len(self._owner))
            return  # as after a crash: what was sent must have arrived before anybody takes these runs up
        try:
            await self._dispatch.retire_worker(self._options.worker_id)
        except StoreUnavailableError as error:
            _log.warning("retire_failed", error=error.message)

    async def _register(self) -> None:
        sent = self._clock.monotonic()
        now = await self._dispatch.register_worker(
            self._options.worker_id,
            lease_seconds=self._options.lease_seconds,
            version=self._options.version,
            tools=self._options.tools,
        )
        self._clock.observe(now)
        self._lease.extend(sent)
        self._connected_since = sent

    def wake(self, run_id: RunId | None = None) -> None:
        """Look for claimable runs now: somebody in this process made one, or sent ``run_id`` a message."""
        self._wake.set()
        if run_id is not None:
            self._owner.hear_soon(run_id)

    def can_adopt(self, program: Program) -> bool:
        """Whether this worker takes more runs, and has the tools for those of this definition."""
        has_room = not self._is_stopping and len(self._owner) < self._options.owned_runs_max
        return has_room and not self._owner.missing_tools(program)

    def adopt(self, actor: RunActor, event: RunSubmitted) -> None:
        """Take up a run that was created and claimed for this worker a moment ago."""
        self._owner.adopt(actor, event)

    def adopt_begun(self, actor: RunActor, first: Append, dispatchable: list[CommandKey]) -> None:
        """Take up a run that was created and claimed together with its first entry."""
        self._owner.adopt_begun(actor, first, dispatchable)

    # --- claims ------------------------------------------------------------------------------------

    async def _claim_loop(self) -> None:
        while not self._is_stopping:
            try:
                claimed = await self._claim_once()
            except StoreReadOnlyError as error:
                self._note_room(error.message)
                await asyncio.sleep(OUTAGE_DELAY_SECONDS)
                continue
            except RemitError as error:
                # Whatever it is, a worker that stops claiming and keeps its lease helps nobody.
                self._connected_since = None
                _log.warning("claim_failed", error=error.message)
                await asyncio.sleep(OUTAGE_DELAY_SECONDS)
                continue
            self._note_room("")
            if claimed < CLAIM_BATCH:
                self._is_drained.set()
                await self._pause()

    def _note_room(self, shortage: str) -> None:
        """Say once that claims pause for want of room, and once that they go on."""
        if bool(shortage) != self._is_short:
            self._is_short = bool(shortage)
            if shortage:
                _log.warning("claims_paused", reason=shortage)
            else:
                _log.warning("claims_resumed")

    async def _pause(self) -> None:
        """Wait for a wake-up, the next known due instant, or the poll interval."""
        pause = self._options.poll_seconds
        if self._dues:
            pause = min(pause, max(0.0, self._dues[0] - self._clock.monotonic()))
        try:
            async with asyncio.timeout(pause):
                await self._wake.wait()
        except TimeoutError:
            pass
        self._wake.clear()
        now = self._clock.monotonic()
        while self._dues and self._dues[0] <= now:
            heapq.heappop(self._dues)

    async def _claim_once(self) -> int:
        room = min(CLAIM_BATCH, self._options.owned_runs_max - len(self._owner))
        if room <= 0 or self._clock.monotonic() < self._claims_from:
            return 0
        if self._claim_request is None:
            self._claim_request = str(uuid.uuid4())
        # Until its runs are taken up the same request is made again: a lost answer must not cost two heartbeats.
        claims, now = await self._dispatch.claim(self._options.worker_id, request_id=self._claim_request, limit=room)
        self._clock.observe(now)
        # A run that was let go and came back at once may still be known here under its old epoch.
        fresh = self._owner.keep_only(claims)
        if fresh:
            runs, now = await self._journal.load(fresh)
            self._clock.observe(now)
            for run in runs:
                await self._owner.take_up(run)
        self._claim_request = None
        return len(claims)

    def _tell_waiting(self, actor: RunActor) -> None:
        if self.on_waiting is not None:
            self.on_waiting(actor.tenant_id, actor.run_id)

    def _tell_finished(self, actor: RunActor, append: Append) -> None:
        del append
        if self.on_finished is not None:
            self.on_finished(actor.tenant_id, actor.run_id)

    def _tell_outbox(self) -> None:
        if self.on_outbox is not None:
            self.on_outbox()

    def _make_room(self) -> None:
        if len(self._owner) + 1 == self._options.owned_runs_max:
            self._wake.set()

    def _expect_due(self, seconds: float) -> None:
        heapq.heappush(self._dues, self._clock.monotonic() + max(0.0, seconds) + DUE_SLACK_SECONDS)
        if self._dues[0] - self._clock.monotonic() < self._options.poll_seconds:
            self._wake.set()  # the pause under way may be longer than that

    async def _hand_back_one(self, claim: Claimed) -> None:
        await self._hand_back([claim])

    async def _pass_on(self, claim: Claimed) -> None:
        """Give up a claim after a pause, without looking for work ourselves: the others shall find it first."""
        await asyncio.sleep(PASS_ON_SECONDS)
        self._claims_from = self._clock.monotonic() + PASS_ON_SECONDS
        try:
            await self._dispatch.release(self._options.worker_id, [claim])
            await self._dispatch.announce()
        except StoreUnavailableError as error:
            _log.warning("release_failed", error=error.message)

    async def _hand_back(self, claims: Sequence[Claimed]) -> None:
        try:
            await self._dispatch.release(self._options.worker_id, claims)
        except StoreUnavailableError as error:
            _log.warning("release_failed", error=error.message)
        self._wake.set()

    # --- heartbeat and sweep -----------------------------------------------------------------------

    async def _repeat(self, work: Callable[[], Awaitable[None]], seconds: float) -> None:
        while True:  # bound: ended by ``stop``
            await asyncio.sleep(seconds)
            try:
                await work()
            except RemitError as error:
                # Recovery is a loop that never ends, whatever goes wrong in one turn of it.
                self._connected_since = None
                _log.warning("loop_failed", error=error.message)

    async def _heartbeat(self) -> None:
        """Extend the lease by the clock, and hand back what nobody here has known of for two of these heartbeats.

        A claim whose answer is still on its way looks the same, but not for so long.
        """
        strays = await self._renew()
        lasting = [claim for claim in strays if claim in self._strays]
        self._strays = [claim for claim in strays if claim not in lasting]
        if lasting:
            # Claimed by a call whose reply was lost: somebody must take them.
            await self._hand_back(lasting)

    async def _renew(self) -> list[Claimed]:
        """Extend the lease, and give up what has a newer owner; returns claims that this process knows nothing of.

        Raises:
            StoreUnavailableError: the lease was over and the runs are given up; or nobody answered.
        """
        sent = self._clock.monotonic()
        beat = await self._dispatch.heartbeat(self._options.worker_id)
        self._clock.observe(beat.now)
        if beat.lease_seconds <= 0:
            await self._start_over()
            raise StoreUnavailableError("the lease was over: what this worker owned may be another's", retryable=True)
        self._lease.extend(sent)
        self._metrics.heartbeat(sent)
        self._metrics.owns(len(self._owner))
        if self._connected_since is None or beat.server_started_at != self._server_started_at:
            self._connected_since = sent
            self._server_started_at = beat.server_started_at
        strays = self._owner.keep_only(beat.owned)
        if self._claim_request is not None:
            # Claims that are being taken up are no strays, however long that takes: given back now, they would be
            # another worker's and ours. A claim whose answer was lost is asked for again.
            strays = []
        for run_id in beat.woken:
            self._owner.hear_soon(run_id)
        if beat.outbox_due:
            self._tell_outbox()
        return strays

    async def _start_over(self) -> None:
        """Give up every run after the lease was lost (a pause, a suspended machine), and become known again."""
        _log.warning("lease_lost", owned=len(self._owner))
        self._owner.lose_all()
        self._strays = []
        await self._register()
        self._wake.set()

    async def _sweep(self) -> None:
        """Reclaim runs of dead workers, but only after a full lease of uninterrupted connection.

        When many leases end together, their runs come back by the batch: the next follows as soon as what is claimable
        was taken up, while there is room. Those that are not yet reclaimed stand in nobody's way.
        """
        connected = self._connected_since
        if connected is None or self._clock.monotonic() - connected < self._options.lease_seconds:
            return
        reclaimed = CLAIM_BATCH
        while reclaimed >= CLAIM_BATCH:
            self._is_drained.clear()
            reclaimed = len(await self._dispatch.sweep(limit=CLAIM_BATCH))
            self._metrics.swept(reclaimed)
            if not reclaimed:
                return
            _log.info("runs_reclaimed", count=reclaimed)
            self._wake.set()
            if not await self._has_drained():
                return

    async def _has_drained(self) -> bool:
        """Wait until nothing is claimable, at most until the next sweep; false if there is no room for more."""
        try:
            async with asyncio.timeout(self._options.sweep_seconds):
                await asyncio.sleep(SWEEP_AGAIN_SECONDS * (1 + self._phase))
                await self._is_drained.wait()
        except TimeoutError:
            return False
        return len(self._owner) + CLAIM_BATCH <= self._options.owned_runs_max

    async def _listen(self) -> None:
        while True:  # bound: ended by ``stop``
            try:
                await self._dispatch.wait_for_wake(timeout_seconds=LISTEN_SECONDS)
            except RemitError:
                await asyncio.sleep(OUTAGE_DELAY_SECONDS)
            self._wake.set()


async def _end_tasks(tasks: Sequence[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
