"""The book of a simulated provider: what it knows and what it did, durable before it answers.

Owns: one SQLite file per provider. A request's changes and effects are one transaction, committed before its answer is
sent, so an answer may get lost but an effect never does. The book survives a SIGKILL of the process (not a power cut).
Does not know: any provider's rules.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Final

import orjson

from remit.core.canonical import JsonValue

QUERY_NAME: Final = re.compile(r"^-- name: (\w+)$", re.MULTILINE)
EVERYONE: Final = "*"
"""Account of objects that every credential may see, such as seeded orders."""

JsonObject = dict[str, JsonValue]


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """One thing that the provider did. Amounts are minor units; ``details`` are what an auditor may want beside."""

    operation: str
    account: str
    object_id: str
    external_key: str | None = None
    reference: str | None = None
    amount_minor: int | None = None
    currency: str | None = None
    details: Mapping[str, JsonValue] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestEntry:
    """One request that arrived, executed or not, and which fault was played on it."""

    operation: str
    account: str
    external_key: str | None
    reference: str | None
    fault: str | None
    status: int | None


class Book:
    """One provider's book. Used by one thread."""

    def __init__(self, path: Path) -> None:
        self._queries = _queries()
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = NORMAL")
        self._connection.executescript(self._queries["schema"])

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Make what happens inside one atomic entry; an exception undoes it."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:  # boundary: whatever happened, nothing of it may stay half done
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    def put(self, kind: str, object_id: str, body: JsonObject, *, account: str) -> None:
        """Write an object."""
        row = {"kind": kind, "id": object_id, "account": account, "body": orjson.dumps(body).decode()}
        self._connection.execute(self._queries["put_object"], row)

    def find(self, kind: str, object_id: str, *, account: str) -> JsonObject | None:
        """Return an object that this account may see."""
        row = self._connection.execute(self._queries["find_object"], {"kind": kind, "id": object_id}).fetchone()
        return orjson.loads(row[0]) if row is not None and row[1] in {account, EVERYONE} else None

    def objects(self, kind: str, *, account: str) -> list[JsonObject]:
        """Return the account's objects of a kind, newest first."""
        rows = self._connection.execute(self._queries["list_objects"], {"kind": kind, "account": account})
        return [orjson.loads(body) for (body,) in rows]

    def delete(self, kind: str, object_id: str) -> None:
        """Forget an object."""
        self._connection.execute(self._queries["delete_object"], {"kind": kind, "id": object_id})

    def record(self, effect: Effect, *, occurred_at: str) -> None:
        """Enter an effect; in the same transaction as what it changes."""
        row = {
            "operation": effect.operation,
            "account": effect.account,
            "object_id": effect.object_id,
            "external_key": effect.external_key,
            "reference": effect.reference,
            "amount_minor": effect.amount_minor,
            "currency": effect.currency,
            "occurred_at": occurred_at,
            "details": orjson.dumps(dict(effect.details or {})).decode(),
        }
        self._connection.execute(self._queries["insert_effect"], row)

    def log(self, entry: RequestEntry, *, occurred_at: str) -> None:
        """Enter a request."""
        row = {
            "operation": entry.operation,
            "account": entry.account,
            "external_key": entry.external_key,
            "reference": entry.reference,
            "fault": entry.fault,
            "status": entry.status,
            "occurred_at": occurred_at,
        }
        self._connection.execute(self._queries["insert_request"], row)

    def count(self, name: str) -> int:
        """Return the next value of a counter, from 1; durable with the transaction it is drawn in."""
        value = self.counter(name) + 1
        self.set_counter(name, value)
        return value

    def counter(self, name: str) -> int:
        """Return a counter's value, 0 if it was never set."""
        row = self._connection.execute(self._queries["get_counter"], {"name": name}).fetchone()
        return 0 if row is None else int(row[0])

    def set_counter(self, name: str, value: int) -> None:
        """Set a counter."""
        self._connection.execute(self._queries["set_counter"], {"name": name, "value": value})

    def dump(self) -> JsonObject:
        """Return everything as JSON for an auditor: ``effects``, ``requests`` and ``objects``, in order."""
        return {
            "effects": self._rows("list_effects"),
            "requests": self._rows("list_requests"),
            "objects": self._rows("dump_objects"),
        }

    def _rows(self, query: str) -> list[JsonValue]:
        cursor = self._connection.execute(self._queries[query])
        names = [column[0] for column in cursor.description]
        return [_readable(dict(zip(names, row, strict=True))) for row in cursor]


def _readable(row: JsonObject) -> JsonObject:
    for name in ("details", "body"):
        if isinstance(text := row.get(name), str):
            row[name] = orjson.loads(text)
    return row


def _queries() -> dict[str, str]:
    """Return the statements of ``book.sql`` by name."""
    text = files(__package__).joinpath("book.sql").read_text(encoding="utf-8")
    parts = QUERY_NAME.split(text)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))
