"""Clauses of the reservation port: what runs of one tenant share."""

import asyncio

from remit.governance.breaker import BreakerState
from remit.store import PostgresStore
from tests.conformance.store.world import ACME, OTHER, World, make_world


async def test_rate_01_calls_are_spaced_after_a_burst(world: World) -> None:
    """
    A quarter of a minute's allowance goes at once; the calls after it wait, each longer than the one before.
    """
    take = world.store.reservation.take_rate

    waits = [await take(ACME, name="shop", per_minute=8) for _ in range(4)]

    assert [0.0, 0.0] == waits[:2]
    assert 0 < waits[2] <= 7.5
    assert 7.5 < waits[3] <= 15


async def test_rate_02_concurrent_calls_never_exceed_the_allowance(world: World, other_store: PostgresStore) -> None:
    """
    Calls of several processes at the same time share one allowance.
    """
    stores = (world.store, other_store) * 5

    waits = await asyncio.gather(*[store.reservation.take_rate(ACME, name="shop", per_minute=8) for store in stores])

    assert 2 == waits.count(0.0)
    assert 60 - 7.5 < max(waits) <= 60


async def test_rate_03_tenants_and_names_have_their_own(world: World) -> None:
    """
    One tenant's calls to one dependency slow down nothing else.
    """
    await make_world(world.store, OTHER)
    take = world.store.reservation.take_rate
    for _ in range(3):
        await take(ACME, name="shop", per_minute=1)

    assert 0.0 == await take(ACME, name="mail", per_minute=1)
    assert 0.0 == await take(OTHER, name="shop", per_minute=1)


async def test_breaker_01_state_is_kept_per_dependency(world: World) -> None:
    """
    A breaker's state is what was saved last; one that never opened has none.
    """
    reservation = world.store.reservation
    opened = BreakerState(status="open", failure_count=5, opened_us=1_700_000_000_000_000)
    await reservation.save_breaker(ACME, "shop", BreakerState(failure_count=1))
    await reservation.save_breaker(ACME, "shop", opened)

    assert opened == await reservation.load_breaker(ACME, "shop")
    assert await reservation.load_breaker(ACME, "mail") is None
