"""A commit was executed and its answer got lost on the network: the kernel asks again and assumes nothing."""

from datetime import timedelta

import pytest

from remit.runtime import committer, owner, worker
from tests.crash.auditor import audit
from tests.crash.kernels import MortalKernel
from tests.crash.points import RECURRING, Point, Watch, listed
from tests.crash.proxy import LosingWatch, losing_proxy
from tests.crash.world import World, live, rescue

APPENDS = tuple(f"append:before:{number}" for number in (2, 3, 5, 7, 9, 12, 15, 17))
OTHERS = (
    "register_worker:before:1",
    "receive_event:before:1",
    "receive_event:before:2",
    "submit:before:1",
    "mark_event_started:before:1",
    "heartbeat:before:1",
    "heartbeat:before:4",
    "sweep:before:1",
    "decide:before:1",
    "claim:before:2",
    "claim:before:3",
    "retire_worker:before:1",
)

FORGONE = frozenset({"mark_event_started", "retire_worker"})
"""Statements that nobody asks for again when their answer is lost: the event is known as started, or nobody is left."""


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait little after an outage: it is over at once."""
    monkeypatch.setattr(committer, "RESEND_DELAY_SECONDS", 0.01)
    monkeypatch.setattr(owner, "OUTAGE_DELAY_SECONDS", 0.01)
    monkeypatch.setattr(worker, "OUTAGE_DELAY_SECONDS", 0.01)


def test_every_statement_that_commits_loses_a_reply() -> None:
    """
    Each kind of statement that stores something in an order is among those whose reply is lost.
    """
    committing = {point.name for point in listed() if point.phase_class == "commit executed, reply lost"}

    assert committing - {"mint"} == {Point.parse(point).name for point in (*APPENDS, *OTHERS)}


@pytest.mark.parametrize("point", [*APPENDS, *OTHERS])
async def test_order_survives_a_lost_answer(point: str, world: World) -> None:
    """
    The statement whose answer is lost is asked for again, and the order is done once.

    One more of those that come back by the clock may be without an answer: the kernel's stop cuts it short.
    """
    target = Point.parse(point)
    async with losing_proxy(world.shop.database.app_url) as proxy:
        watch = LosingWatch(target, proxy)
        settings = world.shop.settings(world.account, app_url=proxy.url, heartbeat=timedelta(milliseconds=200))
        kernel = MortalKernel(settings, watch)

        finished = await live(kernel, world)

    assert finished
    assert 1 == proxy.lost
    asked, answered = watch.count(target.name, "before"), watch.count(target.name, "after")
    assert (answered >= target.ordinal) == (target.name not in FORGONE)
    assert asked - answered - 1 in range(1 + (target.name in RECURRING))
    assert [] == await audit(world.order)
    if target.name == "append":
        assert "remit_append_retries_total 1.0" in kernel.metrics.render().decode()


async def test_settlement_survives_a_lost_answer(world: World) -> None:
    """
    A person's word about a parked mail, whose answer is lost, is said again and counts once.
    """
    settings = world.shop.settings(world.account)
    await live(MortalKernel(settings, Watch(Point.parse("sendgrid.mail.send:after:1"))), world)
    await world.bury()
    async with losing_proxy(world.shop.database.app_url) as proxy:
        settings = world.shop.settings(world.account, app_url=proxy.url, heartbeat=timedelta(milliseconds=200))
        watch = LosingWatch(Point.parse("deliver:before:1"), proxy)

        replay = await rescue(MortalKernel(settings, watch), world)

    assert replay is not None
    assert 1 == proxy.lost
    assert [] == await audit(world.order)
