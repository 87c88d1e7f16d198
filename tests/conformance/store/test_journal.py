"""Clauses of the journal port: entries, epochs, sequences, and replies that were lost."""

import asyncio

import asyncpg
import msgspec
import pytest

from remit.core.chain import genesis_hash
from remit.errors import NotFoundError, StoreUnavailableError
from remit.ids import Epoch, RunId
from remit.ports.store import AppendOutcome, Claimed, Disposition
from remit.store import PostgresStore
from remit.testing.database import ScratchDatabase, connect_store
from tests.conformance.store.world import (
    ACME,
    DEFINITION,
    OTHER,
    World,
    approval,
    entry,
    later_epoch,
    make_world,
    receipt,
    step,
)

ROUNDS = 20


async def test_submit_01_new_run_stands_at_genesis(world: World) -> None:
    """
    A submitted run has a salt, an empty journal and the genesis hash; with a worker it is claimed at epoch 1.
    """
    (submitted,), now = await world.store.journal.submit([world.submission()])
    claim = Claimed(tenant_id=ACME, run_id=submitted.run_id, epoch=submitted.epoch)

    (run,), _ = await world.store.journal.load([claim])

    assert submitted.created
    assert 1 == submitted.epoch
    assert 16 <= len(submitted.salt)
    assert submitted.created_at <= now
    assert (0, ()) == (run.sequence, run.entries)
    assert genesis_hash(ACME, submitted.run_id, DEFINITION) == run.hash
    assert (submitted.salt, b'{"order":1}') == (run.salt, run.input)


async def test_submit_02_same_key_creates_one_run(world: World) -> None:
    """
    A submission key of a tenant and definition creates a run once, also within one batch, and answers it ever after.
    """
    twice = [world.submission(key="order-1"), world.submission(key="order-1")]
    first, _ = await world.store.journal.submit(twice)
    again, _ = await world.store.journal.submit([world.submission(key="order-1"), world.submission(key="order-2")])

    assert [True, False] == [reply.created for reply in first]
    assert [False, True] == [reply.created for reply in again]
    assert first[0].run_id == first[1].run_id == again[0].run_id
    assert first[0].salt == again[0].salt


async def test_submit_03_concurrent_same_key_creates_one_run(world: World, other_store: PostgresStore) -> None:
    """
    Two processes that submit under one key at the same time get the same run.
    """
    for number in range(ROUNDS):
        submission = world.submission(key=f"order-{number}")
        answers = await asyncio.gather(
            world.store.journal.submit([submission]), other_store.journal.submit([submission])
        )

        replies = [reply for replies, _ in answers for reply in replies]
        assert 1 == len({reply.run_id for reply in replies})
        assert [False, True] == sorted(reply.created for reply in replies)


async def test_submit_04_unknown_definition_creates_nothing(world: World) -> None:
    """
    A run of a definition that the tenant has not stored is refused, and with it the whole batch.
    """
    unknown = msgspec.structs.replace(world.submission(), definition_digest="0" * 64)

    with pytest.raises(NotFoundError):
        await world.store.journal.submit([world.submission(), unknown])

    assert [] == await world.store.reader.list_runs(ACME)


async def test_submit_06_first_entry_is_part_of_the_submission(world: World) -> None:
    """
    A run whose id was minted ahead is stored with its first entry in one commit; its owner goes on from there.
    """
    (minted,) = await world.store.journal.mint(1)
    claim = Claimed(tenant_id=ACME, run_id=minted.run_id, epoch=Epoch(1))
    submission = msgspec.structs.replace(world.submission(), minted=minted, first=entry(claim))

    (submitted,), _ = await world.store.journal.submit([submission])
    (second,) = await world.append(entry(claim, 2))

    (run,), _ = await world.store.journal.load([claim])
    assert (True, minted.run_id, minted.salt) == (submitted.created, submitted.run_id, submitted.salt)
    assert AppendOutcome.APPLIED == second.outcome
    assert [entry(claim).hash, entry(claim, 2).hash] == [stored.hash for stored in run.entries]


