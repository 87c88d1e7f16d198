"""What clients were told, and an audit of whether it is true.

Owns: a list of acknowledgements that clients keep by themselves, a provider's book in a file, and the comparison of
both with our tables (plain SQL, as a superuser).
Does not know: the kernel. It shares no code with it, not even a constant: whatever both sides got wrong together would
go unseen.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg

CALLS_TABLE = (
    "create table if not exists calls (key text not null, run text not null, number integer not null, at real not null)"
)
EFFECTS_TABLE = "create table if not exists effects (key text primary key, run text not null, number integer not null)"


class Book:
    """A provider's durable book: every call, and every effect under its key, which it does once.

    Any number of processes write to it at the same time.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._connection = sqlite3.connect(path, timeout=60.0, isolation_level=None)
        for statement in ("pragma journal_mode = wal", "pragma synchronous = off", CALLS_TABLE, EFFECTS_TABLE):
            self._connection.execute(statement)

    def do(self, key: str, *, run: str, number: int, at: float) -> int:
        """Do an effect once, and return what number it has."""
        self._connection.execute("insert into calls values (?, ?, ?, ?)", (key, run, number, at))
        self._connection.execute("insert or ignore into effects values (?, ?, ?)", (key, run, number))
        (done,) = self._connection.execute("select number from effects where key = ?", (key,)).fetchone()
        return int(done)

    def find(self, key: str) -> int | None:
        """Return the number of an effect, ``None`` if it was never done."""
        found = self._connection.execute("select number from effects where key = ?", (key,)).fetchone()
        return None if found is None else int(found[0])

    def effects(self) -> list[tuple[str, str, int]]:
        """Return key, run and number of everything that was done."""
        return [tuple(row) for row in self._connection.execute("select key, run, number from effects")]

    def calls(self) -> list[tuple[str, float]]:
        """Return run and monotonic instant of every call."""
        return [tuple(row) for row in self._connection.execute("select run, at from calls order by at")]

    def close(self) -> None:
        """Close it."""
        self._connection.close()


@dataclass(kw_only=True)
class Acknowledged:
    """What one client was told about one order."""

    number: int
    run_id: str
    is_signalled: bool = False
    output: Any = None


@dataclass
class Ledger:
    """Every acknowledgement, by submission key."""

    orders: dict[str, Acknowledged] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """Return how many things were acknowledged."""
        return sum(1 + order.is_signalled + (order.output is not None) for order in list(self.orders.values()))


async def audit_ledger(url: str, ledger: Ledger, book: Book | None = None) -> list[str]:
    """Return what is not as it was acknowledged, or not done once; nothing is right."""
    connection = await asyncpg.connect(url)
    try:
        runs = await connection.fetch(
            "select r.submission_key, r.run_id::text, h.status, h.sequence, h.epoch, h.worker_id, h.finished_at, "
            "e.output from remit.runs r join remit.heads h using (tenant_id, run_id) "
            "left join remit.run_results e using (tenant_id, run_id) where r.submission_key is not null"
        )
        entries = await connection.fetch(
            "select run_id::text, array_agg(sequence order by sequence) as sequences, "
            "array_agg(epoch order by sequence) as epochs from remit.journal group by run_id"
        )
        signals = await connection.fetch(
            "select run_id::text, count(*) from remit.inbox where kind = 'signal' group by 1"
        )
        receipts = await connection.fetch("select run_id::text, external_key from remit.receipts")
        quarantined = await connection.fetchval("select count(*) from remit.quarantines")
    finally:
        await connection.close()
    journals = {row["run_id"]: row for row in entries}
    findings = [
        *lost_orders(ledger, runs),
        *lost_signals(ledger, {row[0]: row[1] for row in signals}),
        *stuck_runs(runs),
        *broken_journals(runs, journals),
    ]
    if quarantined:
        findings.append(f"{quarantined} runs are quarantined")
    if book is not None:
        findings += unmatched_effects(book.effects(), receipts, ledger)
    return findings


def lost_orders(ledger: Ledger, runs: list[asyncpg.Record]) -> list[str]:
    """Say which acknowledged orders are gone, doubled, another's, or ended otherwise than their client was told."""
    findings = []
    found: dict[str, list[asyncpg.Record]] = {}
    for run in runs:
        found.setdefault(run["submission_key"], []).append(run)
    for key, order in ledger.orders.items():
        rows = found.get(key, [])
        if [row["run_id"] for row in rows] != [order.run_id]:
            findings.append(f"lost or doubled: {key} was acknowledged as {order.run_id}, found {rows}")
        elif order.output is not None:
            output = None if rows[0]["output"] is None else json.loads(rows[0]["output"])
            if (rows[0]["status"], output) != ("completed", order.output):
                findings.append(f"lost: {key} was done with {order.output}, found {rows[0]['status']} with {output}")
    return findings


def lost_signals(ledger: Ledger, signals: dict[str, int]) -> list[str]:
    """Say which acknowledged signals are gone or doubled."""
    return [
        f"signals: {key} was sent one, found {signals.get(order.run_id, 0)}"
        for key, order in ledger.orders.items()
        if order.is_signalled and signals.get(order.run_id, 0) != 1
    ]


def stuck_runs(runs: list[asyncpg.Record]) -> list[str]:
    """Say which runs are not over, or still somebody's."""
    return [
        f"stuck: {run['submission_key']} is {run['status']}, at entry {run['sequence']}, of {run['worker_id']}"
        for run in runs
        if run["finished_at"] is None or run["worker_id"] is not None
    ]


def broken_journals(runs: list[asyncpg.Record], journals: dict[str, asyncpg.Record]) -> list[str]:
    """Say which journals have gaps or were written by somebody whose claim was over."""
    findings = []
    for run in runs:
        journal = journals.get(run["run_id"])
        sequences = [] if journal is None else journal["sequences"]
        epochs = [] if journal is None else journal["epochs"]
        if sequences != list(range(1, run["sequence"] + 1)):
            findings.append(f"journal of {run['submission_key']}: entries {sequences}, head {run['sequence']}")
        if epochs != sorted(epochs) or max(epochs, default=0) > run["epoch"]:
            findings.append(f"journal of {run['submission_key']}: epochs {epochs}, head {run['epoch']}")
    return findings


def unmatched_effects(effects: list[tuple[str, str, int]], receipts: list[asyncpg.Record], ledger: Ledger) -> list[str]:
    """Compare the provider's book with our receipts: one row each way, and one for each order."""
    done = Counter(run for _, run, _ in effects)
    keys = {key for key, _, _ in effects}
    proven = Counter(row["external_key"] for row in receipts)
    findings = [f"duplicate: run {run} had {count} effects" for run, count in done.items() if count > 1]
    findings += [f"lost: an effect has no receipt: {key}" for key in keys - proven.keys()]
    findings += [f"receipt of nothing: {key}" for key in proven.keys() - keys]
    findings += [f"{count} receipts of {key}" for key, count in proven.items() if count > 1]
    findings += [
        f"lost: {key} is done without its effect"
        for key, order in ledger.orders.items()
        if order.output is not None and order.run_id not in done
    ]
    return findings
