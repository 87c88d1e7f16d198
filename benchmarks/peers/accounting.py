"""What a measurement cost: CPU seconds of process trees, the server's own counters, and what else the machine did.

Owns: reading ``/proc`` and the server's statistics. Does not know: engines.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import asyncpg

TICKS_PER_SECOND: Final = os.sysconf("SC_CLK_TCK")
STATISTICS_SECONDS: Final = 10.5
"""An idle connection reports what it did after ten seconds at the latest."""

WRITES: Final = """
select pg_snapshot_xmax(pg_current_snapshot())::text::bigint as transactions,
    pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint as wal_bytes
"""
FSYNCS: Final = "select coalesce(sum(fsyncs), 0)::bigint as fsyncs from pg_stat_io where object = 'wal'"
ROWS: Final = """
select coalesce(sum(n_tup_ins + n_tup_upd + n_tup_del), 0)::bigint as rows,
    coalesce(sum(n_tup_upd), 0)::bigint as updates, coalesce(sum(n_tup_hot_upd), 0)::bigint as hot_updates
from pg_stat_user_tables
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class CpuTime:
    """CPU seconds so far; ``machine`` is everybody's, ``stolen`` what the host took, ``at`` the instant."""

    client: float
    server: float
    machine: float
    stolen: float
    at: float


def cpu_time(client: int, server: int) -> CpuTime:
    """Return what two process trees have used, and the machine. A server below the client counts once, as server."""
    children = _children()
    serving = _tree(server, children)
    working = [pid for pid in _tree(client, children) if pid not in serving]
    busy, stolen = _machine()
    return CpuTime(client=_used(working), server=_used(serving), machine=busy, stolen=stolen, at=time.perf_counter())


def cost(before: CpuTime, after: CpuTime) -> dict[str, float]:
    """Return the CPU seconds between two readings, and the share of the machine that others had meanwhile."""
    client, server = after.client - before.client, after.server - before.server
    capacity = (after.at - before.at) * (os.cpu_count() or 1)
    others = max(0.0, after.machine - before.machine - client - server)
    return {
        "client_cpu_seconds": client,
        "server_cpu_seconds": server,
        "others_share": others / capacity,
        "stolen_share": (after.stolen - before.stolen) / capacity,
    }


def resident_mib(pid: int) -> float:
    """Return the largest resident size that a process has had."""
    for line in Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return 0.0


async def writes(admin: asyncpg.Connection[Any]) -> dict[str, int]:
    """Return how many writing transactions began so far and how long the log is; exact at once."""
    return dict(await admin.fetchrow(WRITES))


async def statistics(admin_url: str) -> dict[str, int]:
    """Return fsyncs of the log and rows written, once all idle connections have reported theirs."""
    await asyncio.sleep(STATISTICS_SECONDS)
    admin = await asyncpg.connect(admin_url)
    try:
        return {**dict(await admin.fetchrow(FSYNCS)), **dict(await admin.fetchrow(ROWS))}
    finally:
        await admin.close()


def difference(before: dict[str, int], after: dict[str, int]) -> dict[str, int]:
    """Return what was added between two readings."""
    return {name: after[name] - before[name] for name in after}


def _children() -> dict[int, list[int]]:
    children: dict[int, list[int]] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            fields = _stat(int(folder.name))
            if fields:
                children.setdefault(int(fields[1]), []).append(int(folder.name))
    return children


def _tree(root: int, children: dict[int, list[int]]) -> set[int]:
    found: set[int] = set()
    waiting = [root]
    while waiting:
        pid = waiting.pop()
        if pid and pid not in found:
            found.add(pid)
            waiting += children.get(pid, [])
    return found


def _used(pids: Iterable[int]) -> float:
    """Return the CPU seconds of processes, with those of their children that have ended."""
    return sum(sum(int(ticks) for ticks in _stat(pid)[11:15]) for pid in pids) / TICKS_PER_SECOND


def _stat(pid: int) -> list[str]:
    """Return a process's fields after its name, which may hold anything; nothing if it is gone."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except (FileNotFoundError, ProcessLookupError):
        return []
    return text[text.rindex(")") + 2 :].split()


def _machine() -> tuple[float, float]:
    """Return the machine's busy seconds and those that its host gave to others."""
    fields = [int(ticks) for ticks in Path("/proc/stat").read_text(encoding="utf-8").splitlines()[0].split()[1:9]]
    user, nice, system, _idle, _waiting, interrupts, soft_interrupts, stolen = fields
    return (user + nice + system + interrupts + soft_interrupts) / TICKS_PER_SECOND, stolen / TICKS_PER_SECOND
