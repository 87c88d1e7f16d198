"""Replay: verify a run's journal, fold it again, and compare with what was recorded.

Owns: the report. Pure: nothing is executed, and nothing but the journal and the recorded hash is asked.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from remit.core.chain import ChainEntry, EntryHeader, genesis_hash, verify_chain
from remit.core.evolve import apply_fact
from remit.core.facts import StepCompleted, decode_facts
from remit.core.program import Program
from remit.core.state import RunState, state_hash
from remit.ports.store import LoadedRun, ReceiptRow
from remit.runtime.rows import microseconds_of


class ReplayReport(msgspec.Struct, frozen=True, kw_only=True):
    """What a replay found. ``findings`` is empty when everything agrees."""

    run_id: str
    entries: int
    facts: int
    receipts: int
    state_hash: str | None
    recorded_state_hash: str | None
    erased: int
    findings: tuple[str, ...]

    @property
    def is_verified(self) -> bool:
        """Whether journal, state hash and receipts agree."""
        return not self.findings


def replay_run(
    run: LoadedRun, program: Program, *, recorded_state_hash: str | None, recorded_receipts: Sequence[ReceiptRow]
) -> ReplayReport:
    """Verify and fold a run's journal."""
    entries = [
        ChainEntry(
            header=EntryHeader(
                format_version=entry.format_version,
                tenant_id=run.tenant_id,
                run_id=run.run_id,
                sequence=entry.sequence,
                epoch=entry.epoch,
                at_us=microseconds_of(entry.at),
                fact_count=entry.fact_count,
                kinds=entry.kinds,
            ),
            commitment=entry.commitment,
            hash=entry.hash,
            salt=run.salt or None,
            payload=entry.payload,
        )
        for entry in run.entries
    ]
    report = verify_chain(entries, genesis=genesis_hash(run.tenant_id, run.run_id, run.definition_digest))
    findings = [] if report.is_intact else [f"entry {report.bad_sequence}: {report.verdict}"]
    state = RunState(program, tenant_id=run.tenant_id, run_id=run.run_id)
    receipts = facts = 0
    if report.is_intact and not report.erased_count:
        for entry in run.entries:
            for fact in decode_facts(entry.payload or b"[]"):
                apply_fact(state, fact)
                facts += 1
                receipts += isinstance(fact, StepCompleted) and fact.receipt is not None
        if recorded_state_hash is not None and state_hash(state) != recorded_state_hash:
            findings.append("the state hash differs from the recorded one")
        if receipts != len(recorded_receipts):
            findings.append(f"expected {receipts} receipts, found {len(recorded_receipts)}")
    return ReplayReport(
        run_id=run.run_id,
        entries=len(entries),
        facts=facts,
        receipts=receipts,
        state_hash=state_hash(state) if state.is_terminal else None,
        recorded_state_hash=recorded_state_hash,
        erased=report.erased_count,
        findings=tuple(findings),
    )
