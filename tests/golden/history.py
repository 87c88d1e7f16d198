"""Golden histories: complete journals of real runs, as files, and what they must fold to for ever.

Owns: the format of the files, reading them, and replaying one with today's code from the file alone.
Does not know: how they were recorded.

A file is JSON lines, compressed. Files are added, never changed: what an old kernel wrote stays what it wrote.
"""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from remit.core.evolve import apply_fact
from remit.core.facts import decode_facts
from remit.core.outstanding import describe_wait, outstanding
from remit.core.program import Program, load_program
from remit.core.state import RunState, state_hash
from remit.errors import RemitError
from remit.ids import Digest, Epoch, PrincipalId, RunId, TenantId
from remit.ports.store import JournalEntry, LoadedRun, ReceiptRow
from remit.runtime.replay import ReplayReport, replay_run

FOLDER = Path(__file__).parent / "v1"
"""Of the first version of the journal's format."""


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One entry as it was stored, and the digest of state and outstanding commands after it."""

    stored: JournalEntry
    folded: str


class History(msgspec.Struct, frozen=True, kw_only=True):
    """One run: everything that was stored of it.

    ``source`` says what kind of run it was; ``rows`` holds the rows that an unfinished run needs to go on, by table.
    """

    source: str
    tenant_id: str
    run_id: str
    epoch: int
    head: bytes
    definition: bytes
    policy: bytes
    principal_id: str
    policy_digest: str
    input: bytes
    trigger: str | None
    salt: bytes
    created_at: str
    status: str
    waiting_for: str | None
    output: bytes | None
    state_hash: str | None
    entries: tuple[Entry, ...]
    receipts: tuple[ReceiptRow, ...]
    rows: dict[str, list[dict[str, Any]]] = {}

    @property
    def is_finished(self) -> bool:
        """Whether the run had ended when it was recorded."""
        return self.state_hash is not None

    def program(self) -> Program:
        """Return the program that the stored definition loads to today."""
        return _program_of(self.definition)

    def loaded(self, program: Program) -> LoadedRun:
        """Return the run as a store would."""
        return LoadedRun(
            tenant_id=TenantId(self.tenant_id),
            run_id=RunId(self.run_id),
            epoch=Epoch(self.epoch),
            sequence=len(self.entries),
            hash=self.head,
            wake_sequence=0,
            definition_digest=program.digest,
            principal_id=PrincipalId(self.principal_id),
            policy_digest=Digest(self.policy_digest),
            input=self.input,
            trigger=self.trigger,
            salt=self.salt,
            created_at=self.entries[0].stored.at,
            entries=tuple(entry.stored for entry in self.entries),
            inbox=(),
        )

    def replay(self) -> ReplayReport:
        """Verify the chain, fold, and compare state hash and receipts, as ``remit runs replay`` does."""
        program = self.program()
        return replay_run(
            self.loaded(program), program, recorded_state_hash=self.state_hash, recorded_receipts=self.receipts
        )


@cache
def _program_of(definition: bytes) -> Program:
    return load_program(definition)


def files() -> list[Path]:
    """Return every recorded file, the oldest first."""
    return sorted(FOLDER.glob("*.jsonl.gz"))


@cache
def histories(every: int = 1) -> tuple[History, ...]:
    """Return every recorded history, or every n-th."""
    return tuple(history for path in files() for history in read(path))[::every]


def read(path: Path) -> Iterator[History]:
    """Read one file's histories."""
    with gzip.open(path, "rb") as lines:
        for line in lines:
            yield msgspec.json.decode(line, type=History)


def folds(program: Program, run: LoadedRun) -> list[str]:
    """Return the digest of state, outstanding commands and words after each entry of a journal."""
    state = RunState(program, tenant_id=run.tenant_id, run_id=run.run_id)
    digests = []
    for entry in run.entries:
        for fact in decode_facts(entry.payload or b""):
            apply_fact(state, fact)
        sha = hashlib.sha256(state_hash(state).encode())
        for command in outstanding(state):
            sha.update(msgspec.json.encode([type(command).__name__, command]))
        sha.update((describe_wait(state) or "").encode())
        digests.append(sha.hexdigest()[:24])
    return digests


def differences(history: History) -> list[str]:
    """Return everything that today's code makes of a history otherwise than it was."""
    report = history.replay()
    program = history.program()
    try:
        now = folds(program, history.loaded(program))
    except RemitError as error:
        return [f"{history.source} {history.run_id}: facts differ: {error.message}"]
    found = [f"{history.source} {history.run_id}: {finding}" for finding in report.findings]
    found += [
        f"{history.source} {history.run_id}, entry {number}: state or outstanding commands differ"
        for number, (entry, folded) in enumerate(zip(history.entries, now, strict=True), 1)
        if entry.folded != folded
    ]
    return found


def digest_of(every: int = 1) -> str:
    """Return one digest over everything that histories fold to, to compare between processes."""
    sha = hashlib.sha256()
    for history in histories(every):
        program = history.program()
        sha.update("".join(folds(program, history.loaded(program))).encode())
        sha.update(msgspec.json.encode(history.replay()))
    return sha.hexdigest()
