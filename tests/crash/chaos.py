"""A database that fails as databases do: at random sites with a chosen SQLSTATE, or as a whole in one of many ways.

Owns: triggers that raise inside the server's own functions, what a superuser can do to connections, and the count of
every SQLSTATE that reached the kernel.
Does not know: what is right; the ledger's audit does.

A trigger counts with a sequence, which no roll-back takes back.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg

from remit.errors import RemitError
from remit.settings import Settings
from remit.store import database as database_module
from remit.store import session as session_module
from remit.testing.database import ScratchDatabase
from tests.crash.clients import Clients, prepare, tools_of
from tests.crash.kernels import ObservedKernel
from tests.crash.ledger import Book, Ledger, audit_ledger

CODES = ("40P01", "40001", "55P03", "57014", "57P01", "53100", "53200", "53300", "25006", "58030")
"""Deadlock, serialisation, lock and statement timeout, shutdown, disk, memory, connections, read-only, I/O."""

TABLES = ("heads", "runs", "journal", "payloads", "steps", "receipts", "inbox", "workers", "run_results")
SET_UP = """
create schema chaos;
create table chaos.control (code text, part double precision);
insert into chaos.control values ('', 0);
create sequence chaos.fired;
create function chaos.strike() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
declare
    control record;
begin
    select c.code, c.part into control from chaos.control c;
    if random() < control.part then
        perform nextval('chaos.fired');
        raise exception using errcode = control.code, message = 'struck';
    end if;
    return null;
end
$$;
grant usage on schema chaos to public;
"""
TRIGGER = (
    "create trigger chaos_{table} before insert or update on remit.{table} for each statement "
    "execute function chaos.strike()"
)


@contextmanager
def counted_sqlstates() -> Iterator[Counter[str]]:
    """Count every SQLSTATE that the kernel's store hears of."""
    counts: Counter[str] = Counter()
    originals = {module: module.translate for module in (session_module, database_module)}

    def counting(error: BaseException, *, statement: str) -> RemitError:
        counts[getattr(error, "sqlstate", None) or type(error).__name__] += 1
        return originals[session_module](error, statement=statement)

    for module in originals:
        module.translate = counting
    try:
        yield counts
    finally:
        for module, original in originals.items():
            module.translate = original


class Chaos:
    """What a superuser does to one database of its own."""

    def __init__(self, connection: asyncpg.Connection[Any]) -> None:
        self._connection = connection
        self.terminated = 0

    async def set_up(self) -> None:
        """Install the triggers."""
        await self._connection.execute(SET_UP)
        for table in TABLES:
            await self._connection.execute(TRIGGER.format(table=table))

    async def strike(self, code: str, part: float) -> None:
        """Let a part of all writing statements fail with a SQLSTATE, at whichever of their sites."""
        await self._connection.execute("update chaos.control set code = $1, part = $2", code, part)

    async def fired(self) -> int:
        """Return how often a trigger raised, ever."""
        return int(
            await self._connection.fetchval("select case when is_called then last_value else 0 end from chaos.fired")
        )

    async def terminate(self) -> int:
        """End every connection of the kernel, the one that listens among them; returns how many."""
        ended = await self._connection.fetchval(
            "select count(*) filter (where pg_terminate_backend(pid)) from pg_stat_activity "
            "where datname = current_database() and usename = 'remit_app'"
        )
        self.terminated += ended
        return int(ended)

    @asynccontextmanager
    async def role_setting(self, name: str, value: str) -> AsyncIterator[None]:
        """Let new connections of the kernel have a setting, and make all of them new, now and afterwards."""
        where = f"alter role remit_app in database {await self._name()}"
        await self._connection.execute(f"{where} set {name} = '{value}'")
        await self.terminate()
        try:
            yield
        finally:
            await self._connection.execute(f"{where} reset {name}")
            await self.terminate()

    @asynccontextmanager
    async def connection_limit(self, limit: int) -> AsyncIterator[None]:
        """Let the database take only so many connections."""
        name = await self._name()
        await self._connection.execute(f"alter database {name} connection limit {limit}")
        await self.terminate()
        try:
            yield
        finally:
            await self._connection.execute(f"alter database {name} connection limit -1")

    @asynccontextmanager
    async def locked_out(self) -> AsyncIterator[None]:
        """Hold a lock on all workers and heads, before connections that wait for nothing."""
        async with self.role_setting("lock_timeout", "1ms"), self._connection.transaction():
            await self._connection.execute("lock table remit.workers, remit.heads in exclusive mode")
            yield

    async def _name(self) -> str:
        return str(await self._connection.fetchval("select current_database()"))

    @property
    def outages(self) -> dict[str, Callable[[], Any]]:
        """Return the outages by the SQLSTATE that the server gives them."""
        return {
            "57P01": self._terminating,
            "57014": lambda: self.role_setting("statement_timeout", "1ms"),
            "55P03": self.locked_out,
            "25006": lambda: self.role_setting("default_transaction_read_only", "on"),
            "25P03": lambda: self.role_setting("idle_in_transaction_session_timeout", "1ms"),
            "53300": lambda: self.connection_limit(0),
        }

    @asynccontextmanager
    async def _terminating(self) -> AsyncIterator[None]:
        await self.terminate()
        yield
        await self.terminate()


