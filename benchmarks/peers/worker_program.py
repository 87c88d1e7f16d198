"""A process with nothing but a worker, until its input ends."""

from __future__ import annotations

import contextlib
import os
from collections.abc import AsyncIterator
from typing import Any

from benchmarks import workloads
from benchmarks.peers.harness import serve
from remit import Kernel, Settings
from remit.runtime.collector import spare_collector


class Worker:
    """Answers nothing: what it does is asked of the database."""

    async def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """Say yes."""
        return request


@contextlib.asynccontextmanager
async def opened() -> AsyncIterator[Worker]:
    """Work on whatever is claimable."""
    settings = Settings(
        database_url=os.environ["BENCH_DATABASE_URL"], database_app_url=os.environ["BENCH_DATABASE_APP_URL"]
    )
    async with Kernel(tools=[workloads.bench_step], packs=[], settings=settings):
        spare_collector()
        yield Worker()


if __name__ == "__main__":
    serve(opened)
