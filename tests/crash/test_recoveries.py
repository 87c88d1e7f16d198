"""An order survives a second death, in the middle of the recovery from the first one."""

import random

import pytest

from tests.crash.auditor import audit
from tests.crash.kernels import MortalKernel
from tests.crash.points import CountingWatch, Point, Watch, listed
from tests.crash.world import World, live, rescue

SEED = 20_260_710
PAIRS = 16
THINGS_MAX = 60
"""A recovery does about as many things as an order: those that come after its end fall on its goodbye."""

LOOKED_UP = ("printful.orders.create_draft", "printful.orders.confirm", "shopify.fulfillments.create")


def sampled_pairs() -> list[tuple[Point, int]]:
    """Return pairs of a first point and the number of what the second kernel does last."""
    draw = random.Random(SEED)
    firsts = draw.sample([point for point in listed() if point.phase == "after"], PAIRS)
    return [(first, draw.randint(8, THINGS_MAX)) for first in firsts]


@pytest.mark.parametrize(("first", "number"), sampled_pairs(), ids=str)
async def test_order_survives_two_crashes(first: Point, number: int, world: World) -> None:
    """
    The second kernel dies at some point of its recovery; a third one finishes the order, and the books agree.
    """
    await die_twice(world, Watch(first), CountingWatch(number))


@pytest.mark.parametrize("phase", ["before", "after"])
@pytest.mark.parametrize("tool", LOOKED_UP)
async def test_order_survives_a_crash_around_a_look_up(tool: str, phase: str, world: World) -> None:
    """
    An effect that nobody recorded is looked up; dying around that changes nothing for the next one.
    """
    effect, look_up = Point(name=tool, phase="after", ordinal=1), Point(name=f"{tool}.lookup", phase=phase, ordinal=1)

    await die_twice(world, Watch(effect), Watch(look_up))


async def die_twice(world: World, first: Watch, second: Watch) -> None:
    settings = world.shop.settings(world.account)

    is_done = await live(MortalKernel(settings, first), world)
    await world.bury()
    early = await rescue(MortalKernel(settings, second), world)
    await world.bury()
    replay = await rescue(MortalKernel(settings, Watch()), world)

    assert not is_done
    assert early is None, "the second kernel never died"
    assert [] == await audit(world.order)
    assert replay is not None
    assert replay.is_verified, replay.findings
