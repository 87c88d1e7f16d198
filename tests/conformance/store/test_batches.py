"""Clauses of the journal port about batches, minted runs, the inbox of a run, and the end of its connections."""

from datetime import timedelta

import msgspec
import pytest

from remit.errors import StoreUnavailableError
from remit.ids import RunId
from remit.ports.store import AppendOutcome, Claimed
from tests.conformance.store.world import ACME, OTHER, World, entry, make_world, reserve, signal, step


async def test_submit_08_answers_come_in_the_order_asked(world: World) -> None:
    """
    One call creates runs of several tenants, and answers in the order of the submissions.
    """
    other = await make_world(world.store, OTHER)
    tenants = [OTHER, ACME, OTHER, ACME, ACME]
    worlds = {ACME: world, OTHER: other}

    replies, _ = await world.store.journal.submit([worlds[tenant].submission() for tenant in tenants])
    loaded, _ = await world.store.journal.load(
        [
            Claimed(tenant_id=tenant, run_id=reply.run_id, epoch=reply.epoch)
            for tenant, reply in zip(tenants, replies, strict=True)
        ]
    )

    assert {(reply.run_id, tenant) for reply, tenant in zip(replies, tenants, strict=True)} == {
        (run.run_id, run.tenant_id) for run in loaded
    }
    assert 5 == len(loaded)


async def test_mint_01_nothing_is_stored_for_a_minted_run(world: World) -> None:
    """
    Minted ids and salts differ, and stand for no run until one is submitted with them.
    """
    minted = await world.store.journal.mint(20)

    runs = await world.store.reader.list_runs(ACME)

    assert 20 == len({one.run_id for one in minted}) == len({one.salt for one in minted})
    assert {32} == {len(one.salt) for one in minted}
    assert [] == runs


@pytest.mark.parametrize("bad", [(0,), (8,), (0, 8), (3, 4, 5), tuple(range(9))], ids=str)
async def test_append_16_bad_rows_anywhere_are_all_found(world: World, bad: tuple[int, ...]) -> None:
    """
    However many runs of a batch the database refuses, and wherever they stand, the others are stored whole.
    """
    claims = [await world.submit() for _ in range(9)]
    batch = [entry(claim, steps=(step(),), keys=(reserve(f"k{index}"),)) for index, claim in enumerate(claims)]
    for index in bad:
        batch[index] = msgspec.structs.replace(batch[index], kinds="a\0b")

    replies = await world.append(*batch)
    receipts = [len(await world.store.reader.list_steps(ACME, claim.run_id)) for claim in claims]
    taken = [await world.store.reservation.find_key(ACME, f"k{index}") for index in range(9)]

    invalid = [index for index, reply in enumerate(replies) if AppendOutcome.INVALID is reply.outcome]
    applied = [index for index, reply in enumerate(replies) if AppendOutcome.APPLIED is reply.outcome]
    good = [index for index in range(9) if index not in bad]
    assert (list(bad), good) == (invalid, applied)
    assert [int(index in good) for index in range(9)] == receipts
    assert [index in good for index in range(9)] == [key is not None for key in taken]


async def test_load_03_unread_messages_come_oldest_first(world: World) -> None:
    """
    A run's inbox holds what no entry consumed, oldest first, with the wake sequence that an append has to know.
    """
    claim = await world.submit()
    for message_id in ("m3", "m1", "m2"):
        await world.store.inbox.deliver(ACME, claim.run_id, signal(message_id))
    first, wake_sequence = await world.store.journal.load_inbox(ACME, claim.run_id)
    await world.append(entry(claim, consumed=(first[0].inbox_id,), wake_sequence=wake_sequence))

    rest, still = await world.store.journal.load_inbox(ACME, claim.run_id)
    (loaded,), _ = await world.store.journal.load([claim])

    assert ["m3", "m1", "m2"] == [message.message_id for message in first]
    assert ["m1", "m2"] == [message.message_id for message in rest] == [one.message_id for one in loaded.inbox]
    assert 3 == wake_sequence == still == loaded.wake_sequence


async def test_close_01_closed_journal_takes_nothing(world: World) -> None:
    """
    A closed journal refuses appends and submissions, and changes nothing.
    """
    claim = await world.submit()
    await world.store.journal.close()

    with pytest.raises(StoreUnavailableError):
        await world.append(entry(claim))
    with pytest.raises(StoreUnavailableError):
        await world.submit()

    assert 0 == (await world.store.reader.get_run(ACME, RunId(claim.run_id))).sequence


async def test_close_02_closed_outbox_takes_nothing(world: World) -> None:
    """
    A closed outbox claims nothing any more.
    """
    await world.store.outbox.close()

    with pytest.raises(StoreUnavailableError):
        await world.store.outbox.claim(world.worker_id, limit=1, each=1, lease=timedelta(minutes=1))
