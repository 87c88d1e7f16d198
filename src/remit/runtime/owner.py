"""The runs that this process owns, and their calls in flight.

Owns: the actors, the tasks of calls, and what follows from each answer of the committer.
Does not know: how runs are claimed or kept alive; the worker does that.

A waiting run is a row, never a coroutine: an actor lives only while a call is in flight or facts are being stored.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Sequence
from datetime import datetime
from functools import cached_property, partial
from typing import Final

import msgspec
import structlog

from remit.clock import Clock
from remit.core.commands import AwaitApproval, CallTool
from remit.core.decide import Policy
from remit.core.events import ActionRefused, ActionUnknown, DeadlineReached, Event, RunSubmitted
from remit.core.outstanding import next_due_us
from remit.core.program import Program
from remit.core.state import CommandKey
from remit.errors import RemitError, StoreUnavailableError
from remit.ids import Epoch, RunId
from remit.ports.room import Room
from remit.ports.store import Append, Appended, AppendOutcome, Approvals, Claimed, Journal, LoadedRun
from remit.runtime.actor import RunActor
from remit.runtime.catalogue import Catalogue
from remit.runtime.committer import Committer
from remit.runtime.first_event import submission_event
from remit.runtime.metrics import Metrics
from remit.runtime.pipeline import Pipeline
from remit.runtime.rows import instant_of, microseconds_of

OUTAGE_DELAY_SECONDS: Final = 0.5
ALARM_SLACK_SECONDS: Final = 0.005
"""What is due is asked for a moment late: asking early would be asking twice."""

CallKey = tuple[RunId, Epoch, str, int]
"""A call of an owner: the same call under another claim is another owner's, and is made again."""

_log = structlog.get_logger("remit.owner")


class OwnerPorts(msgspec.Struct, frozen=True, kw_only=True):
    """What an owner is wired to."""

    journal: Journal
    approvals: Approvals
    catalogue: Catalogue
    pipeline: Pipeline
    clock: Clock
    metrics: Metrics
    room: Room


class OwnerHooks(msgspec.Struct, frozen=True, kw_only=True):
    """Whom an owner tells.

    ``finished`` gets terminal runs, ``waiting`` those that were let go; ``hand_back`` gets claims to give up,
    ``pass_on`` those that only another worker can work on;
    ``due_in`` gets the seconds until a run that was let go is due; ``room`` says that there is room for another run;
    ``published`` that messages may go.
    """

    finished: Callable[[RunActor, Append], None]
    waiting: Callable[[RunActor], None]
    hand_back: Callable[[Claimed], Coroutine[None, None, None]]
    pass_on: Callable[[Claimed], Coroutine[None, None, None]]
    due_in: Callable[[float], None]
    room: Callable[[], None]
    published: Callable[[], None]


