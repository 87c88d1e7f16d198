"""Writing and reading journals: the hot path.

Owns: the lines of appends and of submissions, quarantine, and large payloads.
Does not know: what facts mean.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import datetime
from typing import Final

import asyncpg

from remit.core.chain import genesis_hash
from remit.errors import InputInvalidError, NotFoundError
from remit.ids import Digest, Epoch, InboxId, PrincipalId, RunId, TenantId
from remit.ports.store import (
    Append,
    Appended,
    AppendOutcome,
    Claimed,
    InboxMessage,
    JournalEntry,
    LoadedRun,
    MintedRun,
    Submission,
    Submitted,
)
from remit.store.database import Database
from remit.store.faults import NO_PARTITION
from remit.store.rows import PAYLOAD_INLINE_BYTES_MAX, encode_batches, encode_entry
from remit.store.statements import load_statements

STATEMENTS: Final = load_statements("journal")


class PostgresJournal:
    """The journal port on PostgreSQL: one connection for appends, one for submissions, the pool for reading.

    Concurrency: appends queue up on their connection; the committer sends one batch at a time anyway.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._appends = database.line()
        self._submissions = database.line()

    async def submit(self, submissions: Sequence[Submission]) -> tuple[list[Submitted], datetime]:
        """Create runs in one round trip and one commit; answers in order.

        Raises:
            NotFoundError: a definition or principal is not stored for its tenant; nothing was created.
            StoreReadOnlyError: there is no room for them; nothing was created.
        """
        assert submissions, "expected at least one submission"
        self._database.room.require()
        order = sorted(range(len(submissions)), key=lambda index: submissions[index].tenant_id)
        groups = itertools.groupby(order, key=lambda index: submissions[index].tenant_id)
        batches = [(tenant, [_encode_submission(submissions[index]) for index in group]) for tenant, group in groups]
        rows = await self._submissions.fetch(STATEMENTS, "submit", batches)
        answers: dict[int, Submitted] = {}
        for index, row in zip(order, rows, strict=True):
            answers[index] = Submitted(
                run_id=RunId(str(row["run_id"])),
                created=row["created"],
                epoch=Epoch(row["epoch"]),
                salt=row["salt"],
                created_at=row["created_at"],
            )
        return [answers[index] for index in range(len(submissions))], rows[-1]["answered_at"]

    async def mint(self, count: int) -> list[MintedRun]:
        """Return ids and salts of runs to come; those that are not used are forgotten."""
        async with self._database.session() as session:
            rows = await session.fetch(STATEMENTS, "mint", count)
        return [MintedRun(run_id=RunId(str(row["run_id"])), salt=row["salt"]) for row in rows]

    async def append(self, batch: Sequence[Append]) -> tuple[list[Appended], datetime]:
        """Append at most one entry per run in one round trip and one commit; answers in order.

        A run whose rows the database refuses is found by halving the batch; it is quarantined and answered ``invalid``,
        the others are appended.
        """
        assert batch, "expected at least one append"
        for append in batch:
            if len(append.payload) > PAYLOAD_INLINE_BYTES_MAX:
                await self._store_payload(append)
        return await self._append(batch)

    async def load(self, claims: Sequence[Claimed]) -> tuple[list[LoadedRun], datetime]:
        """Return the runs that are still claimed at these epochs, with journal and inbox, in one round trip."""
        refs = sorted((claim.tenant_id, claim.run_id, claim.epoch) for claim in claims)
        async with self._database.session() as session:
            rows = await session.fetch(STATEMENTS, "load", refs)
        return [decode_run(row) for row in rows[:-1]], rows[-1]["answered_at"]

    async def load_inbox(self, tenant_id: TenantId, run_id: RunId) -> tuple[list[InboxMessage], int]:
        """Return a run's unread messages, oldest first, and its wake sequence as of the same instant.

        Raises:
            NotFoundError: the tenant has no such run.
        """
        async with self._database.session() as session:
            row = await session.fetch_row(STATEMENTS, "load_inbox", tenant_id, run_id)
        if row is None or row["wake_sequence"] is None:
            raise NotFoundError(f"expected a run of tenant {tenant_id}, got {run_id}", run_id=run_id)
        return [_decode_message(message) for message in row["messages"]], row["wake_sequence"]

    async def release_quarantine(self, tenant_id: TenantId, run_id: RunId) -> bool:
        """Let a quarantined run be claimed again; false if it was not quarantined."""
        async with self._database.session() as session:
            row = await session.fetch_row(STATEMENTS, "release_quarantine", tenant_id, run_id)
        return bool(row is not None and row["released"])

    async def close(self) -> None:
        """Close the connections; what was not answered is unknown to the caller."""
        await self._appends.close()
        await self._submissions.close()

    async def _append(self, batch: Sequence[Append]) -> tuple[list[Appended], datetime]:
        try:
            return await self._append_once(batch)
        except InputInvalidError as error:
            if error.fields.get("sqlstate") == NO_PARTITION and "constraint" not in error.fields:
                # A run id beyond the last partition: the sweeper did not run, or the id came from elsewhere.
                await self._make_partitions(batch)
                return await self._append_once(batch)
            if len(batch) == 1:
                return [await self._quarantine(batch[0], error)], batch[0].at
        middle = len(batch) // 2
        first, _ = await self._append(batch[:middle])
        second, now = await self._append(batch[middle:])
        return first + second, now

    async def _append_once(self, batch: Sequence[Append]) -> tuple[list[Appended], datetime]:
        batches, order = encode_batches(batch)
        row = await self._appends.fetch_row(STATEMENTS, "append", batches)
        assert row is not None
        answers: list[Appended | None] = [None] * len(batch)
        for index, outcome, released, wake in zip(
            order, row["outcomes"], row["released"], row["wake_sequences"], strict=True
        ):
            answers[index] = Appended(outcome=_OUTCOMES[outcome], released=released, wake_sequence=wake)
        return [answer for answer in answers if answer is not None], row["answered_at"]

    async def _quarantine(self, append: Append, error: InputInvalidError) -> Appended:
        reason = str(error.fields.get("sqlstate", error.code))
        row = await self._appends.fetch_row(
            STATEMENTS, "quarantine", append.tenant_id, append.run_id, append.epoch, append.sequence, reason
        )
        if row is None or not row["quarantined"]:
            return Appended(outcome=AppendOutcome.FENCED, released=True)
        return Appended(outcome=AppendOutcome.INVALID, released=True, detail=error.message)

    async def _store_payload(self, append: Append) -> None:
        async with self._database.session() as session:
            await session.fetch(
                STATEMENTS,
                "store_payload",
                append.tenant_id,
                append.run_id,
                append.sequence,
                append.commitment,
                append.payload,
            )

    async def _make_partitions(self, batch: Sequence[Append]) -> None:
        last = max(append.run_id for append in batch)
        async with self._database.session() as session:
            await session.fetch(STATEMENTS, "make_partitions", last)


