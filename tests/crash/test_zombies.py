"""A worker that was paused past its lease changes nothing any more when it goes on."""

import pytest

from tests.crash.auditor import audit
from tests.crash.kernels import MortalKernel
from tests.crash.points import Point, Watch
from tests.crash.world import World, rescue
from tests.crash.zombies import Zombie

LATE_APPENDS = (
    "append:before:2",
    "append:before:5",
    "append:before:9",
    "append:before:13",
    "append:before:16",
    "append:before:17",
)
LATE_RENEWALS = tuple(f"heartbeat:before:{number}" for number in range(1, 7))


@pytest.mark.parametrize("point", [*LATE_APPENDS, *LATE_RENEWALS])
async def test_late_worker_changes_nothing(point: str, world: World) -> None:
    """
    Paused before it stores, or before it makes sure of its lease to act, a worker finds that the run is another's.
    """
    async with Zombie(world.shop, world.order_id, Point.parse(point)) as zombie:
        await world.expire_leases()
        replay = await rescue(MortalKernel(world.shop.settings(world.account), Watch()), world)
        finished = await world.look()
        await zombie.wake()

    after = await world.look()
    assert finished == after
    assert [] == await audit(world.order)
    assert replay is not None
    assert replay.is_verified
    if point in LATE_APPENDS:
        assert 'remit_runs_lost_total{outcome="fenced"} 1.0' in zombie.metrics
