"""Submitting runs: check the input, create them many at a time, and hand them to this process's worker.

Owns: the group of submissions under way, and the first event of a run. Does not know: where submissions come from.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Final

import msgspec

from remit.clock import Clock
from remit.core.canonical import canonical_bytes
from remit.core.program import Program
from remit.core.state import CommandKey
from remit.core.strict_json import parse
from remit.errors import RemitError, StoreUnavailableError
from remit.governance.policy import BusinessConfig
from remit.ports.store import Append, Disposition, Journal, MintedRun, Submission, Submitted
from remit.runtime.actor import RunActor
from remit.runtime.first_event import submission_event
from remit.runtime.worker import Worker

INPUT_BYTES_MAX: Final = 1_000_000
BATCH_MAX: Final = 64
MINT_COUNT: Final = 256
MINTED_SECONDS_MAX: Final = 60.0
FIRST_PAYLOAD_BYTES_MAX: Final = 200_000
"""A larger first entry goes through the append, which stores large payloads on another connection."""


class PreparedSubmission(msgspec.Struct, frozen=True, kw_only=True):
    """A submission with what its first entry needs."""

    submission: Submission
    program: Program
    config: BusinessConfig | None


class _Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """A submission on its way, with the actor that takes it up if it is created here."""

    prepared: PreparedSubmission
    submission: Submission
    actor: RunActor | None
    dispatchable: list[CommandKey]
    answer: asyncio.Future[Submitted]


class Submitter:
    """Creates runs through one connection, many per commit.

    A run that this process's worker takes up is stored together with its first entry: one commit before its first step.
    """

    def __init__(self, journal: Journal, clock: Clock, worker: Worker | None) -> None:
        self._journal = journal
        self._clock = clock
        self._worker = worker
        self._minted: deque[MintedRun] = deque()
        self._minted_at = 0.0
        self._waiting: list[_Waiting] = []
        self._sending: asyncio.Task[None] | None = None

    async def submit(self, prepared: PreparedSubmission) -> Submitted:
        """Create a run, or find the one that its submission key created before.

        Raises:
            StoreUnavailableError: nobody knows whether it was created; with a submission key, ask again.
        """
        waiting = await self._begin(prepared)
        self._waiting.append(waiting)
        if self._sending is None or self._sending.done():
            self._sending = asyncio.create_task(self._send())
        return await waiting.answer

    async def _begin(self, prepared: PreparedSubmission) -> _Waiting:
        answer: asyncio.Future[Submitted] = asyncio.get_running_loop().create_future()
        worker = self._worker
        if worker is None or not worker.can_adopt(prepared.program):
            submission = prepared.submission
            return _Waiting(prepared=prepared, submission=submission, actor=None, dispatchable=[], answer=answer)
        minted = await self._mint()
        submission = msgspec.structs.replace(prepared.submission, worker_id=worker.worker_id, minted=minted)
        actor = RunActor.submitted(prepared.program, submission, minted)
        actor.handle(submission_event(prepared.program, prepared.submission, prepared.config), now=self._clock.now())
        first, dispatchable = actor.seal(may_release=False)
        if not is_plain(first) or not actor.state.acting_count:
            # It waits at once, or its rows need the append's phases: the run is created first, its entry made again.
            return _Waiting(prepared=prepared, submission=submission, actor=None, dispatchable=[], answer=answer)
        submission = msgspec.structs.replace(submission, first=first)
        return _Waiting(prepared=prepared, submission=submission, actor=actor, dispatchable=dispatchable, answer=answer)

    async def _mint(self) -> MintedRun:
        """Return an unused id of the database; a young one, so that ids stay in order of time."""
        if not self._minted or self._clock.monotonic() - self._minted_at > MINTED_SECONDS_MAX:
            fresh = await self._journal.mint(MINT_COUNT)
            self._minted = deque(fresh)
            self._minted_at = self._clock.monotonic()
        return self._minted.popleft()

    async def _send(self) -> None:
        await asyncio.sleep(0)  # let what is submitted in the same turn share the commit
        while self._waiting:
            batch, self._waiting = self._waiting[:BATCH_MAX], self._waiting[BATCH_MAX:]
            try:
                replies, now = await self._journal.submit([waiting.submission for waiting in batch])
            except RemitError as error:
                _fail(batch, error)
                continue
            except asyncio.CancelledError:
                _fail(batch, StoreUnavailableError("the kernel is stopping"))
                raise
            self._clock.observe(now)
            for waiting, reply in zip(batch, replies, strict=True):
                self._adopt(waiting, reply)
                if not waiting.answer.done():
                    waiting.answer.set_result(reply)

    def _adopt(self, waiting: _Waiting, reply: Submitted) -> None:
        worker, submission, prepared = self._worker, waiting.submission, waiting.prepared
        if worker is None or not reply.created or submission.worker_id is None:
            return
        if waiting.actor is not None and submission.first is not None:
            worker.adopt_begun(waiting.actor, submission.first, waiting.dispatchable)
        else:
            minted = MintedRun(run_id=reply.run_id, salt=reply.salt)
            actor = RunActor.submitted(prepared.program, submission, minted)
            worker.adopt(actor, submission_event(prepared.program, submission, prepared.config))


def is_plain(entry: Append) -> bool:
    """Whether an entry has no rows beside its payload, and keeps the claim: then it can be stored with its run."""
    has_rows = any((entry.steps, entry.receipts, entry.approvals, entry.withdrawn, entry.keys, entry.correlations))
    is_small = len(entry.payload) <= FIRST_PAYLOAD_BYTES_MAX
    return is_small and not has_rows and entry.disposition is Disposition.KEEP


def _fail(batch: list[_Waiting], error: RemitError) -> None:
    for waiting in batch:
        if not waiting.answer.done():
            waiting.answer.set_exception(error)


def encode_input(value: object) -> bytes:
    """Return a run's input as canonical bytes.

    Raises:
        CanonicalizationError: the value is not JSON data, or too large.
    """
    data = canonical_bytes(value)  # type: ignore[arg-type]  # refuses what is not JSON
    parse(data, bytes_max=INPUT_BYTES_MAX)
    return data
