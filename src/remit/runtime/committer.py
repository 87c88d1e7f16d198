"""Group commit: one append call for everything that became due while the last one was under way.

Owns: the order of appends, and what happens when one cannot be stored. One committer per process.
Does not know: what facts mean.

While the server works on a batch, the replies of the batch before are handled here: on two cores both stay busy. An
append whose reply was lost is sent again unchanged; the server answers ``already`` for what it holds.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final

import structlog

from remit.clock import Clock
from remit.core.commands import CallTool
from remit.core.state import CommandKey
from remit.errors import RemitError
from remit.ports.store import Append, Appended, AppendOutcome, Journal
from remit.runtime.actor import RunActor
from remit.runtime.metrics import Metrics

RUNS_PER_BATCH_MAX: Final = 256
ROWS_PER_BATCH_MAX: Final = 512
BYTES_PER_BATCH_MAX: Final = 1_000_000
RESEND_DELAY_SECONDS: Final = 0.2
BUSY_RESENDS_MAX: Final = 100

_log = structlog.get_logger("remit.committer")

Sealed = tuple[RunActor, Append, list[CommandKey]]
Answered = tuple[Sealed, Appended]


class Committer:
    """Makes decided facts durable, many runs at a time.

    ``on_durable`` gets the calls that may start; ``on_lost`` gets runs that are no longer ours (or quarantined).
    """

    def __init__(
        self,
        journal: Journal,
        clock: Clock,
        metrics: Metrics,
        *,
        on_durable: Callable[[RunActor, Append, Appended, list[CallTool]], None],
        on_lost: Callable[[RunActor, Append, Appended], None],
    ) -> None:
        self._journal = journal
        self._clock = clock
        self._metrics = metrics
        self._on_durable = on_durable
        self._on_lost = on_lost
        self._queue: deque[RunActor] = deque()
        self._work = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._is_closing = False

    def enqueue(self, actor: RunActor) -> None:
        """Ask for an actor's pending facts to be stored with the next batch."""
        if not actor.is_queued and not actor.is_sealed:
            actor.is_queued = True
            self._queue.append(actor)
            self._work.set()
            self._idle.clear()

    async def drain(self) -> None:
        """Return when nothing is queued or under way."""
        await self._idle.wait()

    def close(self) -> None:
        """End ``run`` once the queue is empty."""
        self._is_closing = True
        self._work.set()

    async def run(self) -> None:
        """Store batches until closed.

        An outage is waited out, because what is decided must not be lost.
        """
        answered: list[Answered] = []
        while True:  # bound: ended by ``close``
            batch = self._take_batch()
            if batch:
                replies = await self._send_while_answering(batch, answered)
                answered = list(zip(batch, replies, strict=True))
                if self._queue:
                    continue
            if answered:
                # Nobody else waits to be stored: what these runs do next is what matters.
                self._answer_all(answered)
                answered = []
                await asyncio.sleep(0)
            elif not await self._wait_for_work():
                return

    async def _send_while_answering(self, batch: list[Sealed], answered: list[Answered]) -> list[Appended]:
        """Send a batch and, while the server works on it, handle the answers of the one before."""
        appends = [append for _, append, _ in batch]
        if not answered:
            return await self._send(appends)
        async with asyncio.TaskGroup() as group:
            sending = group.create_task(self._send(appends))
            await asyncio.sleep(0)  # the batch leaves first
            self._answer_all(answered)
        return sending.result()

    async def _wait_for_work(self) -> bool:
        """Wait until something is queued; false when the committer is closed."""
        self._idle.set()
        if self._is_closing:
            return False
        self._work.clear()
        await self._work.wait()
        return True

    def _answer_all(self, answered: list[Answered]) -> None:
        for sealed, reply in answered:
            self._answer(sealed, reply)

    def _take_batch(self) -> list[Sealed]:
        batch: list[Sealed] = []
        rows = size = 0
        while (
            self._queue and len(batch) < RUNS_PER_BATCH_MAX and rows < ROWS_PER_BATCH_MAX and size < BYTES_PER_BATCH_MAX
        ):
            actor = self._queue.popleft()
            actor.is_queued = False
            append, dispatchable = actor.seal(may_release=True)
            batch.append((actor, append, dispatchable))
            rows += 2 + len(append.steps) + len(append.receipts) + len(append.outbox)
            size += len(append.payload) + sum(len(row.body) for row in append.outbox)
        return batch

    async def _send(self, batch: list[Append]) -> list[Appended]:
        """Send until every run has a final answer; ``busy`` ones go again."""
        started = self._clock.monotonic()
        replies = await self._send_once(batch)
        for _ in range(BUSY_RESENDS_MAX):
            busy = [index for index, reply in enumerate(replies) if reply.outcome is AppendOutcome.BUSY]
            if not busy:
                break
            again = await self._send_once([batch[index] for index in busy])
            for index, reply in zip(busy, again, strict=True):
                replies[index] = reply
        self._metrics.appended(len(batch), self._clock.monotonic() - started)
        return replies

    async def _send_once(self, batch: list[Append]) -> list[Appended]:
        while True:  # bound: an outage ends, or shutdown cancels this task
            try:
                replies, now = await self._journal.append(batch)
            except RemitError as error:
                # Whatever it is: a committer that ended would leave a worker that owns runs and stores nothing.
                _log.warning("append_failed", runs=len(batch), code=error.code, error=error.message)
                self._metrics.append_retried()
                await asyncio.sleep(RESEND_DELAY_SECONDS)
                continue
            self._clock.observe(now)
            return list(replies)

    def _answer(self, sealed: Sealed, reply: Appended) -> None:
        actor, append, dispatchable = sealed
        if reply.outcome not in (AppendOutcome.APPLIED, AppendOutcome.ALREADY):
            self._on_lost(actor, append, reply)
            return
        calls = actor.on_appended(append, reply, dispatchable)
        self._on_durable(actor, append, reply, calls)
        if actor.has_pending:
            self.enqueue(actor)
