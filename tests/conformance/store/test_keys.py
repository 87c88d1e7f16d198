"""Clauses of idempotency keys: reserved by the append that records the intent, or not at all."""

import asyncio

from remit.ports.store import AppendOutcome, KeyChange
from remit.store import PostgresStore
from tests.conformance.store.world import ACME, OTHER, World, entry, make_world, reserve, step

ROUNDS = 20


def settle(action: str, key: str, **changes: object) -> KeyChange:
    """What becomes of a reserved key."""
    return KeyChange(action=action, key=key, step="charge", slot=1, **changes)


async def test_key_01_second_call_is_turned_away(world: World) -> None:
    """
    A key that another run reserved stops the whole append of that run: nothing of it is stored.
    """
    first, second = await world.submit(), await world.submit()
    await world.append(entry(first, keys=(reserve("k"),)))

    (reply,) = await world.append(entry(second, keys=(reserve("k"),), steps=(step(),)))

    assert (AppendOutcome.KEY_TAKEN, False) == (reply.outcome, reply.released)
    assert 0 == (await world.store.reader.get_run(ACME, second.run_id)).sequence
    assert [] == await world.store.reader.list_steps(ACME, second.run_id)


async def test_key_02_one_batch_has_one_winner(world: World) -> None:
    """
    Two runs that want a key in the same batch: one gets it.
    """
    claims = [await world.submit(), await world.submit()]

    replies = await world.append(*[entry(claim, keys=(reserve("k"),)) for claim in claims])

    assert ["applied", "key_taken"] == sorted(reply.outcome for reply in replies)


async def test_key_03_concurrent_batches_have_one_winner(world: World, other_store: PostgresStore) -> None:
    """
    Two processes that want the same keys in different orders neither both win nor wait for each other for ever.
    """
    for number in range(ROUNDS):
        a, b, c, d = [await world.submit() for _ in range(4)]
        left, right = f"l{number}", f"r{number}"
        answers = await asyncio.gather(
            world.store.journal.append([entry(a, keys=(reserve(left),)), entry(b, keys=(reserve(right),))]),
            other_store.journal.append([entry(c, keys=(reserve(right),)), entry(d, keys=(reserve(left),))]),
        )

        outcomes = [reply.outcome for replies, _ in answers for reply in replies]
        assert 2 == outcomes.count(AppendOutcome.APPLIED)
        assert 2 == outcomes.count(AppendOutcome.KEY_TAKEN)


async def test_key_04_loser_keeps_no_other_key(world: World) -> None:
    """
    An append that loses one of its keys leaves the others free.
    """
    first, second, third = [await world.submit() for _ in range(3)]
    await world.append(entry(first, keys=(reserve("b"),)))
    await world.append(entry(second, keys=(reserve("a"), reserve("b"))))

    (reply,) = await world.append(entry(third, keys=(reserve("a"),)))

    assert AppendOutcome.APPLIED == reply.outcome


async def test_key_05_same_call_reserves_again(world: World) -> None:
    """
    The call that holds a key, taken up after a crash, reserves it again without harm.
    """
    claim = await world.submit()
    await world.append(entry(claim, keys=(reserve("k"),)))

    (reply,) = await world.append(entry(claim, 2, keys=(reserve("k"),)))

    assert AppendOutcome.APPLIED == reply.outcome


async def test_key_06_released_key_is_free(world: World) -> None:
    """
    A key whose call had no effect can be reserved by another run.
    """
    first, second = await world.submit(), await world.submit()
    await world.append(entry(first, keys=(reserve("k"),)))
    await world.append(entry(first, 2, keys=(settle("release", "k"),)))

    found = await world.store.reservation.find_key(ACME, "k")
    (reply,) = await world.append(entry(second, keys=(reserve("k"),)))

    assert found is None
    assert AppendOutcome.APPLIED == reply.outcome


async def test_key_07_success_is_remembered_inside_its_window(world: World) -> None:
    """
    Within the window a succeeded key answers its outcome; after it, by the database's clock, the key is free.
    """
    claim, second = await world.submit(), await world.submit()
    await world.append(entry(claim, keys=(reserve("long"), reserve("short"))))
    await world.append(
        entry(
            claim,
            2,
            keys=(
                settle("succeed", "long", outcome=b'{"id":1}', receipt_id="r1"),
                settle("succeed", "short", outcome=b"{}", window_seconds=0),
            ),
        )
    )

    remembered = await world.store.reservation.find_key(ACME, "long")
    forgotten = await world.store.reservation.find_key(ACME, "short")
    (taken,) = await world.append(entry(second, keys=(reserve("long"),)))
    (free,) = await world.append(entry(second, keys=(reserve("short"),)))

    assert remembered is not None
    assert ("succeeded", b'{"id":1}', "r1", claim.run_id) == (
        remembered.status, remembered.outcome, remembered.receipt_id, remembered.run_id,
    )  # fmt: skip
    assert forgotten is None
    assert (AppendOutcome.KEY_TAKEN, AppendOutcome.APPLIED) == (taken.outcome, free.outcome)


async def test_key_08_parked_key_stays_taken(world: World) -> None:
    """
    A key whose outcome nobody knows is neither free nor succeeded.
    """
    claim, second = await world.submit(), await world.submit()
    await world.append(entry(claim, keys=(reserve("k"),)))
    await world.append(entry(claim, 2, keys=(settle("park", "k"),)))

    found = await world.store.reservation.find_key(ACME, "k")
    (reply,) = await world.append(entry(second, keys=(reserve("k"),)))

    assert found is not None
    assert "unknown" == found.status
    assert AppendOutcome.KEY_TAKEN == reply.outcome


async def test_key_09_foreign_run_settles_nothing(world: World) -> None:
    """
    Only the call that reserved a key records what became of it.
    """
    owner, stranger = await world.submit(), await world.submit()
    await world.append(entry(owner, keys=(reserve("k"),)))

    await world.append(entry(stranger, keys=(settle("succeed", "k", outcome=b"{}"), settle("release", "k"))))

    found = await world.store.reservation.find_key(ACME, "k")
    assert found is not None
    assert ("reserved", owner.run_id) == (found.status, found.run_id)


async def test_key_10_tenants_have_keys_of_their_own(world: World) -> None:
    """
    The same key of another tenant is another key.
    """
    other = await make_world(world.store, OTHER)
    await world.append(entry(await world.submit(), keys=(reserve("k"),)))

    (reply,) = await world.append(entry(await other.submit(), keys=(reserve("k"),)))

    assert AppendOutcome.APPLIED == reply.outcome


async def test_key_11_settling_and_wanting_never_meet_head_on(world: World, other_store: PostgresStore) -> None:
    """
    One process settles a key and reserves another while a second one wants both: neither waits for ever.
    """
    for number in range(ROUNDS):
        owner, rival = await world.submit(), await world.submit()
        old, new = f"a{number}", f"b{number}"
        await world.append(entry(owner, keys=(reserve(old),)))

        answers = await asyncio.gather(
            world.store.journal.append([entry(owner, 2, keys=(settle("succeed", old), reserve(new)))]),
            other_store.journal.append([entry(rival, keys=(reserve(old), reserve(new)))]),
        )

        assert ["applied", "key_taken"] == [reply.outcome for replies, _ in answers for reply in replies]
