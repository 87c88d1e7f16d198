"""Replay: verify a run's journal, fold it again, and compare with what was recorded.

Owns: the report, and which place it names first.
Does not know: where the journal was read from. Pure: nothing is executed, decided or asked again; a new kernel, policy
or expression language cannot change what a journal folds to.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from remit.core.chain import ChainEntry, EntryHeader, genesis_hash, verify_chain
from remit.core.evolve import apply_fact
from remit.core.facts import Fact, RunStarted, StepCompleted, decode_facts
from remit.core.program import Program
from remit.core.state import RunState, state_hash
from remit.errors import CanonicalizationError, RemitError
from remit.ports.store import JournalEntry, LoadedRun, ReceiptRow
from remit.runtime.actor import kinds_of
from remit.runtime.rows import microseconds_of

VERIFIED: Final = "verified"
ERASED: Final = "verified, payload erased"
REFUTED: Final = "does not agree"


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where something does not agree.

    ``sequence`` is that of the journal's entry, 0 for what belongs to the run as a whole. ``part`` is ``payload``,
    ``hash`` or ``sequence`` (as ``core.chain`` names them), ``head``, ``facts``, ``kinds``, ``instant``, ``epoch``,
    ``definition``, ``run``, ``state_hash`` or ``receipt``.
    """

    sequence: int
    part: str


class ReplayReport(msgspec.Struct, frozen=True, kw_only=True):
    """What a replay found. ``findings`` is empty when everything agrees; ``place`` is where the first one is.

    ``entries`` and ``facts`` count what was read, ``receipts`` what the facts say there must be, ``erased`` the entries
    whose payload is gone: then only the chain can be verified. ``state_hash`` is null unless the run ended.
    """

    run_id: str
    entries: int
    facts: int
    receipts: int
    state_hash: str | None
    recorded_state_hash: str | None
    erased: int
    findings: tuple[str, ...]
    place: Place | None = None

    @property
    def is_verified(self) -> bool:
        """Whether journal, state hash and receipts agree."""
        return not self.findings

    @property
    def verdict(self) -> str:
        """The result in words: ``verified``, ``verified, payload erased`` or ``does not agree``."""
        if self.findings:
            return REFUTED
        return ERASED if self.erased else VERIFIED


def replay_run(
    run: LoadedRun, program: Program, *, recorded_state_hash: str | None, recorded_receipts: Sequence[ReceiptRow]
) -> ReplayReport:
    """Verify and fold a run's journal, and compare state hash and receipts with what is stored beside it.

    Args:
        run: The run with its whole journal, as it is stored.
        program: What the stored definition bytes load to.
        recorded_state_hash: What the run's row says; ``None`` if it has not ended.
        recorded_receipts: Every receipt row of the run, in any order.
    """
    replay = _Replay(run, program)
    if replay.verify() and not replay.erased:
        replay.fold()
        replay.compare_state(recorded_state_hash)
        replay.compare_receipts(recorded_receipts)
    return ReplayReport(
        run_id=run.run_id,
        entries=len(run.entries),
        facts=replay.facts,
        receipts=len(replay.receipts),
        state_hash=replay.state_hash,
        recorded_state_hash=recorded_state_hash,
        erased=replay.erased,
        findings=tuple(replay.findings),
        place=replay.place,
    )


def fold_run(run: LoadedRun, program: Program) -> RunState:
    """Return what a run's journal folds to; what was erased is left out.

    Raises:
        JournalCorruptError, InvariantViolated: a fact cannot be read, or cannot have happened.
    """
    state = RunState(program, tenant_id=run.tenant_id, run_id=run.run_id)
    for entry in run.entries:
        for fact in decode_facts(entry.payload or b"[]"):
            apply_fact(state, fact)
    return state