class RunOwner:
    """Takes owned runs from event to event until they wait, end or are lost. ``actors`` is what claimed runs become."""

    def __init__(
        self,
        ports: OwnerPorts,
        hooks: OwnerHooks,
        *,
        core_policy: Policy,
        actors: type[RunActor] = RunActor,
    ) -> None:
        self._ports = ports
        self._hooks = hooks
        self._core_policy = core_policy
        self._actor_type = actors
        self._actors: dict[RunId, RunActor] = {}
        self._unreadable: set[RunId] = set()
        self._ending: set[RunId] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._performing: dict[CallKey, tuple[CallTool, asyncio.Task[None]]] = {}
        self._is_stopping = False
        self.committer = Committer(
            ports.journal, ports.clock, ports.metrics, on_durable=self._on_durable, on_lost=self._on_lost
        )

    def __len__(self) -> int:
        return len(self._actors)

    @cached_property
    def _loop(self) -> asyncio.AbstractEventLoop:
        """Return the loop that this owner lives on. Asking asyncio for it is a system call each time."""
        return asyncio.get_running_loop()

    def owns(self, run_id: RunId) -> bool:
        """Whether a run is owned now, or is about to be handed back.

        One that cannot be folded counts, for nobody else could either.
        """
        return run_id in self._actors or run_id in self._unreadable or run_id in self._ending

    def missing_tools(self, program: Program) -> list[str]:
        """Return the names of a definition's tools that this process does not have."""
        return self._ports.pipeline.missing_tools(program)

    def adopt(self, actor: RunActor, event: RunSubmitted) -> None:
        """Take up a run that was created and claimed for this process a moment ago."""
        self._actors[actor.run_id] = actor
        actor.handle(event, now=self._ports.clock.now())
        self.committer.enqueue(actor)

    def adopt_begun(self, actor: RunActor, first: Append, dispatchable: list[CommandKey]) -> None:
        """Take up a run that was created together with its first entry."""
        self._actors[actor.run_id] = actor
        stored = Appended(outcome=AppendOutcome.APPLIED)
        self._on_durable(actor, first, stored, actor.on_appended(first, stored, dispatchable))

    async def take_up(self, run: LoadedRun) -> None:
        """Fold a claimed run and go on with it; its open calls may have been sent before, by a process that is gone."""
        try:
            program = await self._ports.catalogue.program(run.tenant_id, run.definition_digest)
            actor = self._actor_type.loaded(program, run, core_policy=self._core_policy)
        except StoreUnavailableError:
            raise
        except (RemitError, msgspec.ValidationError) as error:
            self._unreadable.add(run.run_id)
            _log.exception("run_unreadable", run_id=run.run_id, error=str(error))
            return
        missing = self._ports.pipeline.missing_tools(program)
        if missing:
            # Another worker may have them; failing the run here would be for good.
            _log.warning("tools_missing", run_id=run.run_id, tools=missing)
            self._spawn(self._hooks.pass_on(Claimed(tenant_id=run.tenant_id, run_id=run.run_id, epoch=run.epoch)))
            return
        calls = actor.open_calls()
        if not actor.is_started:
            # Before anybody can find the actor: a message that it heard first would be all that ever happens to it.
            policy = await self._ports.catalogue.policy(run.tenant_id)
            actor.handle(submission_event(program, run, policy.config), now=self._ports.clock.now())
        self._actors[actor.run_id] = actor
        try:
            await self._hear(actor, run)
        except StoreUnavailableError:
            if not (actor.has_pending or actor.is_sealed or actor.sequence != run.sequence):
                # Not taken up: it is asked for again, or handed back by the heartbeat.
                self._drop(actor)
                raise
            # A message was heard meanwhile and the run goes on: its calls may be under way, and nobody may repeat them.
        if actor.has_pending or not calls:
            self.committer.enqueue(actor)
        self._dispatch(actor, [call for call in calls if actor.is_open(call)], resumed=True)

    async def _hear(self, actor: RunActor, run: LoadedRun) -> None:
        """Give a claimed run its messages and what became due."""
        now = self._ports.clock.now()
        messages = run.inbox
        if await self._expire(actor, now):
            fresh, actor.wake_sequence = await self._ports.journal.load_inbox(run.tenant_id, run.run_id)
            messages = tuple(fresh)
        for message in messages:
            actor.hear(message, now=now)
        _reach_due(actor, now)

    async def _expire(self, actor: RunActor, now: datetime) -> bool:
        """Let requests expire that are past their time; true if there are any, so that the run has a message."""
        now_us = microseconds_of(now)
        awaited = [command for command in actor.state.open.values() if isinstance(command, AwaitApproval)]
        is_due = any(command.due_us <= now_us for command in awaited)
        if is_due:
            await self._ports.approvals.expire(actor.tenant_id, actor.run_id)
        return is_due

    def hear_soon(self, run_id: RunId) -> None:
        """Read what arrived for an owned run; does nothing for others."""
        actor = self._actors.get(run_id)
        if actor is not None:
            self._spawn(self._read_inbox(actor))

    def keep_only(self, claims: Iterable[Claimed]) -> list[Claimed]:
        """Drop runs that have a newer owner; return the claims that this process knows nothing of."""
        strays = []
        for claim in claims:
            actor = self._actors.get(claim.run_id)
            if actor is not None and claim.epoch > actor.epoch:
                self._drop(actor)
            if not self.owns(claim.run_id):
                strays.append(claim)
        return strays

    def lose_all(self) -> None:
        """Drop every run: the lease is over, so each of them may be another worker's."""
        for actor in list(self._actors.values()):
            self._drop(actor)

    def _drop(self, actor: RunActor, *, spared: Sequence[asyncio.Task[None]] = ()) -> None:
        """Forget a run that is not ours any more, and end its calls: nothing more may be sent in its name.

        ``spared`` are those that were sent already; their outcome is nobody's, but their end is waited for.
        """
        if self._actors.get(actor.run_id) is actor:
            del self._actors[actor.run_id]
        for (run_id, epoch, _, _), (_, task) in list(self._performing.items()):
            is_its = (run_id, epoch) == (actor.run_id, actor.epoch)
            if is_its and task not in spared and task is not asyncio.current_task():
                task.cancel()

    async def finish_calls(self, *, timeout_seconds: float) -> bool:
        """Start no more calls and wait for those in flight; what is not done then is cancelled, as in a crash.

        Returns:
            Whether nothing was cut off that may have been sent: else nobody must take these runs up before the lease is
            over, or they would look for an effect that is still under way.
        """
        self._is_stopping = True
        if self._tasks:
            await asyncio.wait(set(self._tasks), timeout=timeout_seconds)
        try:
            async with asyncio.timeout(timeout_seconds):
                await self.committer.drain()
        except TimeoutError:
            _log.warning("shutdown_uncommitted", owned=len(self._actors))
        is_clean = not any(call.intent is not None for call, _ in self._performing.values())
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        return is_clean

    # --- calls -------------------------------------------------------------------------------------

    def _dispatch(self, actor: RunActor, calls: list[CallTool], *, resumed: bool) -> None:
        if self._is_stopping:
            return  # what has not begun is for the next owner
        for call in calls:
            key = (actor.run_id, actor.epoch, call.step, call.slot)
            under_way = self._performing.get(key)
            if under_way is None or under_way[0] != call:
                task = self._loop.create_task(self._perform(actor, call, resumed=resumed))
                self._keep(task)
                self._performing[key] = (call, task)
                task.add_done_callback(partial(self._end_call, key))

    def _end_call(self, key: CallKey, task: asyncio.Task[None]) -> None:
        under_way = self._performing.get(key)
        if under_way is not None and under_way[1] is task:
            del self._performing[key]

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        self._keep(self._loop.create_task(work))

    def _keep(self, task: asyncio.Task[None]) -> None:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _perform(self, actor: RunActor, call: CallTool, *, resumed: bool) -> None:
        try:
            event = await self._act(actor, call, resumed=resumed)
        except Exception as fault:  # boundary: a bug of ours ends this step in a known way, not the worker
            _log.exception("pipeline_fault", run_id=actor.run_id, step=call.step)
            event = fault_event(call, fault)
        if event is None or not self._is_ours(actor):
            return  # lost while its call was in flight: its new owner's business
        if actor.handle(event, now=self._ports.clock.now()):
            self.committer.enqueue(actor)

    def _is_ours(self, actor: RunActor) -> bool:
        return self._actors.get(actor.run_id) is actor

    async def _act(self, actor: RunActor, call: CallTool, *, resumed: bool) -> Event | None:
        """Take a call through the pipeline, waiting out outages; ``None`` when the run was lost meanwhile.

        What is not begun waits for room, too; a call whose intent is stored is the last thing to be held up.
        """
        is_told = False
        while self._is_ours(actor):
            try:
                if call.intent is None:
                    self._ports.room.require()
                return await self._ports.pipeline.act(call, actor.state, resumed=resumed)
            except StoreUnavailableError as error:
                # Nothing was sent: only the checks before the call ask the store.
                if not is_told:
                    _log.warning("pipeline_waits", run_id=actor.run_id, step=call.step, error=error.message)
                is_told = True
                if self._is_stopping:
                    return None  # its next owner begins it
                await asyncio.sleep(OUTAGE_DELAY_SECONDS)
        return None

    # --- answers of the committer ------------------------------------------------------------------

    def _on_durable(self, actor: RunActor, append: Append, reply: Appended, calls: list[CallTool]) -> None:
        if append.outbox:
            self._hooks.published()
        if self._actors.get(actor.run_id) is not actor:
            return  # dropped while its entry was under way: what follows is its next owner's
        if actor.state.is_terminal and not actor.has_pending:
            self._actors.pop(actor.run_id, None)
            self._ports.metrics.finished(append.status)
            self._hooks.finished(actor, append)
            self._hooks.room()
        elif reply.released:
            self._let_go(actor)
        else:
            self._dispatch(actor, calls, resumed=False)
            self._set_alarm(actor, append.due_at)
            is_idle = not actor.state.acting_count and not actor.has_pending
            if is_idle or reply.wake_sequence > actor.wake_sequence:
                self._spawn(self._read_inbox(actor))

    def _set_alarm(self, actor: RunActor, due_at: datetime | None) -> None:
        """Look at a run again when something is due in it, although other calls of it are in flight."""
        if due_at is None or due_at == actor.alarm_at:
            return
        actor.alarm_at = due_at
        seconds = (due_at - self._ports.clock.now()).total_seconds()
        self._loop.call_later(max(0.0, seconds) + ALARM_SLACK_SECONDS, self._ring, actor)

    def _ring(self, actor: RunActor) -> None:
        if self._is_ours(actor) and not self._is_stopping:
            self._spawn(self._read_inbox(actor))

    def _let_go(self, actor: RunActor) -> None:
        self._actors.pop(actor.run_id, None)
        self._hooks.waiting(actor)
        due = next_due_us(actor.state)
        if due is not None:
            self._hooks.due_in((instant_of(due) - self._ports.clock.now()).total_seconds())

    def _on_lost(self, actor: RunActor, append: Append, reply: Appended) -> None:
        """The entry was not stored: nothing of what this process thinks about the run counts any more."""
        self._ports.metrics.lost(reply.outcome.value)
        sent = [
            task
            for (run_id, epoch, _, _), (call, task) in self._performing.items()
            if (run_id, epoch) == (actor.run_id, actor.epoch) and call.intent is not None
        ]
        self._drop(actor, spared=sent)
        _log.warning("run_lost", run_id=actor.run_id, sequence=append.sequence, outcome=reply.outcome.value)
        if reply.outcome in {AppendOutcome.CONFLICT, AppendOutcome.KEY_TAKEN}:
            self._ending.add(actor.run_id)
            self._spawn(self._hand_back(actor, sent))

    async def _hand_back(self, actor: RunActor, sent: list[asyncio.Task[None]]) -> None:
        """Hand a run back when its calls have ended: the next owner must not look for an effect that is under way."""
        try:
            if sent:
                await asyncio.wait(sent)
        finally:
            self._ending.discard(actor.run_id)
        await self._hooks.hand_back(Claimed(tenant_id=actor.tenant_id, run_id=actor.run_id, epoch=actor.epoch))

    async def _read_inbox(self, actor: RunActor) -> None:
        """Read what arrived for an owned run, or became due; also the way to let go of one that waits."""
        try:
            await self._expire(actor, self._ports.clock.now())
            messages, wake_sequence = await self._ports.journal.load_inbox(actor.tenant_id, actor.run_id)
        except StoreUnavailableError as error:
            _log.warning("inbox_failed", run_id=actor.run_id, error=error.message)
            return
        if self._actors.get(actor.run_id) is not actor:
            return
        now = self._ports.clock.now()
        heard = [actor.hear(message, now=now) for message in messages]
        actor.wake_sequence = max(actor.wake_sequence, wake_sequence)
        is_due = _reach_due(actor, now)
        if any(heard) or is_due or not actor.state.acting_count:
            self.committer.enqueue(actor)


def _reach_due(actor: RunActor, now: datetime) -> bool:
    """Tell a run that something is due, if it is; true if anything followed."""
    due = next_due_us(actor.state)
    return due is not None and due <= microseconds_of(now) and actor.handle(DeadlineReached(), now=now)


def fault_event(call: CallTool, fault: Exception) -> Event:
    """Return what a bug of ours means for a call: refused if nothing can have been sent, else unknown."""
    message = f"a fault of the kernel: {type(fault).__name__}"
    if call.intent is None:
        return ActionRefused(
            step=call.step, attempt=call.attempt, slot=call.slot, reason="KERNEL_FAULT", message=message, checks=""
        )
    return ActionUnknown(step=call.step, attempt=call.attempt, slot=call.slot, reason="KERNEL_FAULT", message=message)