def decode_run(row: asyncpg.Record) -> LoadedRun:
    """Return a run from a row of ``load_v1``. A run without entries follows its genesis hash."""
    tenant_id, run_id = TenantId(row["tenant_id"]), RunId(str(row["run_id"]))
    definition_digest = Digest(row["definition_digest"])
    return LoadedRun(
        tenant_id=tenant_id,
        run_id=run_id,
        epoch=Epoch(row["epoch"]),
        sequence=row["sequence"],
        hash=row["hash"] or genesis_hash(tenant_id, run_id, definition_digest),
        wake_sequence=row["wake_sequence"],
        definition_digest=definition_digest,
        principal_id=PrincipalId(row["principal_id"]),
        policy_digest=Digest(row["policy_digest"]),
        input=row["input"],
        trigger=row["trigger"],
        salt=row["salt"],
        created_at=row["created_at"],
        entries=tuple(_decode_entry(entry) for entry in row["entries"]),
        inbox=tuple(_decode_message(message) for message in row["messages"]),
    )


_OUTCOMES: Final = {outcome.value: outcome for outcome in AppendOutcome}


def _encode_submission(submission: Submission) -> tuple[object, ...]:
    minted, first = submission.minted, submission.first
    if first is not None and (first.tenant_id, first.run_id) != (submission.tenant_id, minted and minted.run_id):
        raise InputInvalidError("expected a first entry of the run that is submitted, got another's")
    return (
        submission.definition_digest,
        submission.definition_name,
        submission.principal_id,
        submission.policy_digest,
        submission.input,
        submission.submission_key,
        submission.trigger,
        submission.worker_id,
        None if minted is None else minted.run_id,
        None if minted is None else minted.salt,
        None if first is None else encode_entry(first),
    )


def _decode_entry(entry: asyncpg.Record) -> JournalEntry:
    return JournalEntry(
        sequence=entry["sequence"],
        epoch=entry["epoch"],
        at=entry["at"],
        hash=entry["hash"],
        commitment=entry["commitment"],
        fact_count=entry["fact_count"],
        kinds=entry["kinds"],
        payload=entry["payload"],
        format_version=entry["format_version"],
    )


def _decode_message(message: asyncpg.Record) -> InboxMessage:
    return InboxMessage(
        inbox_id=InboxId(message["inbox_id"]),
        kind=message["kind"],
        message_id=message["message_id"],
        body=message["body"],
        created_at=message["created_at"],
    )
