"""Every crash point of an order, in every way a kernel can lose what it was doing there, and pairs of crashes."""

from __future__ import annotations

import asyncio
import multiprocessing
import random
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import asyncpg

from campaigns.record import Figure, Options, at_least, exactly, reading
from remit.runtime import committer, owner, worker
from remit.testing.database import ScratchServer
from remit_commerce.simulators.client import running_simulators
from tests.crash.auditor import audit
from tests.crash.kernels import MortalKernel, QuickSimulators, Shop, set_up
from tests.crash.points import CountingWatch, CuttingWatch, Point, Watch, listed
from tests.crash.proxy import ARGUMENTS, LosingWatch, losing_proxy
from tests.crash.victim import Assignment, serve_one
from tests.crash.world import StuckError, World, live, rescue

PROMISE: Final = (
    "An order survives the loss of its kernel, of a connection or of a commit's reply at every point, and a second "
    "crash at any point of the recovery: nothing is lost, done twice or stuck."
)
PAIRS: Final = 20_000
THINGS_MAX: Final = 60
PATIENCE_SECONDS: Final = 240.0
PAUSE_SECONDS: Final = 0.01
MODES: Final = ("crash", "cut connection", "lost reply", "SIGKILL")

Case = Callable[[Shop, "asyncpg.Connection[Any]", Point], Awaitable[list[str]]]


def run(options: Options) -> list[Figure]:
    """Play every point in every mode, and a sample of pairs."""
    for module, name in (
        (committer, "RESEND_DELAY_SECONDS"),
        (owner, "OUTAGE_DELAY_SECONDS"),
        (worker, "OUTAGE_DELAY_SECONDS"),
    ):
        setattr(module, name, PAUSE_SECONDS)  # an outage is over at once here
    played, findings = asyncio.run(_play(options))
    for finding in findings:
        sys.stdout.write(f"{finding}\n")
    points = len(listed())
    return [
        *(at_least(f"points with {mode}", played[mode], count_of(mode, options)) for mode in MODES),
        at_least("pairs of crashes", played["pair"], options.count(PAIRS)),
        reading("points of an order", points),
        exactly("findings of the audit (lost, doubled, stuck, stale)", len(findings)),
    ]


def points_of(mode: str) -> list[Point]:
    """Return the points at which a mode makes sense."""
    points = listed()
    if mode == "cut connection":
        return [point for point in points if "." not in point.name]
    if mode == "lost reply":
        return [point for point in points if point.name in ARGUMENTS and point.phase == "before"]
    return points


def count_of(mode: str, options: Options) -> int:
    """Return at how many points a mode is played: all of them, unless the scale is below a hundredth."""
    return max(1, round(len(points_of(mode)) * min(1.0, options.scale * 100)))


async def _play(options: Options) -> tuple[Counter[str], list[str]]:
    draw = random.Random(options.seed)
    played: Counter[str] = Counter()
    findings: list[str] = []
    async with shop_for_ever() as (shop, connection):

        async def one(mode: str, case: Case, point: Point) -> None:
            try:
                wrong = await case(shop, connection, point)
            except (StuckError, TimeoutError, AssertionError) as error:
                wrong = [repr(error)]
            played[mode] += 1
            findings.extend(f"{mode} at {point}, seed {options.seed}: {what}" for what in wrong)

        for mode, case in (("crash", crash), ("cut connection", cut), ("lost reply", lose_reply), ("SIGKILL", kill)):
            for point in draw.sample(points_of(mode), count_of(mode, options)):
                await one(mode, case, point)
        for _ in range(options.count(PAIRS)):
            number = draw.randint(8, THINGS_MAX)

            async def pair(
                shop: Shop, connection: asyncpg.Connection[Any], point: Point, number: int = number
            ) -> list[str]:
                return await crash_twice(shop, connection, point, number)

            await one("pair", pair, draw.choice(listed()))
    return played, findings


