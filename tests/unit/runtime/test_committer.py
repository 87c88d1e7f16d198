"""The committer stores whole batches, sends lost ones again, and drops runs that are no longer ours."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from remit.clock import DatabaseClock
from remit.core.commands import CallTool
from remit.core.decide import DEFAULT_POLICY
from remit.core.definition import Bounds, encode_definition
from remit.core.events import RunSubmitted
from remit.core.program import load_program
from remit.core.state import RunState
from remit.errors import StoreUnavailableError
from remit.ids import Epoch, RunId, TenantId
from remit.ports.store import Append, Appended, AppendOutcome, Journal
from remit.runtime import committer as committer_module
from remit.runtime.actor import JournalPlace, RunActor
from remit.runtime.committer import Committer
from remit.runtime.metrics import Metrics
from remit.testing.definitions import sequence

NOW = datetime(2026, 1, 1, tzinfo=UTC)
PROGRAM = load_program(encode_definition(sequence(2)))

Answer = Callable[[Append], AppendOutcome]


class ScriptedJournal:
    """Answers appends as a script says, and keeps what it was sent."""

    def __init__(self, *script: Answer | Exception) -> None:
        self.script = list(script)
        self.batches: list[list[Append]] = []

    async def append(self, batch: Sequence[Append]) -> tuple[list[Appended], datetime]:
        """Play the next line of the script; after its end everything is applied."""
        self.batches.append(list(batch))
        line = self.script.pop(0) if self.script else lambda _: AppendOutcome.APPLIED
        await asyncio.sleep(0)
        if isinstance(line, Exception):
            raise line
        return [Appended(outcome=line(append), wake_sequence=0) for append in batch], NOW


class Bench:
    """A committer with a scripted journal, and what it told its owner."""

    def __init__(self, journal: ScriptedJournal) -> None:
        self.durable: list[tuple[RunActor, list[CallTool]]] = []
        self.lost: list[tuple[RunActor, AppendOutcome]] = []
        self.journal = journal
        self.committer = Committer(
            cast(Journal, journal),
            DatabaseClock(),
            Metrics(),
            on_durable=lambda actor, _append, _reply, calls: self.durable.append((actor, calls)),
            on_lost=lambda actor, _append, reply: self.lost.append((actor, reply.outcome)),
        )

    async def store(self, *actors: RunActor) -> None:
        """Enqueue actors together and run the committer until it is done."""
        for actor in actors:
            self.committer.enqueue(actor)
        self.committer.close()
        await asyncio.wait_for(self.committer.run(), timeout=5)


def started(name: str) -> RunActor:
    """Return the actor of a run whose first step has just been decided."""
    state = RunState(PROGRAM, tenant_id=TenantId("acme"), run_id=RunId(name))
    place = JournalPlace(epoch=Epoch(1), sequence=0, hash=b"g" * 32, salt=b"s" * 32, wake_sequence=0)
    actor = RunActor(state, place, core_policy=DEFAULT_POLICY)
    submitted: dict[str, Any] = {"definition_digest": PROGRAM.digest, "policy_digest": "p", "principal_id": "operator"}
    actor.handle(RunSubmitted(**submitted, input={}, bounds=Bounds()), now=NOW)
    return actor


async def test_committer_stores_waiting_runs_in_one_batch() -> None:
    """What became due together is one call, and its commands start only with the answer."""
    bench = Bench(ScriptedJournal())
    first, second = started("first"), started("second")

    await bench.store(first, second)

    assert [len(batch) for batch in bench.journal.batches] == [2]
    assert [(actor, len(calls)) for actor, calls in bench.durable] == [(first, 1), (second, 1)]
    assert first.sequence == 1


async def test_committer_sends_a_lost_batch_again_unchanged(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody knows whether it was stored: the very same entries go again, and `already` counts as stored."""
    monkeypatch.setattr(committer_module, "RESEND_DELAY_SECONDS", 0.0)
    journal = ScriptedJournal(StoreUnavailableError("cut"), lambda _: AppendOutcome.ALREADY)
    bench = Bench(journal)
    actor = started("run")

    await bench.store(actor)

    assert journal.batches[0] == journal.batches[1]
    assert [calls for _, calls in bench.durable] != [[]]
    assert actor.sequence == 1


async def test_committer_sends_busy_runs_again_and_others_once() -> None:
    """A head that somebody holds for an instant does not hold up the rest of its batch."""
    busy_once = ScriptedJournal(
        lambda append: AppendOutcome.BUSY if append.run_id == "second" else AppendOutcome.APPLIED
    )
    bench = Bench(busy_once)

    await bench.store(started("first"), started("second"))

    assert [[append.run_id for append in batch] for batch in busy_once.batches] == [["first", "second"], ["second"]]
    assert len(bench.durable) == 2


@pytest.mark.parametrize(
    "outcome", [AppendOutcome.FENCED, AppendOutcome.CONFLICT, AppendOutcome.KEY_TAKEN, AppendOutcome.INVALID]
)
async def test_committer_starts_nothing_for_a_lost_run(outcome: AppendOutcome) -> None:
    """An entry that was not stored starts no command, and does not disturb its neighbour."""
    bench = Bench(ScriptedJournal(lambda append: outcome if append.run_id == "lost" else AppendOutcome.APPLIED))
    lost, kept = started("lost"), started("kept")

    await bench.store(lost, kept)

    assert bench.lost == [(lost, outcome)]
    assert [actor for actor, _ in bench.durable] == [kept]
    assert lost.sequence == 0


async def test_committer_handles_answers_while_the_next_batch_is_under_way() -> None:
    """What is enqueued during a call goes with the next one; nothing is stored twice."""
    bench = Bench(ScriptedJournal())
    late = started("late")
    journal_append = bench.journal.append

    async def append(batch: Sequence[Append]) -> tuple[list[Appended], datetime]:
        if len(bench.journal.batches) == 0:
            bench.committer.enqueue(late)
        return await journal_append(batch)

    bench.journal.append = append  # type: ignore[method-assign]
    await bench.store(started("early"))

    assert [[item.run_id for item in batch] for batch in bench.journal.batches] == [["early"], ["late"]]
    assert len(bench.durable) == 2