async def test_submit_07_used_key_stores_no_first_entry(world: World) -> None:
    """
    When the key was used before, what was minted is forgotten and the first entry with it.
    """
    (known,), _ = await world.store.journal.submit([world.submission(key="order-1")])
    (minted,) = await world.store.journal.mint(1)
    claim = Claimed(tenant_id=ACME, run_id=minted.run_id, epoch=Epoch(1))
    submission = msgspec.structs.replace(world.submission(key="order-1"), minted=minted, first=entry(claim))

    (submitted,), _ = await world.store.journal.submit([submission])

    assert (False, known.run_id, known.salt) == (submitted.created, submitted.run_id, submitted.salt)
    assert [known.run_id] == [run.run_id for run in await world.store.reader.list_runs(ACME)]


async def test_submit_05_ids_grow_with_time(world: World) -> None:
    """
    Run ids are UUIDv7: runs made later sort later.
    """
    ids = [(await world.submit()).run_id for _ in range(5)]

    assert sorted(ids) == ids
    assert {"7"} == {run_id[14] for run_id in ids}


async def test_append_01_entry_is_read_back_whole(world: World) -> None:
    """
    What was appended is what its owner and its readers get, with the rows that follow from it.
    """
    claim = await world.submit()
    sent = entry(claim, steps=(step(),), receipts=(receipt(),))

    (reply,) = await world.append(sent)
    (run,), _ = await world.store.journal.load([claim])
    (stored,) = run.entries

    assert (AppendOutcome.APPLIED, False) == (reply.outcome, reply.released)
    assert (sent.sequence, sent.hash) == (run.sequence, run.hash)
    assert (sent.hash, sent.commitment, sent.payload, sent.at) == (
        stored.hash, stored.commitment, stored.payload, stored.at,
    )  # fmt: skip
    assert [step()] == [row.row for row in await world.store.reader.list_steps(ACME, claim.run_id)]
    assert list(sent.receipts) == [row.receipt for row in await world.store.reader.list_receipts(ACME)]


async def test_append_02_same_batch_again_is_already(world: World) -> None:
    """
    Sending a batch again changes nothing and says so, also when the entry ended the claim.
    """
    kept, finished = await world.submit(), await world.submit()
    batch = [entry(kept, steps=(step(),)), entry(finished, status="completed", disposition=Disposition.FINISH)]
    await world.append(*batch)

    again = await world.append(*batch)

    assert [AppendOutcome.ALREADY, AppendOutcome.ALREADY] == [reply.outcome for reply in again]
    assert [False, True] == [reply.released for reply in again]
    assert 1 == len(await world.store.reader.list_steps(ACME, kept.run_id))


async def test_append_03_stale_epoch_is_fenced(world: World) -> None:
    """
    A worker whose claim was taken over writes nothing.
    """
    stale = await world.submit()
    await world.store.dispatch.release(world.worker_id, [stale])
    (current,) = await world.claim()

    (reply,) = await world.append(entry(stale, steps=(step(),)))

    assert AppendOutcome.FENCED == reply.outcome
    assert stale.epoch < current.epoch
    assert 0 == (await world.store.reader.get_run(ACME, stale.run_id)).sequence
    assert [] == await world.store.reader.list_steps(ACME, stale.run_id)


async def test_append_04_future_epoch_is_fenced(world: World) -> None:
    """
    An epoch that was never given out is not accepted either.
    """
    (reply,) = await world.append(entry(later_epoch(await world.submit())))

    assert AppendOutcome.FENCED == reply.outcome


async def test_append_05_ended_claim_is_fenced(world: World) -> None:
    """
    Once a run was let go of, its old owner cannot go on under the old epoch.
    """
    claim = await world.submit()
    await world.wait(claim)

    (reply,) = await world.append(entry(claim, 2))

    assert AppendOutcome.FENCED == reply.outcome


@pytest.mark.parametrize("sequence", [1, 3], ids=["taken", "gap"])
async def test_append_06_wrong_sequence_is_conflict(world: World, sequence: int) -> None:
    """
    An entry that does not follow the head is refused under a valid claim.
    """
    claim = await world.submit()
    await world.append(entry(claim))

    (reply,) = await world.append(entry(claim, sequence, marker="other"))

    assert AppendOutcome.CONFLICT == reply.outcome
    assert 1 == (await world.store.reader.get_run(ACME, claim.run_id)).sequence


