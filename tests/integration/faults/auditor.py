"""The auditor: compares what providers did with what we have receipts for, and says what is wrong.

Owns: reading the providers' books (SQLite) and our tables (plain SQL, as a superuser), and the findings.
Does not know: the kernel. It shares no code with it, not even the recipe of references, which is written down again
here: whatever both sides got wrong together would go unseen.

A lane is one tenant with one account at every provider: everything in its books belongs to its runs.
"""

from __future__ import annotations

import hashlib
import itertools
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg

PROVIDERS = ("stripe", "shopify", "printful", "sendgrid", "fake")
TERMINAL = ("completed", "failed", "aborted", "cancelled")


@dataclass(frozen=True, kw_only=True)
class Books:
    """What the providers have on record, by lane."""

    effects: Mapping[str, list[dict[str, Any]]]
    requests: Mapping[str, list[dict[str, Any]]]

    def fired(self, lane: str) -> Counter[str]:
        """Return how often each fault was really played on a lane."""
        return Counter(row["fault"] for row in self.requests[lane] if row["fault"] is not None)


@dataclass(kw_only=True)
class Verdict:
    """What the auditor found in one lane; ``duplicates`` and ``losses`` are among the findings."""

    findings: list[str] = field(default_factory=list)
    duplicates: int = 0
    losses: int = 0
    effects: int = 0
    receipts: int = 0
    parked: int = 0
    attempts_max: int = 0


def read_books(folder: Path, credentials: Mapping[str, Mapping[str, str]]) -> Books:
    """Read all books once, sorted by lane: ``credentials`` are each lane's, by provider."""
    owners = {(name, account(secret)): lane for lane, held in credentials.items() for name, secret in held.items()}
    effects: dict[str, list[dict[str, Any]]] = defaultdict(list)
    requests: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for provider, table in itertools.product(PROVIDERS, ("effects", "requests")):
        into = effects if table == "effects" else requests
        for row in _rows(folder / f"{provider}.sqlite", table):
            lane = owners.get((provider, row["account"]))
            if lane is not None:
                into[lane].append({"provider": provider, **row})
    return Books(effects=effects, requests=requests)


def _rows(book: Path, table: str) -> list[dict[str, Any]]:
    connection = sqlite3.connect(f"file:{book}?mode=ro", uri=True)
    connection.row_factory = sqlite3.Row
    try:
        return [dict(row) for row in connection.execute(f"SELECT * FROM {table} ORDER BY sequence")]
    finally:
        connection.close()


def account(credential: str) -> str:
    """Return the account under which the books keep a credential's rows."""
    return "acct_" + hashlib.sha256(credential.encode()).hexdigest()[:16]


def reference_of(lane: str, run_id: str, step: str) -> str:
    """Return the reference that a step's call carries: half of the digest of its key, in hex."""
    return hashlib.sha256(f"{lane}:{run_id}:{step}:1".encode()).hexdigest()[:32]


async def audit(database_url: str, books: Books, lanes: Iterable[str], *, attempts_max: int) -> dict[str, Verdict]:
    """Compare books and tables of some lanes, one row each way."""
    connection = await asyncpg.connect(database_url)
    try:
        names = sorted(lanes)
        runs = await _by_lane(
            connection,
            "select h.tenant_id, h.run_id, h.status, h.waiting_for, h.worker_id, h.quarantined_at from remit.heads h "
            "where h.tenant_id = any($1)",
            names,
        )
        steps = await _by_lane(
            connection,
            "select tenant_id, run_id, step, tool, status::text as status, reason, attempt from remit.steps "
            "where tenant_id = any($1)",
            names,
        )
        receipts = await _by_lane(connection, "select * from remit.receipts where tenant_id = any($1)", names)
        messages = await _by_lane(
            connection, "select tenant_id, run_id, step from remit.outbox where tenant_id = any($1)", names
        )
    finally:
        await connection.close()
    return {
        lane: _judge(
            lane, runs[lane], steps[lane], receipts[lane], messages[lane], books=books, attempts_max=attempts_max
        )
        for lane in names
    }