@asynccontextmanager
async def shop_for_ever() -> AsyncIterator[tuple[Shop, asyncpg.Connection[Any]]]:
    """Lend a shop on a scratch database, with simulators, and a superuser's connection."""
    with (
        tempfile.TemporaryDirectory() as folder,
        ScratchServer() as server,
        running_simulators(Path(folder)) as running,
    ):
        database = await server.create()
        simulators = QuickSimulators(url=running.url, token=running.token, pid=running.pid)
        shop = await set_up(database, simulators, Path(folder))
        connection = await asyncpg.connect(database.admin_url)
        try:
            yield shop, connection
        finally:
            await connection.close()
            await server.drop(database)


def world_of(shop: Shop, connection: asyncpg.Connection[Any]) -> World:
    """Return a new order."""
    world = World(shop, connection)
    world.open_shop()
    return world


async def crash(shop: Shop, connection: asyncpg.Connection[Any], point: Point) -> list[str]:
    """Let a kernel die at a point, and another one finish."""
    world = world_of(shop, connection)
    watch = Watch(point)
    if await live(MortalKernel(shop.settings(world.account), watch), world):
        return ["never reached"]
    return await _finish(world)


async def _finish(world: World) -> list[str]:
    await world.bury()
    replay = await rescue(MortalKernel(world.shop.settings(world.account), Watch()), world)
    wrong = await audit(world.order)
    if replay is None or not replay.is_verified:
        wrong.append("the replay differs")
    return wrong


async def cut(shop: Shop, connection: asyncpg.Connection[Any], point: Point) -> list[str]:
    """Cut the connection of one statement; the same kernel finishes."""
    world, watch = world_of(shop, connection), CuttingWatch(point)
    kernel = MortalKernel(shop.settings(world.account, heartbeat=timedelta(milliseconds=30)), watch)
    finished = await live(kernel, world)
    wrong = await audit(world.order)
    return wrong if finished and watch.was_cut else [*wrong, "never reached"]


async def lose_reply(shop: Shop, connection: asyncpg.Connection[Any], point: Point) -> list[str]:
    """Swallow the reply of a statement that the server executed; the same kernel finishes."""
    world = world_of(shop, connection)
    async with losing_proxy(shop.database.app_url) as proxy:
        settings = shop.settings(world.account, app_url=proxy.url, heartbeat=timedelta(milliseconds=200))
        finished = await live(MortalKernel(settings, LosingWatch(point, proxy)), world)
    wrong = await audit(world.order)
    return wrong if finished and proxy.lost == 1 else [*wrong, f"{proxy.lost} replies were lost"]


async def kill(shop: Shop, connection: asyncpg.Connection[Any], point: Point) -> list[str]:
    """Kill a real process at a point with SIGKILL; a kernel in this process finishes."""
    world = world_of(shop, connection)
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.crash.victim"])
    process = context.Process(target=serve_one, args=(Assignment.of(world), str(point), "SIGKILL"))
    await asyncio.to_thread(process.start)
    await asyncio.to_thread(process.join, PATIENCE_SECONDS)
    if process.exitcode != -signal.SIGKILL:
        process.kill()
        return [f"ended with {process.exitcode}"]
    await world.expire_leases()
    replay = await rescue(MortalKernel(shop.settings(world.account), Watch()), world)
    wrong = await audit(world.order)
    return wrong if replay is not None and replay.is_verified else [*wrong, "the replay differs"]


async def crash_twice(shop: Shop, connection: asyncpg.Connection[Any], point: Point, number: int) -> list[str]:
    """Let a kernel die at a point, the next one at the n-th thing that it does, and a third one finish."""
    world = world_of(shop, connection)
    settings = shop.settings(world.account)
    if await live(MortalKernel(settings, Watch(point)), world):
        return ["never reached"]
    await world.bury()
    if await rescue(MortalKernel(settings, CountingWatch(number)), world) is not None:
        return ["the second kernel never died"]
    return await _finish(world)
