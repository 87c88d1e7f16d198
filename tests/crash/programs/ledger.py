"""The ledger: the world outside, in which programs have their effects.

Owns: a file that outlives every worker, what was done under which key, and who killed itself where.
Does not know: Remit.
"""

from __future__ import annotations

import os
import signal
import sqlite3
import time
from collections import Counter
from contextlib import closing
from pathlib import Path

TABLES = """
create table if not exists effects (
    number integer primary key, at real, kind text, key text, label text, value integer, pid integer
);
create index if not exists effects_key on effects (key);
create index if not exists effects_label on effects (label);
create table if not exists calls (
    number integer primary key, at real, kind text, label text, attempt integer, pid integer
);
create table if not exists deaths (label text primary key, at real, phase text, pid integer);
"""
WAIT_SECONDS = 30.0


class Ledger:
    """One connection to the ledger."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, timeout=WAIT_SECONDS, isolation_level=None, check_same_thread=False)
        self._connection.execute("pragma journal_mode = wal")
        self._connection.execute("pragma synchronous = off")  # machines do not fail here, processes do

    @classmethod
    def create(cls, path: Path) -> Ledger:
        """Return a new ledger."""
        ledger = cls(path)
        ledger._connection.executescript(TABLES)
        return ledger

    # --- what tools do ------------------------------------------------------------------------------------------------

    def call(self, kind: str, label: str, attempt: int) -> None:
        """Note that a call was made, by whom."""
        self._insert("calls", kind=kind, label=label, attempt=attempt)

    def do(self, kind: str, key: str, label: str, value: int) -> int:
        """Have an effect; a provider of keyed calls does the same once and answers the same again."""
        if kind == "keyed":
            found = self.find(key)
            if found is not None:
                return found
        self._insert("effects", kind=kind, key=key, label=label, value=value)
        return value

    def find(self, key: str) -> int | None:
        """Return the value of the effect under a key."""
        row = self._connection.execute("select value from effects where key = ? limit 1", (key,)).fetchone()
        return None if row is None else int(row[0])

    def die(self, label: str, phase: str) -> None:
        """Kill this process in the middle of a call, unless the label has had its victim."""
        if self._insert("deaths", label=label, phase=phase):
            os.kill(os.getpid(), signal.SIGKILL)

    def _insert(self, table: str, **values: object) -> int:
        row = {"at": time.time(), "pid": os.getpid(), **values}
        marks = ", ".join("?" * len(row))
        statement = f"insert or ignore into {table} ({', '.join(row)}) values ({marks})"
        return self._connection.execute(statement, list(row.values())).rowcount

    # --- what auditors ask --------------------------------------------------------------------------------------------

    def find_by_label(self, label: str) -> int | None:
        """Return the value of a step's effect."""
        row = self._connection.execute("select value from effects where label = ? limit 1", (label,)).fetchone()
        return None if row is None else int(row[0])

    def counts(self) -> Counter[str]:
        """Return how often each label had its effect."""
        with closing(self._connection.execute("select label, count(*) from effects group by label")) as rows:
            return Counter(dict(rows))

    def deaths(self) -> Counter[str]:
        """Return how many processes killed themselves, before and after effects."""
        with closing(self._connection.execute("select phase, count(*) from deaths group by phase")) as rows:
            return Counter(dict(rows))

    def call_count(self) -> int:
        """Return how many calls were made."""
        return int(self._connection.execute("select count(*) from calls").fetchone()[0])

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()
