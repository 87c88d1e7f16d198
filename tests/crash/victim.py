"""``python -m tests.crash.victim POINT SIGNAL``: a kernel as a process of its own that gets a signal at a point.

Serves the order that it is assigned on standard input; at the point it sends itself SIGKILL or SIGSTOP. One that comes
to its end prints its metrics.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

import asyncpg
import msgspec

from remit.testing.database import ScratchDatabase
from tests.crash.kernels import MortalKernel, QuickSimulators, Shop
from tests.crash.points import Point, Watch
from tests.crash.world import World, live


class Assignment(msgspec.Struct, frozen=True, kw_only=True):
    """Which order, in which shop."""

    order_id: int
    database: str
    admin_url: str
    owner_url: str
    app_url: str
    simulators_url: str
    simulators_token: str
    books: str
    endpoints: dict[str, str]

    @classmethod
    def of(cls, world: World) -> Assignment:
        """Return the assignment of a world's order."""
        shop = world.shop
        return cls(
            order_id=world.order_id,
            database=shop.database.name,
            admin_url=shop.database.admin_url,
            owner_url=shop.database.owner_url,
            app_url=shop.database.app_url,
            simulators_url=shop.simulators.url,
            simulators_token=shop.simulators.token,
            books=str(shop.books),
            endpoints=dict(shop.endpoints),
        )

    def shop(self) -> Shop:
        """Return the shop."""
        return Shop(
            database=ScratchDatabase(
                name=self.database, admin_url=self.admin_url, owner_url=self.owner_url, app_url=self.app_url
            ),
            simulators=QuickSimulators(url=self.simulators_url, token=self.simulators_token, pid=0),
            books=Path(self.books),
            endpoints=self.endpoints,
        )


class SignallingWatch(Watch):
    """Sends its own process a signal at a point."""

    def __init__(self, target: Point, number: signal.Signals) -> None:
        super().__init__()
        self._signalled = target
        self._number = number

    def reach(self, name: str, phase: str) -> None:
        """Count a point; if it is the one, the process gets its signal in the middle of it."""
        super().reach(name, phase)
        if self.reached[-1] == self._signalled:
            os.kill(os.getpid(), self._number)


async def serve(assignment: Assignment, point: Point, number: signal.Signals) -> None:
    """Serve the order until the signal comes."""
    connection = await asyncpg.connect(assignment.admin_url)
    world = World(assignment.shop(), connection, order_id=assignment.order_id)
    kernel = MortalKernel(world.shop.settings(world.account), SignallingWatch(point, number))
    await live(kernel, world)
    await connection.close()
    sys.stdout.write(kernel.metrics.render().decode())


def serve_one(assignment: Assignment, point: str, number: str) -> None:
    """Serve the order in this process."""
    asyncio.run(serve(assignment, Point.parse(point), signal.Signals[number]))


if __name__ == "__main__":
    assigned = msgspec.json.decode(sys.stdin.buffer.readline(), type=Assignment)
    asyncio.run(serve(assigned, Point.parse(sys.argv[1]), signal.Signals[sys.argv[2]]))