async def test_append_07_concurrent_writers_one_wins(world: World, other_store: PostgresStore) -> None:
    """
    Of two writers with the same claim and different entries exactly one is applied, whatever the order.
    """
    for _ in range(ROUNDS):
        claim = await world.submit()
        answers = await asyncio.gather(
            world.store.journal.append([entry(claim, marker="a")]),
            other_store.journal.append([entry(claim, marker="b")]),
        )

        outcomes = sorted(reply.outcome for replies, _ in answers for reply in replies)
        assert AppendOutcome.APPLIED == outcomes[0]
        assert outcomes[1] in {AppendOutcome.BUSY, AppendOutcome.CONFLICT}
        (run,), _ = await world.store.journal.load([claim])
        assert 1 == len(run.entries)


async def test_append_08_locked_head_is_busy(world: World, scratch: ScratchDatabase) -> None:
    """
    A head that somebody holds is not waited for; the others of the batch are appended.
    """
    held, free = await world.submit(), await world.submit()
    admin = await asyncpg.connect(scratch.admin_url)
    async with admin.transaction():
        await admin.execute("select from remit.heads where run_id = $1 for update", held.run_id)

        during = await world.append(entry(held), entry(free))

    await admin.close()
    (after,) = await world.append(entry(held))

    assert [AppendOutcome.BUSY, AppendOutcome.APPLIED] == [reply.outcome for reply in during]
    assert AppendOutcome.APPLIED == after.outcome


class DropReply:
    """Cuts the connection after one statement was executed, as a network would that lost the reply."""

    def __init__(self, statement: str) -> None:
        self.statement: str | None = statement

    async def before(self, statement: str) -> None:
        """Let everything out."""

    async def after(self, statement: str) -> None:
        """Drop the first reply of the statement."""
        if statement == self.statement:
            self.statement = None
            raise StoreUnavailableError("the reply was lost", retryable=True)


async def test_append_09_lost_reply_is_found_by_resending(world: World, scratch: ScratchDatabase) -> None:
    """
    After a commit whose reply was lost, the same batch answers ``already``: nothing is lost or doubled.
    """
    claim = await world.submit()
    lossy = await connect_store(scratch, observer=DropReply("append"))
    with pytest.raises(StoreUnavailableError):
        await lossy.journal.append([entry(claim, steps=(step(),))])

    (again,), _ = await lossy.journal.append([entry(claim, steps=(step(),))])

    await lossy.close()
    assert AppendOutcome.ALREADY == again.outcome
    assert 1 == len(await world.store.reader.list_steps(ACME, claim.run_id))


@pytest.mark.parametrize(
    ("changes", "sqlstate"),
    [
        ({"kinds": "a\0b"}, "22021"),
        ({"kinds": "a\ud800b"}, "22000"),
        ({"fact_count": 2**40}, "22000"),
        ({"status": "exploded"}, "23514"),
        ({"hash": b"short"}, "23514"),
    ],
    ids=["nul", "surrogate", "overflow", "status", "hash"],
)
async def test_append_10_bad_rows_quarantine_their_run_only(
    world: World, changes: dict[str, object], sqlstate: str
) -> None:
    """
    A run whose rows the database refuses is taken out of circulation; every other run of the batch is stored.
    """
    claims = [await world.submit() for _ in range(9)]
    batch = [entry(claim) for claim in claims]
    batch[4] = msgspec.structs.replace(batch[4], **changes)

    replies = await world.append(*batch)
    await world.store.dispatch.release(world.worker_id, claims)
    claimed = await world.claim(limit=100)

    bad = claims[4].run_id
    assert AppendOutcome.INVALID == replies[4].outcome
    assert {AppendOutcome.APPLIED} == {reply.outcome for index, reply in enumerate(replies) if index != 4}
    assert sqlstate == (await world.store.reader.get_run(ACME, bad)).quarantined
    assert bad not in {claim.run_id for claim in claimed}
    assert 8 == len(claimed)


