"""One owned run in a worker's memory.

Owns: the run's state, its place in the journal, and the facts that are decided but not durable yet.
Does not know: SQL, tools. Commands start only when the facts they follow from are durable (``on_appended``).
"""

from __future__ import annotations

from datetime import datetime
from typing import Final, Self

import msgspec
import orjson

from remit.core.chain import EntryHeader, commitment, entry_hash, genesis_hash
from remit.core.commands import CallTool
from remit.core.decide import DEFAULT_POLICY, Policy, advance
from remit.core.events import Event
from remit.core.evolve import apply_fact
from remit.core.facts import FORMAT_VERSION, Fact, decode_facts, encode_facts
from remit.core.outstanding import describe_wait, next_due_us
from remit.core.program import Program
from remit.core.state import CommandKey, RunState, state_hash
from remit.core.states import RunStatus
from remit.errors import InvariantViolated
from remit.ids import Epoch, RunId, Sequence, TenantId
from remit.ports.store import (
    Append,
    Appended,
    AppendOutcome,
    Disposition,
    InboxMessage,
    LoadedRun,
    MintedRun,
    Submission,
)
from remit.runtime.messages import event_of
from remit.runtime.rows import instant_of, microseconds_of, rows_of

FIRST_EPOCH: Final = Epoch(1)
"""The epoch of a run that is claimed as it is created."""


class JournalPlace(msgspec.Struct, frozen=True, kw_only=True):
    """Where a run's journal stands: what the next entry must follow."""

    epoch: Epoch
    sequence: int
    hash: bytes
    salt: bytes
    wake_sequence: int


