"""The HTTP API fails at no request: generated ones for every route, with hostile paths, queries, headers and bodies."""

from __future__ import annotations

import asyncio
import logging
from typing import Final

import structlog

import remit_commerce
from campaigns.record import Figure, Options, at_least, exactly, reading
from remit.api.app import create_app, routes_of
from remit.bootstrap import Kernel
from remit.testing.database import ScratchServer
from tests.attacks.routes import Tally, attack
from tests.integration.isolation.houses import furnish_both, settings_of

PROMISE: Final = "No request makes the HTTP API fail, act without a key, or answer anything but what is documented."
REQUESTS: Final = 2_000
"""For each route."""


def run(options: Options) -> list[Figure]:
    """Send the requests to the application on a database with two furnished tenants."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    tally, routes = asyncio.run(_attack(options))
    for wrong in tally.wrong[:5]:
        print(wrong[:1_000])
    by_status: dict[int, int] = {}
    for (_, status), count in tally.statuses.items():
        by_status[status] = by_status.get(status, 0) + count
    return [
        at_least("routes", routes, 10),
        at_least("requests", tally.statuses.total(), options.count(REQUESTS) * routes),
        exactly("requests answered otherwise than documented", len(tally.wrong)),
        exactly("answers of 500 and more", sum(count for status, count in by_status.items() if status >= 500)),
        at_least("statuses seen", len(by_status), 10),
        *(reading(f"answers of {status}", count) for status, count in sorted(by_status.items())),
    ]


async def _attack(options: Options) -> tuple[Tally, int]:
    with ScratchServer() as server:
        database = await server.create()
        house, _ = await furnish_both(database)
        async with Kernel(packs=[remit_commerce.pack()], settings=settings_of(database), has_worker=False) as kernel:
            routes = routes_of(kernel)
            count = options.count(REQUESTS)
            tally = await attack(create_app(kernel), routes, house, seed=str(options.seed), count=count)
        await server.drop(database)
    return tally, len(routes)
