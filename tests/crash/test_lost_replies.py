"""A commit was executed and its answer got lost on the network: the kernel asks again and assumes nothing."""

from datetime import timedelta

import pytest

from remit.runtime import committer, owner, worker
from tests.crash.auditor import audit
from tests.crash.kernels import MortalKernel
from tests.crash.points import Point
from tests.crash.proxy import LosingWatch, losing_proxy
from tests.crash.world import World, live

APPENDS = tuple(f"append:before:{number}" for number in (2, 3, 5, 7, 9, 12, 15, 17))
OTHERS = ("receive_event:before:2", "decide:before:1", "claim:before:2", "claim:before:3")


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait little after an outage: it is over at once."""
    monkeypatch.setattr(committer, "RESEND_DELAY_SECONDS", 0.01)
    monkeypatch.setattr(owner, "OUTAGE_DELAY_SECONDS", 0.01)
    monkeypatch.setattr(worker, "OUTAGE_DELAY_SECONDS", 0.01)


@pytest.mark.parametrize("point", [*APPENDS, *OTHERS])
async def test_order_survives_a_lost_answer(point: str, world: World) -> None:
    """
    The statement whose answer is lost is asked for again, and the order is done once.
    """
    target = Point.parse(point)
    async with losing_proxy(world.shop.database.app_url) as proxy:
        watch = LosingWatch(target, proxy)
        settings = world.shop.settings(world.account, app_url=proxy.url, heartbeat=timedelta(milliseconds=200))
        kernel = MortalKernel(settings, watch)

        finished = await live(kernel, world)

    assert finished
    assert 1 == proxy.lost
    assert watch.count(target.name, "before") == watch.count(target.name, "after") + 1
    assert [] == await audit(world.order)
    if target.name == "append":
        assert "remit_append_retries_total 1.0" in kernel.metrics.render().decode()