async def _by_lane(connection: Any, query: str, names: list[str]) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in await connection.fetch(query, names):
        found[row["tenant_id"]].append(dict(row))
    return found


def _judge(
    lane: str,
    runs: list[dict[str, Any]],
    steps: list[dict[str, Any]],
    receipts: list[dict[str, Any]],
    messages: list[dict[str, Any]],
    *,
    books: Books,
    attempts_max: int,
) -> Verdict:
    effects = books.effects.get(lane, [])
    parked = [row for row in steps if row["status"] == "unknown"]
    verdict = Verdict(
        effects=len(effects),
        receipts=len(receipts),
        parked=len(parked),
        attempts_max=max((row["attempt"] for row in steps), default=0),
    )
    say = verdict.findings.append
    for run in runs:
        is_over = run["status"] in TERMINAL
        is_asking = run["status"] == "waiting" and str(run["waiting_for"]).startswith("settlement of ")
        if run["quarantined_at"] is not None or not (is_over or is_asking) or run["worker_id"] is not None:
            say(f"stuck: run {run['run_id']} is {run['status']}, waits for {run['waiting_for']!r}")
    if verdict.attempts_max > attempts_max:
        say(f"policy: {verdict.attempts_max} attempts, {attempts_max} are allowed")
    changing = Counter(
        (row["operation"], row["reference"])
        for row in books.requests.get(lane, [])
        if not row["operation"].endswith(READING)
    )
    for (operation, reference), count in changing.items():
        if count > attempts_max:
            say(f"policy: {count} requests of {operation} for {reference}, {attempts_max} are allowed")
    _pair(verdict, effects, receipts, parked, lane)
    local = [row for row in receipts if row["delivery_class"] == "local"]
    if Counter(row["run_id"] for row in local) != Counter(row["run_id"] for row in messages):
        say(f"messages: {len(messages)} for {len(local)} receipts")
    for row in parked:
        if not row["reason"]:
            say(f"parked without a reason: {row['tool']}")
    return verdict


def _pair(
    verdict: Verdict,
    effects: list[dict[str, Any]],
    receipts: list[dict[str, Any]],
    parked: list[dict[str, Any]],
    lane: str,
) -> None:
    """Pair effects with receipts, one to one; an effect without one must be named by a parked step."""
    say = verdict.findings.append
    done = Counter((f"{row['provider']}.{row['operation']}", row["reference"]) for row in effects)
    proven = Counter((row["tool"], str(row["external_key"])[-32:]) for row in receipts)
    asked = {(row["tool"], reference_of(lane, str(row["run_id"]), row["step"])) for row in parked}
    for (operation, reference), count in done.items():
        tool = TOOLS.get(operation, operation)
        if count > 1:
            verdict.duplicates += count - 1
            say(f"duplicate: {count} times {operation} for {reference}")
        if (tool, reference) not in proven and (tool, reference) not in asked:
            verdict.losses += 1
            say(f"lost: nobody knows of {operation} for {reference}")
    known = {(TOOLS.get(operation, operation), reference) for operation, reference in done}
    names = {(f"{row['provider']}.{row['operation']}", row["reference"]): row["object_id"] for row in effects}
    for row in receipts:
        named = names.get((row["tool"], str(row["external_key"])[-32:]))
        if row["tool"] != CAPTURE and named not in {None, row["external_reference"]}:
            say(f"receipts: {row['tool']} names {row['external_reference']}, the book {named}")
    for (tool, reference), count in proven.items():
        if count > 1:
            say(f"receipts: {count} of {tool} for {reference}")
        if (tool, reference) not in known and tool != "fake.local":
            say(f"receipts: {tool} for {reference} proves nothing")


READING = (".get", ".list", ".find")
"""How operations are called that change nothing: looking is not trying again."""

CAPTURE = "stripe.payment_intents.capture"
"""Its receipt names the charge, the book the payment."""

TOOLS = {
    "fake.things.keyed": "fake.keyed",
    "fake.things.forgetful": "fake.forgetful",
    "fake.things.queryable": "fake.queryable",
    "fake.things.opaque": "fake.opaque",
}
"""Whose effect it is, where the provider's name for it is another one."""