async def test_append_11_quarantine_is_lifted_by_an_operator(world: World) -> None:
    """
    A quarantined run can be claimed again once somebody let it go.
    """
    claim = await world.submit()
    await world.append(entry(claim, kinds="a\0b"))

    released = await world.store.journal.release_quarantine(ACME, claim.run_id)

    assert released
    assert [claim.run_id] == [again.run_id for again in await world.claim()]
    assert (await world.store.reader.get_run(ACME, claim.run_id)).quarantined is None


async def test_append_12_batch_mixes_tenants(world: World) -> None:
    """
    One batch serves runs of several tenants; answers come in the order asked.
    """
    other = await make_world(world.store, OTHER)
    claims = [await world.submit(), await other.submit(), await world.submit(), await other.submit()]
    batch = [entry(claim, steps=(step(),)) for claim in claims]
    batch[1] = entry(later_epoch(claims[1]))

    replies = await world.append(*batch)

    assert ["applied", "fenced", "applied", "applied"] == [reply.outcome for reply in replies]
    assert 1 == (await world.store.reader.get_run(OTHER, claims[3].run_id)).sequence


async def test_append_13_finish_ends_the_run(world: World) -> None:
    """
    The last entry ends the claim and stores status, output and state hash.
    """
    claim = await world.submit()
    last = entry(claim, status="completed", disposition=Disposition.FINISH, output=b'{"ok":true}', state_hash="9" * 64)

    (reply,) = await world.append(last)

    run = await world.store.reader.get_run(ACME, claim.run_id)
    assert reply.released
    assert ("completed", b'{"ok":true}', "9" * 64) == (run.status, run.output, run.state_hash)
    assert [] == await world.claim()


async def test_append_14_large_payload_is_read_back(world: World) -> None:
    """
    A payload that is too large for the shared connection arrives all the same, and a corrected one replaces it.
    """
    claim = await world.submit()
    wrong = entry(later_epoch(claim), payload=b"w" * 400_000, commitment=b"w" * 32)
    right = entry(claim, payload=b"r" * 400_000)
    await world.append(wrong)

    (reply,) = await world.append(right)
    (run,), _ = await world.store.journal.load([claim])

    assert AppendOutcome.APPLIED == reply.outcome
    assert right.payload == run.entries[0].payload


async def test_append_15_withdrawn_request_is_closed(world: World) -> None:
    """
    An entry may withdraw an earlier request; it is then no longer pending.
    """
    claim = await world.submit()
    row = approval(expires_at=await world.now())
    await world.append(entry(claim, approvals=(row,)))

    await world.append(entry(claim, 2, withdrawn=(row.approval_id,)))

    assert [] == await world.store.approvals.list(ACME)
    assert ["withdrawn"] == [stored.status for stored in await world.store.approvals.list(ACME, status=None)]


async def test_load_01_only_owned_runs_are_loaded(world: World) -> None:
    """
    Loading answers the claims that still stand, many at once, and leaves out the rest.
    """
    claims = [await world.submit() for _ in range(3)]
    await world.append(*[entry(claim) for claim in claims])
    missing = Claimed(tenant_id=ACME, run_id=RunId("01890000-0000-7000-8000-000000000000"), epoch=claims[0].epoch)

    runs, _ = await world.store.journal.load([claims[2], later_epoch(claims[1]), missing, claims[0]])

    assert {claims[0].run_id, claims[2].run_id} == {run.run_id for run in runs}
    assert {1} == {len(run.entries) for run in runs}


async def test_load_02_other_tenants_run_is_not_found(world: World) -> None:
    """
    A run id of another tenant is as unknown as one that never was.
    """
    claim = await world.submit()
    await make_world(world.store, OTHER)
    stolen = msgspec.structs.replace(claim, tenant_id=OTHER)

    runs, _ = await world.store.journal.load([stolen])

    assert [] == runs
    with pytest.raises(NotFoundError):
        await world.store.journal.load_inbox(OTHER, claim.run_id)
    with pytest.raises(NotFoundError):
        await world.store.reader.read_run(OTHER, claim.run_id)