class RunActor:
    """The single owner of one run between claim and release.

    ``wake_sequence`` is the last one whose messages were read; ``alarm_at`` is the instant that its owner set a timer
    for.
    """

    __slots__ = (
        "_consumed", "_core_policy", "_dispatchable", "_pending",
        "_read_ids", "alarm_at", "epoch", "hash", "is_queued", "is_sealed",
        "run_id", "salt", "sequence", "state", "tenant_id", "wake_sequence",
    )  # fmt: skip

    def __init__(self, state: RunState, place: JournalPlace, *, core_policy: Policy) -> None:
        self.state = state
        self.tenant_id: TenantId = state.tenant_id
        self.run_id: RunId = state.run_id
        self.epoch = place.epoch
        self.sequence = place.sequence
        self.hash = place.hash
        self.salt = place.salt
        self.wake_sequence = place.wake_sequence
        self._consumed: list[int] = []
        self._read_ids: set[int] = set()
        self.is_queued = False
        self.is_sealed = False
        self.alarm_at: datetime | None = None
        self._core_policy = core_policy
        self._pending: list[Fact] = []
        self._dispatchable: list[CommandKey] = []

    @classmethod
    def submitted(
        cls, program: Program, submission: Submission, minted: MintedRun, *, core_policy: Policy = DEFAULT_POLICY
    ) -> Self:
        """Return the actor of a new run, with an empty journal, at its first claim."""
        state = RunState(program, tenant_id=submission.tenant_id, run_id=minted.run_id)
        place = JournalPlace(
            epoch=FIRST_EPOCH,
            sequence=0,
            hash=genesis_hash(submission.tenant_id, minted.run_id, submission.definition_digest),
            salt=minted.salt,
            wake_sequence=0,
        )
        return cls(state, place, core_policy=core_policy)

    @classmethod
    def loaded(cls, program: Program, run: LoadedRun, *, core_policy: Policy) -> Self:
        """Return the actor of a claimed run, folded from its journal.

        Raises:
            InvariantViolated: an entry's payload is gone although the run is not finished.
        """
        state = RunState(program, tenant_id=run.tenant_id, run_id=run.run_id)
        for entry in run.entries:
            if entry.payload is None:
                raise InvariantViolated(f"entry {entry.sequence} of a live run has no payload", run_id=run.run_id)
            for fact in decode_facts(entry.payload):
                apply_fact(state, fact)
            state.last_us = max(state.last_us, microseconds_of(entry.at))
        state.fresh.clear()
        place = JournalPlace(
            epoch=run.epoch,
            sequence=run.sequence,
            hash=run.hash if run.sequence else genesis_hash(run.tenant_id, run.run_id, run.definition_digest),
            salt=run.salt,
            wake_sequence=run.wake_sequence,
        )
        return cls(state, place, core_policy=core_policy)

    @property
    def is_started(self) -> bool:
        """Whether the run's submission has been decided on."""
        return self.state.status is not RunStatus.PENDING

    @property
    def has_pending(self) -> bool:
        """Whether there is something to make durable."""
        return bool(self._pending or self._consumed)

    def handle(self, event: Event, *, now: datetime) -> bool:
        """Decide what follows from an event and keep the facts for the next entry; true if there are any."""
        facts = advance(self.state, event, policy=self._core_policy, now_us=microseconds_of(now))
        self._pending.extend(facts)
        self._dispatchable.extend(self.state.fresh)
        self.state.fresh.clear()
        return bool(facts)

    def hear(self, message: InboxMessage, *, now: datetime) -> bool:
        """Take a message of the inbox; it is consumed with the next entry. False if it was taken before."""
        if message.inbox_id in self._read_ids:
            return False
        self._read_ids.add(message.inbox_id)
        self._consumed.append(message.inbox_id)
        self.handle(event_of(message), now=now)
        return True

    def open_calls(self) -> list[CallTool]:
        """Return every call that is begun and not resolved: what a new owner takes up."""
        return [command for command in self.state.open.values() if type(command) is CallTool]

    def is_open(self, call: CallTool) -> bool:
        """Whether exactly this call is still to be made."""
        return self.state.open.get((call.step, call.slot)) is call

    def seal(self, *, may_release: bool) -> tuple[Append, list[CommandKey]]:
        """Return the next entry with all rows, and the commands that may start once it is durable.

        Everything decided so far is in it: facts of one event are never torn apart by a crash.
        """
        assert not self.is_sealed
        facts, self._pending = self._pending, []
        consumed, self._consumed = self._consumed, []
        dispatchable, self._dispatchable = self._dispatchable, []
        self.is_sealed = True
        state = self.state
        at = instant_of(state.last_us)
        payload = encode_facts(facts)
        header = EntryHeader(
            format_version=FORMAT_VERSION,
            tenant_id=self.tenant_id,
            run_id=self.run_id,
            sequence=self.sequence + 1,
            epoch=self.epoch,
            at_us=state.last_us,
            fact_count=len(facts),
            kinds=kinds_of(facts),
        )
        commits = commitment(self.salt, payload)
        rows = rows_of(state, facts, at=at)
        is_waiting = len(state.open) > state.acting_count + state.parked_count
        due_us = next_due_us(state) if is_waiting else None
        append = Append(
            tenant_id=self.tenant_id,
            run_id=self.run_id,
            epoch=self.epoch,
            sequence=Sequence(self.sequence + 1),
            at=at,
            hash=entry_hash(self.hash, header, commits),
            commitment=commits,
            fact_count=len(facts),
            kinds=header.kinds,
            payload=payload,
            status=state.status.value,
            disposition=self._disposition(may_release=may_release),
            wake_sequence=self.wake_sequence,
            due_at=None if due_us is None else instant_of(due_us),
            waiting_for=describe_wait(state),
            state_hash=state_hash(state) if state.is_terminal else None,
            output=orjson.dumps(state.output) if state.is_terminal and state.output is not None else None,
            error=_error_of(state),
            steps=tuple(rows.steps),
            receipts=tuple(rows.receipts),
            approvals=tuple(rows.approvals),
            withdrawn=tuple(rows.withdrawn),
            keys=tuple(rows.keys),
            correlations=tuple(rows.correlations),
            consumed=tuple(consumed),
            outbox=tuple(rows.outbox),
        )
        return append, dispatchable

    def _disposition(self, *, may_release: bool) -> Disposition:
        if self.state.is_terminal:
            return Disposition.FINISH
        if may_release and self.is_started and not self.state.acting_count:
            return Disposition.WAIT
        return Disposition.KEEP

    def on_appended(self, append: Append, reply: Appended, dispatchable: list[CommandKey]) -> list[CallTool]:
        """Take note that an entry is durable; return the calls that may start now.

        Raises:
            InvariantViolated: called for an outcome that stored nothing.
        """
        if reply.outcome not in (AppendOutcome.APPLIED, AppendOutcome.ALREADY):
            raise InvariantViolated(f"entry {append.sequence} was not stored: {reply.outcome}", run_id=self.run_id)
        self.sequence = append.sequence
        self.hash = append.hash
        self.is_sealed = False
        calls: list[CallTool] = []
        for key in dispatchable:
            command = self.state.open.get(key)
            if type(command) is CallTool and command not in calls:
                calls.append(command)
        return calls


def kinds_of(facts: list[Fact]) -> str:
    """Return an entry's kinds of facts in order, neighbours counted: ``step_completed,step_started*3``."""
    parts: list[str] = []
    previous, count = "", 0
    for fact in facts:
        kind = _tag_of(fact)
        if kind == previous:
            count += 1
            continue
        if previous:
            parts.append(previous if count == 1 else f"{previous}*{count}")
        previous, count = kind, 1
    if previous:
        parts.append(previous if count == 1 else f"{previous}*{count}")
    return ",".join(parts)


_TAGS: dict[type[Fact], str] = {}


def _tag_of(fact: Fact) -> str:
    kind = type(fact)
    tag = _TAGS.get(kind)
    if tag is None:
        tag = _TAGS[kind] = str(kind.__struct_config__.tag)
    return tag


def _error_of(state: RunState) -> bytes | None:
    if not state.is_terminal or state.failure is None or state.status.value != "failed":
        return None
    return orjson.dumps({"code": state.failure.reason, "message": state.failure.message, "step": state.failure.step})
