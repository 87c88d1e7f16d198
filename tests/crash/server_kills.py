"""PostgreSQL killed again and again, under load and during its recovery.

Owns: the killing of a whole server, its timing, and what a kernel on an embedded server does meanwhile.
Does not know: what is right; the ledger's audit does.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from remit.bootstrap import Kernel
from remit.clock import monotonic
from remit.settings import Settings
from remit.store import EmbeddedServer
from tests.crash.clients import Clients, prepare, tools_of
from tests.crash.ledger import Book, audit_ledger

LOOK_SECONDS = 0.01
RECOVERY_KILLED_EACH = 3
"""Every third server is killed again as soon as its process is there: in the middle of its recovery."""

AT_ONCE = 12


@dataclass
class Killed:
    """What was done and seen."""

    kills: int = 0
    kills_in_recovery: int = 0
    acknowledged: int = 0
    goes_on_seconds: list[float] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)


class Killer:
    """Kills a server's postmaster and all of its children."""

    def __init__(self, folder: Path) -> None:
        self._file = next(folder.rglob("postmaster.pid"))
        self._killed: set[int] = set()
        self._never = asyncio.Event()

    async def kill(self, *, seconds: float = 60.0) -> bool:
        """Kill the server that comes next after those that were killed before; true if it was not ready yet."""
        deadline = monotonic() + seconds
        while monotonic() < deadline:
            pid, is_ready = self._look()
            if pid and pid not in self._killed:
                kill_family(pid)
                self._killed.add(pid)
                return not is_ready
            await self.pause(LOOK_SECONDS)
        raise TimeoutError("no server came up")

    async def pause(self, seconds: float) -> None:
        """Let time pass."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._never.wait()

    def _look(self) -> tuple[int, bool]:
        try:
            lines = self._file.read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return 0, False
        is_ready = len(lines) >= 8 and lines[7].strip() == "ready"
        return (int(lines[0]) if lines and lines[0].isdigit() else 0), is_ready


def kill_family(pid: int) -> None:
    """Kill a process and its children."""
    for victim in (pid, *children_of(pid)):
        with suppress(ProcessLookupError):
            os.kill(victim, signal.SIGKILL)


def children_of(pid: int) -> list[int]:
    """Return the processes whose parent this is."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, ValueError):
            fields = (folder / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()
            if int(fields[1]) == pid:
                found.append(int(folder.name))
    return found


async def kill_servers(
    folder: Path, *, kills: int, draw: random.Random, pause_seconds: float = 0.7, patience_seconds: float = 300.0
) -> Killed:
    """Run clients on an embedded server while it is killed; return what they saw and what the audit finds.

    After each kill it is measured how long it takes until some client is told that something is done.
    """
    seen = Killed()
    book = Book(folder / "book.sqlite")
    settings = Settings(data_dir=folder / "data", ballast_mb=0, disk_reserve_mb=0)
    async with Kernel(tools=tools_of(book), packs=[], settings=settings) as kernel:
        clients = Clients(kernel=kernel, digests=await prepare(kernel))
        killer = Killer(folder / "data")
        stop = asyncio.Event()
        load = [asyncio.create_task(_order_for_ever(clients, lane, stop)) for lane in range(AT_ONCE)]
        while seen.kills < kills:
            await killer.pause(draw.uniform(0.2, 1.8) * pause_seconds)
            await killer.kill()
            seen.kills += 1
            if seen.kills % RECOVERY_KILLED_EACH == 0 and seen.kills < kills:
                seen.kills_in_recovery += await killer.kill()
                seen.kills += 1
            seen.goes_on_seconds.append(await _next_acknowledgement(clients, killer))
        stop.set()
        async with asyncio.timeout(patience_seconds):
            await asyncio.gather(*load)
        found = EmbeddedServer(folder / "data").find()
        assert found is not None
        seen.findings = await audit_ledger(found.admin_url, clients.ledger, book)
        seen.acknowledged = clients.ledger.count
    book.close()
    return seen


async def _order_for_ever(clients: Clients, lane: int, stop: asyncio.Event) -> None:
    number = lane
    while not stop.is_set():
        await clients.order(number)
        number += AT_ONCE + 1


async def _next_acknowledgement(clients: Clients, killer: Killer) -> float:
    began, before = monotonic(), _done(clients)
    while _done(clients) == before:
        if monotonic() - began > 120.0:
            raise TimeoutError("nobody was told anything for two minutes")
        await killer.pause(LOOK_SECONDS)
    return monotonic() - began


def _done(clients: Clients) -> int:
    return sum(order.output is not None for order in list(clients.ledger.orders.values()))


def percentile_of(values: list[float], part: float) -> float:
    """Return the value below which a part of all values is; 0 for none."""
    ordered = sorted(values)
    return round(ordered[min(len(ordered) - 1, int(len(ordered) * part))], 2) if ordered else 0.0
