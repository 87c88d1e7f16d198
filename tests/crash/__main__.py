"""``python -m tests.crash points`` lists the crash points of an order anew; ``report`` writes the page about them."""

import asyncio
import sys
import tempfile
from pathlib import Path

import asyncpg

from remit.testing.database import ScratchServer, scratch_database
from remit_commerce.simulators.client import running_simulators
from tests.crash.kernels import MortalKernel, set_up
from tests.crash.points import LIST, Watch, certain
from tests.crash.report import write_page
from tests.crash.world import World, live

HEADER = """# Crash points of an order: name:phase:ordinal, in the order in which a kernel reaches them.
# Written by: python -m tests.crash points
"""


async def list_points() -> list[str]:
    """Return the points of one undisturbed order."""
    with (
        ScratchServer() as server,
        tempfile.TemporaryDirectory() as folder,
        running_simulators(Path(folder)) as running,
    ):
        async with scratch_database(server) as database:
            shop = await set_up(database, running, Path(folder))
            connection = await asyncpg.connect(database.admin_url)
            world, watch = World(shop, connection), Watch()
            world.open_shop()
            await live(MortalKernel(shop.settings(world.account), watch), world)
            await connection.close()
            return [str(point) for point in certain(watch.reached)]


def main(arguments: list[str]) -> int:
    """Run a command."""
    if arguments == ["points"]:
        points = asyncio.run(list_points())
        LIST.write_text(HEADER + "".join(f"{point}\n" for point in points), encoding="utf-8")
        sys.stdout.write(f"{len(points)} points in {LIST}\n")
        return 0
    if arguments == ["report"]:
        write_page()
        return 0
    sys.stdout.write(f"{__doc__}\n")
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
