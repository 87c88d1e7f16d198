"""An order survives the loss of a connection at each single statement, in a kernel that lives on."""

from datetime import timedelta

import pytest

from remit.runtime import committer, owner, worker
from tests.crash.auditor import audit
from tests.crash.kernels import MortalKernel
from tests.crash.points import CuttingWatch, Point, listed
from tests.crash.world import World, live

STATEMENTS = [point for point in listed() if "." not in point.name]


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait little after an outage: it is over at once."""
    monkeypatch.setattr(committer, "RESEND_DELAY_SECONDS", 0.01)
    monkeypatch.setattr(owner, "OUTAGE_DELAY_SECONDS", 0.01)
    monkeypatch.setattr(worker, "OUTAGE_DELAY_SECONDS", 0.01)


@pytest.mark.parametrize("point", STATEMENTS, ids=str)
async def test_order_survives_a_cut_at(point: Point, world: World) -> None:
    """
    The statement was never sent, or its reply is lost; the same kernel finishes the order, and the books agree.
    """
    watch = CuttingWatch(point)
    settings = world.shop.settings(world.account, heartbeat=timedelta(milliseconds=30))

    finished = await live(kernel := MortalKernel(settings, watch), world)

    assert finished
    assert watch.was_cut, f"{point} was never reached"
    assert [] == await audit(world.order)
    assert 0 == kernel.worker.owned_count
