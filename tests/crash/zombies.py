"""A kernel that is paused and goes on later, as a stopped process does: its whole event loop stands still.

Owns: the thread that such a kernel lives in. Does not know: what happens while it stands still.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Self

import asyncpg

from tests.crash.kernels import MortalKernel, Shop
from tests.crash.points import Point, Watch
from tests.crash.world import World, live

PATIENCE_SECONDS = 30.0
LOOK_SECONDS = 0.01
LOOKS_MAX = 1_000

Life = Callable[[MortalKernel, World], Awaitable[object]]


class PausingWatch(Watch):
    """Stops everything in its thread at a point until it is told to go on."""

    def __init__(self, target: Point) -> None:
        super().__init__()
        self._pause = target
        self.never = threading.Event()
        self.paused = threading.Event()
        self.resumed = threading.Event()

    def reach(self, name: str, phase: str) -> None:
        """Count a point; stand still if it is the one."""
        super().reach(name, phase)
        if self.reached[-1] == self._pause:
            self.paused.set()
            assert self.resumed.wait(PATIENCE_SECONDS)


class Zombie:
    """A kernel in a thread of its own that serves an order up to a point, and from there on when it is woken.

    ``life`` is how it serves it; ``metrics`` is what it counted, once it has ended.
    """

    def __init__(self, shop: Shop, order_id: int, point: Point, *, life: Life = live) -> None:
        self._shop = shop
        self._order_id = order_id
        self._watch: PausingWatch
        self._loop: asyncio.AbstractEventLoop
        self._point = point
        self._life = life
        self._error: BaseException | None = None
        self._started = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.metrics = ""

    async def __aenter__(self) -> Self:
        """Return when it stands still."""
        self._thread.start()
        assert await asyncio.to_thread(self._started.wait, PATIENCE_SECONDS)
        is_paused = await asyncio.to_thread(self._watch.paused.wait, PATIENCE_SECONDS)
        assert is_paused, f"{self._point} was never reached: {self._error!r}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let it go on and end, if nobody did so before."""
        if error is not None:
            await self.kill()
        await self.wake()

    async def go_on(self) -> None:
        """Let it go on, and return when it has done what it was about to do."""
        point = self._point
        self._watch.resumed.set()
        for _ in range(LOOKS_MAX):
            if self._watch.count(point.name) >= point.ordinal:
                return
            await asyncio.to_thread(self._watch.never.wait, LOOK_SECONDS)
        raise AssertionError(f"{point} was never left")

    async def kill(self) -> None:
        """End it as a crash would."""
        self._watch.resumed.set()
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._watch.die)

    async def wake(self) -> None:
        """Let it go on, and return when it has ended.

        Raises:
            AssertionError: it failed, or does not end.
        """
        self._watch.resumed.set()
        await asyncio.to_thread(self._thread.join, PATIENCE_SECONDS)
        assert not self._thread.is_alive()
        assert self._error is None, repr(self._error)

    def _run(self) -> None:
        try:
            asyncio.run(self._live())
        except BaseException as error:  # boundary: told to the test
            self._error = error
            self._started.set()

    async def _live(self) -> None:
        connection = await asyncpg.connect(self._shop.database.admin_url)
        self._watch = PausingWatch(self._point)
        self._loop = asyncio.get_running_loop()
        world = World(self._shop, connection, order_id=self._order_id)
        kernel = MortalKernel(self._shop.settings(world.account), self._watch)
        self._started.set()
        await self._life(kernel, world)
        self.metrics = kernel.metrics.render().decode()
        await connection.close()
