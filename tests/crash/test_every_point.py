"""An order survives the death of its kernel at each single point: nothing twice, nothing lost, nothing stuck."""

from collections import Counter

import pytest

from tests.crash.auditor import audit
from tests.crash.kernels import MortalKernel
from tests.crash.points import RECURRING, Point, Watch, certain, listed
from tests.crash.report import PAGE, checked, page
from tests.crash.world import World, live, rescue

REGENERATE = "run: python -m tests.crash points"
PHASES = {
    "before a statement",
    "after a read",
    "commit executed, reply lost",
    "before a provider call",
    "after a provider call",
}


async def test_list_of_points_is_the_order_s_own(world: World) -> None:
    """
    The checked-in list holds every statement and provider call of an order, so that no new one goes without a crash.
    """
    watch = Watch()

    finished = await live(MortalKernel(world.shop.settings(world.account), watch), world)

    expected, reached = set(listed()), set(certain(watch.reached))
    assert finished
    assert [] == await audit(world.order)
    assert [] == sorted(map(str, expected - reached)), REGENERATE
    assert [] == sorted(str(point) for point in reached - expected if point.name not in RECURRING), REGENERATE


def test_list_of_points_has_every_kind_of_crash() -> None:
    """
    Reads, commits and provider calls are all crashed at, before and after; each effect of an order in both phases.
    """
    points = listed()
    phases = Counter(point.phase_class for point in points)
    tools = Counter(point.name for point in points if "." in point.name)

    assert len(points) == len(set(points))
    assert phases.keys() == PHASES
    assert min(phases.values()) >= 8
    assert {2} == set(tools.values())
    assert 8 == len(tools)


def test_page_about_the_points_is_up_to_date() -> None:
    """
    The page says what the list says, and what is done at each point.
    """
    assert checked(page()) == checked(PAGE.read_text(encoding="utf-8")), "run: python -m tests.crash report"


@pytest.mark.parametrize("point", listed(), ids=str)
async def test_order_survives_a_crash_at(point: Point, world: World) -> None:
    """
    A kernel dies there, another one finishes the order, and the providers' books agree with the receipts.
    """
    watch = Watch(point)

    finished = await live(MortalKernel(world.shop.settings(world.account), watch), world)
    await world.bury()
    replay = await rescue(MortalKernel(world.shop.settings(world.account), Watch()), world)

    assert not finished, f"{point} was never reached; {REGENERATE}"
    assert point == watch.reached[-1]
    assert [] == await audit(world.order)
    assert replay is not None
    assert replay.is_verified, replay.findings
    assert replay.state_hash == replay.recorded_state_hash
