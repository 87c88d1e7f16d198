"""Submitting runs: check the input, create them many at a time, and hand them to this process's worker.

Owns: the group of submissions under way, and the first event of a run. Does not know: where submissions come from.
"""

from __future__ import annotations

import asyncio
from typing import Final

import msgspec

from remit.clock import Clock
from remit.core.canonical import canonical_bytes
from remit.core.decide import DEFAULT_POLICY
from remit.core.program import Program
from remit.core.strict_json import parse
from remit.errors import RemitError, StoreUnavailableError
from remit.governance.policy import BusinessConfig
from remit.ports.store import Journal, Submission, Submitted
from remit.runtime.actor import RunActor
from remit.runtime.first_event import submission_event
from remit.runtime.worker import Worker

INPUT_BYTES_MAX: Final = 1_000_000
BATCH_MAX: Final = 64


class PreparedSubmission(msgspec.Struct, frozen=True, kw_only=True):
    """A submission with what its first entry needs."""

    submission: Submission
    program: Program
    config: BusinessConfig | None


class Submitter:
    """Creates runs through one connection, many per commit."""

    def __init__(self, journal: Journal, clock: Clock, worker: Worker | None) -> None:
        self._journal = journal
        self._clock = clock
        self._worker = worker
        self._waiting: list[tuple[PreparedSubmission, asyncio.Future[Submitted]]] = []
        self._sending: asyncio.Task[None] | None = None

    async def submit(self, prepared: PreparedSubmission) -> Submitted:
        """Create a run, or find the one that its submission key created before.

        Raises:
            StoreUnavailableError: nobody knows whether it was created; with a submission key, ask again.
        """
        if self._worker is not None and self._worker.can_adopt():
            submission = msgspec.structs.replace(prepared.submission, worker_id=self._worker.worker_id)
            prepared = msgspec.structs.replace(prepared, submission=submission)
        answer: asyncio.Future[Submitted] = asyncio.get_running_loop().create_future()
        self._waiting.append((prepared, answer))
        if self._sending is None or self._sending.done():
            self._sending = asyncio.create_task(self._send())
        return await answer

    async def _send(self) -> None:
        await asyncio.sleep(0)  # let what is submitted in the same turn share the commit
        while self._waiting:
            batch, self._waiting = self._waiting[:BATCH_MAX], self._waiting[BATCH_MAX:]
            try:
                replies, now = await self._journal.submit([prepared.submission for prepared, _ in batch])
            except RemitError as error:
                self._fail(batch, error)
                continue
            except asyncio.CancelledError:
                self._fail(batch, StoreUnavailableError("the kernel is stopping"))
                raise
            self._clock.observe(now)
            for (prepared, answer), reply in zip(batch, replies, strict=True):
                self._adopt(prepared, reply)
                if not answer.done():
                    answer.set_result(reply)

    @staticmethod
    def _fail(batch: list[tuple[PreparedSubmission, asyncio.Future[Submitted]]], error: RemitError) -> None:
        for _, answer in batch:
            if not answer.done():
                answer.set_exception(error)

    def _adopt(self, prepared: PreparedSubmission, reply: Submitted) -> None:
        worker = self._worker
        if worker is None or not reply.created or prepared.submission.worker_id is None:
            return
        actor = RunActor.submitted(prepared.program, prepared.submission, reply, core_policy=DEFAULT_POLICY)
        worker.adopt(actor, submission_event(prepared.program, prepared.submission, prepared.config))


def encode_input(value: object) -> bytes:
    """Return a run's input as canonical bytes.

    Raises:
        CanonicalizationError: the value is not JSON data, or too large.
    """
    data = canonical_bytes(value)  # type: ignore[arg-type]  # refuses what is not JSON
    parse(data, bytes_max=INPUT_BYTES_MAX)
    return data
