"""Many leases that end together: how their runs come back, and what others notice of it.

Owns: runs of workers that are dead, kernels that take them over, a tenant that goes on meanwhile, and the measures.
Does not know: how runs are reclaimed.
"""

from __future__ import annotations

import asyncio
import uuid
from collections import Counter
from collections.abc import Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg

from remit.bootstrap import OPERATOR, Kernel
from remit.clock import DatabaseClock, monotonic
from remit.settings import Settings
from remit.testing.database import ScratchDatabase
from tests.crash.clients import Clients, prepare, tools_of
from tests.crash.kernels import ObservedKernel
from tests.crash.ledger import Acknowledged, Book, audit_ledger

RUNS_PER_WORKER = 100
LIVE_PERIOD_SECONDS = 0.05
LOOK_SECONDS = 0.05
DISPATCH = ("claim", "sweep", "heartbeat", "release")
LIVE_BEGUN = """
select coalesce(extract(epoch from percentile_disc(0.99) within group (order by begun - created_at)), 0)::float8
from (
    select r.created_at, j.at as begun from remit.runs r join remit.journal j using (tenant_id, run_id)
    where r.submission_key like 'live-%' and j.sequence = 1 order by r.created_at limit $1
) x
"""
"""How long the client's runs waited until somebody began them, while the others came back."""

EPOCH_ONCE = 3
"""The dead worker's claim, the sweep, the one claim after it."""


class JumpingClock(DatabaseClock):
    """A clock whose monotonic time jumps: so a lease has passed since the worker connected."""

    def __init__(self) -> None:
        super().__init__()
        self._jumped = 0.0

    def monotonic(self) -> float:
        """Return the machine's seconds and those that were jumped."""
        return super().monotonic() + self._jumped

    def jump(self, seconds: float) -> None:
        """Let time pass at once."""
        self._jumped += seconds


