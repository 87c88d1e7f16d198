"""Journals as they are stored, made from runs driven by hand.

Owns: the columns, chain, rows and hashes of a rehearsed run, as a worker and the store would leave them.
Does not know: a store.
"""

from __future__ import annotations

import hashlib

import msgspec

from remit.core.chain import EntryHeader, commitment, entry_hash, genesis_hash
from remit.core.evolve import apply_fact
from remit.core.facts import FORMAT_VERSION, Fact, RunStarted, encode_facts
from remit.core.state import RunState, state_hash
from remit.ids import Digest, Epoch, PrincipalId
from remit.ports.store import JournalEntry, LoadedRun, ReceiptRow, StepRow
from remit.runtime.actor import kinds_of
from remit.runtime.rows import instant_of, rows_of
from remit.testing.rehearsal import START_US, Rehearsal

SALT = hashlib.sha256(b"salt of rehearsals").digest()


class Stored(msgspec.Struct, frozen=True, kw_only=True):
    """What a store holds of one run: its journal, and the rows that follow from it."""

    run: LoadedRun
    steps: tuple[StepRow, ...]
    receipts: tuple[ReceiptRow, ...]
    state_hash: str | None


def stored(rehearsal: Rehearsal, *, epoch: int = 1) -> Stored:
    """Return a rehearsed run as it would be stored, one entry for each event that had facts."""
    live = rehearsal.state
    state = RunState(rehearsal.program, tenant_id=live.tenant_id, run_id=live.run_id)
    chain_hash = genesis_hash(live.tenant_id, live.run_id, rehearsal.program.digest)
    entries: list[JournalEntry] = []
    steps: list[StepRow] = []
    receipts: list[ReceiptRow] = []
    for facts, at_us in zip(rehearsal.entries, rehearsal.instants, strict=True):
        entry = _entry(rehearsal, facts, previous=chain_hash, place=(len(entries) + 1, epoch, at_us))
        for fact in facts:
            apply_fact(state, fact)
        rows = rows_of(state, facts, at=entry.at)
        steps += rows.steps
        receipts += rows.receipts
        entries.append(entry)
        chain_hash = entry.hash
    return Stored(
        run=_run(rehearsal, tuple(entries), head=chain_hash, epoch=epoch),
        steps=tuple(steps),
        receipts=tuple(receipts),
        state_hash=state_hash(state) if state.is_terminal else None,
    )


def _entry(rehearsal: Rehearsal, facts: list[Fact], *, previous: bytes, place: tuple[int, int, int]) -> JournalEntry:
    sequence, epoch, at_us = place
    payload = encode_facts(facts)
    header = EntryHeader(
        format_version=FORMAT_VERSION,
        tenant_id=rehearsal.state.tenant_id,
        run_id=rehearsal.state.run_id,
        sequence=sequence,
        epoch=epoch,
        at_us=at_us,
        fact_count=len(facts),
        kinds=kinds_of(facts),
    )
    commits = commitment(SALT, payload)
    return JournalEntry(
        sequence=sequence,
        epoch=epoch,
        at=instant_of(at_us),
        hash=entry_hash(previous, header, commits),
        commitment=commits,
        fact_count=len(facts),
        kinds=header.kinds,
        payload=payload,
    )


def _run(rehearsal: Rehearsal, entries: tuple[JournalEntry, ...], *, head: bytes, epoch: int) -> LoadedRun:
    first = next((fact for fact in rehearsal.facts if isinstance(fact, RunStarted)), None)
    return LoadedRun(
        tenant_id=rehearsal.state.tenant_id,
        run_id=rehearsal.state.run_id,
        epoch=Epoch(epoch),
        sequence=len(entries),
        hash=head,
        wake_sequence=0,
        definition_digest=rehearsal.program.digest,
        principal_id=PrincipalId("" if first is None else first.principal_id),
        policy_digest=Digest("" if first is None else first.policy_digest),
        input=msgspec.json.encode(None if first is None else first.input),
        trigger=None if first is None else first.trigger,
        salt=SALT,
        created_at=instant_of(START_US),
        entries=entries,
        inbox=(),
    )