@dataclass
class Struck:
    """What was done and seen."""

    fired: Counter[str] = field(default_factory=Counter)
    heard: Counter[str] = field(default_factory=Counter)
    acknowledged: int = 0
    terminated: int = 0
    findings: list[str] = field(default_factory=list)
    normal_seconds: list[float] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class Storm:
    """How much is to happen: strikes of each code at random sites, and outages of each kind of so many seconds."""

    strikes: int
    outages: int
    outage_seconds: float = 0.3
    part: float = 0.08
    codes: tuple[str, ...] = CODES
    pool_size: int = 8
    patience_seconds: float = 120.0


async def weather(database: ScratchDatabase, folder: Path, storm: Storm, *, seed: int) -> Struck:
    """Run clients on a kernel through a storm; return what happened, and what the audit finds afterwards."""
    seen, book, draw = Struck(), Book(folder / "book.sqlite"), random.Random(seed)
    settings = Settings(
        database_app_url=database.app_url,
        heartbeat=timedelta(seconds=0.2),
        sweep=timedelta(seconds=0.5),
        poll=timedelta(seconds=0.2),
        pool_size=storm.pool_size,
    )
    connection = await asyncpg.connect(database.admin_url)
    chaos = Chaos(connection)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(connection.close)
        await chaos.set_up()
        seen.heard = stack.enter_context(counted_sqlstates())
        kernel = ObservedKernel(tools=tools_of(book), packs=[], settings=settings)
        await stack.enter_async_context(kernel)
        clients = Clients(kernel=kernel, digests=await prepare(kernel))
        async with _load(clients, patience_seconds=storm.patience_seconds):
            await _strike_all(chaos, storm, seen)
            await _all_outages(chaos, clients, storm, seen, draw)
    seen.findings = await audit_ledger(database.admin_url, clients.ledger, book)
    seen.acknowledged, seen.terminated = clients.ledger.count, chaos.terminated
    book.close()
    return seen


async def _strike_all(chaos: Chaos, storm: Storm, seen: Struck) -> None:
    for code in storm.codes if storm.strikes else ():
        before = await chaos.fired()
        await chaos.strike(code, storm.part)
        await _until(lambda before=before: _has_fired(chaos, before + storm.strikes), storm.patience_seconds)
        await chaos.strike("", 0)
        seen.fired[code] += await chaos.fired() - before


async def _has_fired(chaos: Chaos, count: int) -> bool:
    return await chaos.fired() >= count


async def _all_outages(chaos: Chaos, clients: Clients, storm: Storm, seen: Struck, draw: random.Random) -> None:
    loop = asyncio.get_running_loop()
    for code in [code for code in chaos.outages for _ in range(storm.outages)]:
        async with chaos.outages[code]():
            await _pause(storm.outage_seconds * draw.uniform(0.5, 1.5))
        began, before = loop.time(), _done(clients.ledger)
        await _until(lambda before=before: _as_is(_done(clients.ledger) > before), storm.patience_seconds)
        seen.normal_seconds.append(loop.time() - began)


@asynccontextmanager
async def _load(clients: Clients, *, at_once: int = 8, patience_seconds: float) -> AsyncIterator[None]:
    stop = asyncio.Event()

    async def lane(number: int) -> None:
        while not stop.is_set():
            await clients.order(number)
            number += at_once + 1

    lanes = [asyncio.create_task(lane(number)) for number in range(at_once)]
    try:
        yield
    finally:
        stop.set()
        async with asyncio.timeout(patience_seconds):
            await asyncio.gather(*lanes)


def _done(ledger: Ledger) -> int:
    return sum(order.output is not None for order in list(ledger.orders.values()))


async def _as_is(is_so: bool) -> bool:
    return is_so


async def _until(ask: Callable[[], Awaitable[bool]], seconds: float) -> None:
    async with asyncio.timeout(seconds):
        while not await ask():
            await _pause(0.02)


async def _pause(seconds: float) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await asyncio.Event().wait()