class Timing:
    """Counts every statement, and times claims."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.claim_seconds: list[float] = []
        self._began = 0.0

    async def before(self, statement: str) -> None:
        """Note when a claim leaves."""
        if statement == "claim":
            self._began = monotonic()

    async def after(self, statement: str) -> None:
        """Count it."""
        self.counts[statement] += 1
        if statement == "claim":
            self.claim_seconds.append(monotonic() - self._began)


@dataclass(kw_only=True)
class Expiry:
    """What was measured. Rates are statements a second over all workers."""

    runs: int
    findings: list[str] = field(default_factory=list)
    recovered_seconds: float = 0.0
    claimed_again: int = 0
    claim_p99_seconds: float = 0.0
    live_begun_p99_seconds: float = 0.0
    live_p99_seconds: float = 0.0
    live_runs: int = 0
    sweeps: int = 0
    dispatch_rate_normal: float = 0.0
    dispatch_rate_recovering: float = 0.0
    backlog_max: int = 0


async def expire_together(
    database: ScratchDatabase, folder: Path, *, runs: int, workers: int, seconds_max: float
) -> Expiry:
    """Let the leases of ``runs`` runs end together before ``workers`` kernels, under the load of another client."""
    book = Book(folder / "book.sqlite")
    settings = Settings(
        database_app_url=database.app_url,
        heartbeat=timedelta(seconds=0.5),
        sweep=timedelta(seconds=2),
        poll=timedelta(seconds=0.5),
    )
    measured = Expiry(runs=runs)
    connection = await asyncpg.connect(database.admin_url)
    try:
        async with ObservedKernel(tools=tools_of(book), packs=[], settings=settings, has_worker=False) as quiet:
            clients = Clients(kernel=quiet, digests=await prepare(quiet))
            await submit_all(clients, runs)
        await own_by_the_dead(connection, runs)
        await _recover(measured, clients, connection, book=book, settings=settings, workers=workers, limit=seconds_max)
        measured.findings += await audit_ledger(database.admin_url, clients.ledger, book)
        measured.claimed_again = await connection.fetchval(
            "select count(*) from remit.heads h join remit.runs r using (tenant_id, run_id) "
            "where r.submission_key like 'order-%' and h.epoch > $1",
            EPOCH_ONCE,
        )
        measured.live_begun_p99_seconds = await connection.fetchval(LIVE_BEGUN, measured.live_runs)
    finally:
        await connection.close()
    return measured


async def submit_all(clients: Clients, runs: int) -> None:
    """Submit orders that need no signal, in a process that works on none."""

    async def one(number: int) -> None:
        await clients.submit(number * 4 + 1)

    for start in range(0, runs, 256):
        await asyncio.gather(*(one(number) for number in range(start, min(start + 256, runs))))


async def own_by_the_dead(connection: asyncpg.Connection[Any], runs: int) -> None:
    """Let workers own the runs that registered once and will never be heard of again."""
    dead = [str(uuid.uuid4()) for _ in range(max(1, runs // RUNS_PER_WORKER))]
    await connection.execute(
        "insert into remit.workers (worker_id, lease, version, heartbeat_at) "
        "select w, interval '0', 'dead', now() from unnest($1::uuid[]) w",
        dead,
    )
    await connection.execute(
        "with numbered as (select tenant_id, run_id, row_number() over () as n from remit.heads where claimable_at "
        "is not null) update remit.heads h set worker_id = ($1::uuid[])[1 + n % $2], epoch = 1, claimable_at = null "
        "from numbered where (h.tenant_id, h.run_id) = (numbered.tenant_id, numbered.run_id)",
        dead,
        len(dead),
    )


async def _recover(
    measured: Expiry,
    clients: Clients,
    connection: asyncpg.Connection[Any],
    *,
    book: Book,
    settings: Settings,
    workers: int,
    limit: float,
) -> None:
    timings = [Timing() for _ in range(workers)]
    orders = list(clients.ledger.orders.values())
    async with AsyncExitStack() as stack:
        kernels = [
            ObservedKernel(observer=timing, tools=tools_of(book), packs=[], settings=settings) for timing in timings
        ]
        clocks = [JumpingClock() for _ in kernels]
        for kernel, clock in zip(kernels, clocks, strict=True):
            kernel.clock = clock
            await stack.enter_async_context(kernel)
        await _until(
            lambda: _as_count(min(timing.counts["heartbeat"] for timing in timings)), 1, connection, seconds=limit
        )
        for clock in clocks:
            clock.jump(settings.lease.total_seconds())
        live = Live(kernels[0], clients)
        living = asyncio.create_task(live.order_for_ever())
        first = await _until(lambda: _count_done(connection), 1, connection, seconds=limit)
        began, before = monotonic(), _dispatched(timings)
        rest = await _until(lambda: _count_done(connection), len(orders), connection, seconds=limit)
        measured.backlog_max = max(first, rest)
        measured.recovered_seconds = monotonic() - began
        measured.dispatch_rate_recovering = (_dispatched(timings) - before) / measured.recovered_seconds
        measured.sweeps = sum(timing.counts["sweep"] for timing in timings)
        measured.claim_p99_seconds = percentile([s for timing in timings for s in timing.claim_seconds], 0.99)
        began, before, alone = monotonic(), _dispatched(timings), len(live.seconds)
        await _until(lambda: _as_count(len(live.seconds) - alone), 40, connection, seconds=limit)
        measured.dispatch_rate_normal = (_dispatched(timings) - before) / (monotonic() - began)
        live.stopping.set()
        await living
        measured.live_runs, measured.live_p99_seconds = alone, percentile(live.seconds[:alone], 0.99)
        for order in orders:
            order.output = order.number + 3


class Live:
    """A client that goes on ordering, one after the other begins, and measures how long each takes."""

    def __init__(self, kernel: Kernel, clients: Clients) -> None:
        self._clients = Clients(kernel=kernel, digests=clients.digests, ledger=clients.ledger)
        self._under_way: set[asyncio.Task[None]] = set()
        self.seconds: list[float] = []
        self.stopping = asyncio.Event()

    async def order_for_ever(self) -> None:
        """Order every so often until told to stop; then wait for what is under way."""
        number = 1_000_000_001
        while not self.stopping.is_set():
            task = asyncio.create_task(self._order(number))
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)
            number += 4
            with suppress(TimeoutError):
                async with asyncio.timeout(LIVE_PERIOD_SECONDS):
                    await self.stopping.wait()
        await asyncio.gather(*self._under_way)

    async def _order(self, number: int) -> None:
        began = monotonic()
        kernel = self._clients.kernel
        submitted = await self._clients.insist(
            lambda: kernel.runs.submit(
                kernel.tenant_id,
                definition_digest=self._clients.digests[False],
                run_input={"number": number},
                principal_id=OPERATOR,
                submission_key=f"live-{number}",
            )
        )
        order = Acknowledged(number=number, run_id=submitted.run_id)
        self._clients.ledger.orders[f"live-{number}"] = order
        order.output = await self._clients.outcome(submitted.run_id)
        self.seconds.append(monotonic() - began)


def percentile(values: Sequence[float], part: float) -> float:
    """Return the value below which a part of all values is; 0 for none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))] if ordered else 0.0


def _dispatched(timings: Sequence[Timing]) -> int:
    return sum(timing.counts[name] for timing in timings for name in DISPATCH)


async def _count_done(connection: asyncpg.Connection[Any]) -> int:
    return int(
        await connection.fetchval(
            "select count(*) from remit.heads h join remit.runs r using (tenant_id, run_id) "
            "where h.finished_at is not null and r.submission_key like 'order-%'"
        )
    )


async def _as_count(count: int) -> int:
    return count


async def _until(count: Any, wanted: int, connection: asyncpg.Connection[Any], *, seconds: float) -> int:
    """Wait until a count is reached; return how many runs were claimable at most meanwhile."""
    deadline, never, backlog = monotonic() + seconds, asyncio.Event(), 0
    while await count() < wanted:
        assert monotonic() < deadline, f"{await count()} of {wanted} within {seconds:g} s"
        due = await connection.fetchval("select count(*) from remit.heads where claimable_at <= clock_timestamp()")
        backlog = max(backlog, int(due))
        with suppress(TimeoutError):
            async with asyncio.timeout(LOOK_SECONDS):
                await never.wait()
    return backlog
