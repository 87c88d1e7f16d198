"""A relay dies at each point of a delivery and the next one finishes: nothing is lost, what comes twice is the same."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from remit.core.states import OutboxStatus
from remit.ports.notifier import Notification, Notifier, NotifyOutcome
from remit.testing.database import ScratchDatabase
from tests.integration.outbox.receiver import Receiver
from tests.integration.outbox.world import kernel_with, publish, relay_on, until_listed

LEASE = timedelta(milliseconds=400)

POINTS = {
    ("claim_outbox", "before"): 1,
    ("claim_outbox", "after"): 1,
    ("load_outbox", "before"): 1,
    ("load_outbox", "after"): 1,
    ("notify", "before"): 1,
    ("notify", "after"): 2,
    ("settle_outbox", "before"): 2,
    ("settle_outbox", "after"): 1,
}
"""Where a relay dies, and how often the subscriber hears of the message then."""


class RelayDiedError(BaseException):
    """Nothing of ours catches this."""


class Watch:
    """Sees a relay's statements and notifications, and ends it at a point: nothing of it goes on."""

    def __init__(self, name: str, phase: str) -> None:
        self._point = (name, phase)
        self.died = asyncio.Event()

    async def before(self, statement: str) -> None:
        self.reach(statement, "before")

    async def after(self, statement: str) -> None:
        self.reach(statement, "after")

    def reach(self, name: str, phase: str) -> None:
        if self.died.is_set() or (name, phase) == self._point:
            self.died.set()
            raise RelayDiedError(f"{name}:{phase}")

    def around(self, notifier: Notifier) -> Notifier:
        return WatchedNotifier(notifier.notify, self)


class WatchedNotifier:
    """A notifier whose calls are points."""

    def __init__(self, notify: Callable[[Notification], Awaitable[NotifyOutcome]], watch: Watch) -> None:
        self._notify = notify
        self._watch = watch

    async def notify(self, notification: Notification) -> NotifyOutcome:
        self._watch.reach("notify", "before")
        outcome = await self._notify(notification)
        self._watch.reach("notify", "after")
        return outcome


@pytest.mark.parametrize("point", POINTS, ids=":".join)
async def test_relay_dies_at_a_point(scratch: ScratchDatabase, receiver: Receiver, point: tuple[str, str]) -> None:
    """
    The subscriber hears of the message once, or twice if the relay died between telling and recording.
    """
    watch = Watch(*point)
    async with kernel_with(scratch, receiver.url, has_relay=False) as kernel:
        (run,) = await publish(kernel)
        async with relay_on(scratch, watch=watch, lease=LEASE):
            async with asyncio.timeout(10):
                await watch.died.wait()
        async with relay_on(scratch, lease=LEASE):
            await until_listed(kernel, lambda listed: listed[0].status == OutboxStatus.DELIVERED)

    assert [POINTS[point]] == list(receiver.counts.values())
    assert 1 == len({one.body for one in receiver.received})
    assert {f'"{message_id}"'.encode() for message_id in receiver.counts} == {run.output}