class _Replay:
    """One replay in the making. Findings come in the order of the checks, so the first is the one to look at."""

    def __init__(self, run: LoadedRun, program: Program) -> None:
        self.run = run
        self.program = program
        self.state = RunState(program, tenant_id=run.tenant_id, run_id=run.run_id)
        self.state_hash: str | None = None
        self.facts = 0
        self.erased = 0
        self.receipts: dict[str, tuple[int, ReceiptRow]] = {}
        self.findings: list[str] = []
        self.place: Place | None = None

    def find(self, sequence: int, part: str, message: str) -> None:
        """Note that something does not agree."""
        if self.place is None:
            self.place = Place(sequence=sequence, part=part)
        self.findings.append(f"entry {sequence}: {message}" if sequence else message)

    # --- the chain ----------------------------------------------------------------------------------------------------

    def verify(self) -> bool:
        """Verify the chain from its genesis to the stored head; true if it may be folded."""
        run = self.run
        if self.program.digest != run.definition_digest:
            self.find(0, "definition", f"expected definition {run.definition_digest}, got {self.program.digest}")
        genesis = genesis_hash(run.tenant_id, run.run_id, run.definition_digest)
        report = verify_chain((_chain_entry(run, entry) for entry in run.entries), genesis=genesis)
        self.erased = report.erased_count
        if report.verdict is not None:
            self.find(report.bad_sequence or 0, report.verdict.part.value, report.verdict.reason)
            return False
        if report.verified_count != run.sequence:
            missing = min(report.verified_count, run.sequence) + 1
            self.find(missing, "head", f"the journal has {report.verified_count} entries, its head says {run.sequence}")
        elif run.sequence and report.head != run.hash:
            self.find(run.sequence, "head", "the stored head is not the hash of the last entry")
        self.verify_order()
        return not self.findings

    def verify_order(self) -> None:
        """Check what the chain takes as it comes: instants and epochs never go back."""
        at, epoch = None, 0
        for entry in self.run.entries:
            if at is not None and entry.at < at:
                self.find(entry.sequence, "instant", f"{entry.at} is before the entry before it")
            if entry.epoch < epoch:
                self.find(entry.sequence, "epoch", f"epoch {entry.epoch} follows epoch {epoch}")
            at, epoch = entry.at, entry.epoch

    # --- the facts ----------------------------------------------------------------------------------------------------

    def fold(self) -> None:
        """Fold every fact, up to the first that cannot have happened."""
        for entry in self.run.entries:
            try:
                facts = decode_facts(entry.payload or b"")
                self.check_entry(entry, facts)
                for fact in facts:
                    apply_fact(self.state, fact)
                    self.facts += 1
                    self.note(entry, fact)
            except RemitError as error:
                self.find(entry.sequence, "facts", error.message)
                return

    def check_entry(self, entry: JournalEntry, facts: list[Fact]) -> None:
        """Check what an entry's columns say of its payload."""
        if (entry.fact_count, entry.kinds) != (len(facts), kinds_of(facts)):
            self.find(entry.sequence, "kinds", f"its columns name {entry.kinds}, its payload holds {kinds_of(facts)}")

    def note(self, entry: JournalEntry, fact: Fact) -> None:
        """Collect receipts, and compare the first fact with the run's row."""
        if isinstance(fact, StepCompleted) and fact.receipt is not None:
            receipt = msgspec.structs.asdict(fact.receipt)
            row = ReceiptRow(step=fact.step, slot=1, attempt=fact.attempt, **receipt)
            if row.receipt_id in self.receipts:
                self.find(entry.sequence, "receipt", f"receipt {row.receipt_id} is recorded a second time")
            self.receipts[row.receipt_id] = (entry.sequence, row)
        elif isinstance(fact, RunStarted):
            for name in _differences(self.run, fact):
                self.find(entry.sequence, "run", f"the run's row has another {name} than its journal")

    # --- what was recorded beside it ----------------------------------------------------------------------------------

    def compare_state(self, recorded: str | None) -> None:
        """Compare the folded state's hash with the recorded one; a run that has not ended has none."""
        last = len(self.run.entries)
        if self.findings:
            return
        if not self.state.is_terminal:
            if recorded is not None:
                self.find(last, "state_hash", f"a state hash is recorded, but the run is {self.state.status.value}")
            return
        try:
            self.state_hash = state_hash(self.state)
        except CanonicalizationError as error:
            self.find(last, "state_hash", f"the folded state has no hash: {error.message}")
            return
        if self.state_hash != recorded:
            self.find(last, "state_hash", "the state hash differs from the recorded one")

    def compare_receipts(self, recorded: Sequence[ReceiptRow]) -> None:
        """Compare what the facts say was proven with the stored receipts, field by field."""
        stored = {row.receipt_id: row for row in recorded}
        for sequence, row in self.receipts.values():
            found = stored.pop(row.receipt_id, None)
            if found is None:
                self.find(sequence, "receipt", f"receipt {row.receipt_id} of step {row.step} is not stored")
                continue
            for name in row.__struct_fields__:
                if getattr(row, name) != getattr(found, name):
                    self.find(sequence, "receipt", f"receipt {row.receipt_id} is stored with another {name}")
        for receipt_id in stored:
            self.find(0, "receipt", f"receipt {receipt_id} is stored, but no fact speaks of it")
        if len({row.receipt_id for row in recorded}) != len(recorded):
            self.find(0, "receipt", "a receipt is stored twice")


def _chain_entry(run: LoadedRun, entry: JournalEntry) -> ChainEntry:
    return ChainEntry(
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


def _differences(run: LoadedRun, fact: RunStarted) -> Iterator[str]:
    """Yield what the run's row says otherwise than its first fact."""
    if run.definition_digest != fact.definition_digest:
        yield "definition"
    if run.policy_digest != fact.policy_digest:
        yield "policy"
    if run.principal_id != fact.principal_id:
        yield "principal"
    if run.trigger != fact.trigger:
        yield "trigger"
    try:
        is_same = msgspec.json.decode(run.input) == fact.input
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        is_same = False
    if not is_same:
        yield "input"
