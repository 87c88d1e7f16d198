"""The auditor: compares what providers did with what we have receipts for.

Owns: reading the providers' books (SQLite) and our tables (plain SQL, as a superuser), and the findings.
Does not know: the kernel. It shares no code with it, not even a constant: whatever both sides got wrong together would
go unseen.

An order is one account at every provider, so everything in that account's books belongs to it: one row each way.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg

EFFECTS = {
    ("stripe", "payment_intents.authorize"): "stripe.payment_intents.authorize",
    ("stripe", "payment_intents.capture"): "stripe.payment_intents.capture",
    ("printful", "orders.create_draft"): "printful.orders.create_draft",
    ("printful", "orders.confirm"): "printful.orders.confirm",
    ("shopify", "fulfillments.create"): "shopify.fulfillments.create",
    ("sendgrid", "mail.send"): "sendgrid.mail.send",
}
"""What one order does at its providers, each exactly once, and the tool whose receipt says so."""

MAIL = ("sendgrid", "mail.send")
MONEY = frozenset({"stripe.payment_intents.authorize", "stripe.payment_intents.capture"})


@dataclass(frozen=True, kw_only=True)
class Order:
    """What the auditor is told: whose order it is, where the books are, what it costs.

    ``fences`` are the take-overs that somebody watched: after entry ``sequence`` nothing may carry an epoch below.
    """

    order_id: int
    amount_minor: int
    currency: str
    credentials: Mapping[str, str]
    books: Path
    database_url: str
    fences: tuple[tuple[int, int], ...] = ()


def read_effects(books: Path, credentials: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return everything that the providers did for an account, each with its provider."""
    effects = []
    for provider in ("stripe", "printful", "shopify", "sendgrid"):
        account = account_of(next(value for name, value in credentials.items() if name.startswith(provider)))
        connection = sqlite3.connect(f"file:{books / provider}.sqlite?mode=ro", uri=True)
        connection.row_factory = sqlite3.Row
        try:
            rows = connection.execute(
                "SELECT * FROM effects WHERE account = ? ORDER BY sequence", (account,)
            ).fetchall()
        finally:
            connection.close()
        effects += [{"provider": provider, **dict(row), "details": json.loads(row["details"])} for row in rows]
    return effects


def account_of(credential: str) -> str:
    """Return the account under which the books keep a credential's rows."""
    return "acct_" + hashlib.sha256(credential.encode()).hexdigest()[:16]


async def audit(order: Order) -> list[str]:
    """Return everything that is wrong with an order that is said to be done; nothing is right.

    Duplicates, losses, wrong amounts, stuck or unsuccessful runs, entries of writers that had lost their claim.
    """
    connection = await asyncpg.connect(order.database_url)
    try:
        runs = await connection.fetch(
            "select r.run_id, h.status, h.worker_id, h.finished_at, h.waiting_for, h.sequence, h.epoch, "
            "e.status as result from remit.runs r join remit.heads h using (tenant_id, run_id) "
            "left join remit.run_results e using (tenant_id, run_id) where r.submission_key = $1",
            f"shopify-order-{order.order_id}",
        )
        if len(runs) != 1:
            return [f"lost or doubled: expected one run of order {order.order_id}, found {len(runs)}"]
        run = runs[0]
        journal = await connection.fetch(
            "select sequence, epoch, at from remit.journal where run_id = $1 order by sequence", run["run_id"]
        )
        receipts = await connection.fetch("select * from remit.receipts where run_id = $1", run["run_id"])
        steps = await connection.fetch("select step, status, tool from remit.steps where run_id = $1", run["run_id"])
        words = await connection.fetch(
            "select a.step, a.status, a.requested_by, d.principal_id, d.decision from remit.approvals a "
            "left join remit.approval_decisions d using (tenant_id, approval_id) where a.run_id = $1",
            run["run_id"],
        )
    finally:
        await connection.close()
    effects = read_effects(order.books, order.credentials)
    return [
        *stuck(run),
        *broken(journal, run, order.fences),
        *repeated_steps(steps),
        *miscounted(effects, receipts, steps),
        *mispaired(effects, receipts),
        *mispriced(effects, receipts, order),
        *unasked(words),
    ]


def stuck(run: asyncpg.Record) -> list[str]:
    """Say if a run is not over, or did not end well."""
    if run["status"] == run["result"] == "completed" and run["worker_id"] is None and run["finished_at"] is not None:
        return []
    return [f"stuck: the run is {run['status']} ({run['result']}), waits for {run['waiting_for']!r}"]


def broken(journal: list[asyncpg.Record], run: asyncpg.Record, fences: tuple[tuple[int, int], ...]) -> list[str]:
    """Say where the journal has a gap, runs backwards, or was written by a worker whose claim was over."""
    findings = []
    if [row["sequence"] for row in journal] != list(range(1, run["sequence"] + 1)):
        findings.append(
            f"journal: expected entries 1 to {run['sequence']}, found {[row['sequence'] for row in journal]}"
        )
    epochs = [row["epoch"] for row in journal]
    instants = [row["at"] for row in journal]
    if epochs != sorted(epochs) or instants != sorted(instants) or max(epochs, default=0) > run["epoch"]:
        findings.append(f"journal: epochs or instants run backwards: {epochs}, head {run['epoch']}")
    for sequence, epoch in fences:
        stale = [row["sequence"] for row in journal if row["sequence"] > sequence and row["epoch"] < epoch]
        findings += [f"stale write: entry {entry} came after epoch {epoch} had taken over" for entry in stale]
    return findings


def repeated_steps(steps: list[asyncpg.Record]) -> list[str]:
    """Say which steps ended well more than once."""
    counts = Counter(row["step"] for row in steps if row["status"] in {"completed", "skipped"})
    return [f"step {step} ended {count} times" for step, count in counts.items() if count != 1]


def unasked(words: list[asyncpg.Record]) -> list[str]:
    """Say if the capture was not agreed to, once, by somebody else than who asked for it."""
    said = [(row["step"], row["status"], row["decision"], row["principal_id"]) for row in words]
    if said == [("capture", "approved", "approve", "approver")] and words[0]["requested_by"] == "commerce":
        return []
    return [f"approvals: expected one of the capture by approver, found {said}"]


def miscounted(effects: list[dict[str, Any]], receipts: list[asyncpg.Record], steps: list[asyncpg.Record]) -> list[str]:
    """Say which effects or receipts there are too many or too few of.

    Only the mail may lack its receipt, and only if its step was parked and a person settled it.
    """
    findings = []
    done = Counter((effect["provider"], effect["operation"]) for effect in effects)
    proven = Counter(row["tool"] for row in receipts)
    was_parked = {row["tool"] for row in steps if row["status"] == "unknown"}
    for operation, tool in EFFECTS.items():
        if done[operation] > 1:
            findings.append(f"duplicate: {done[operation]} times {operation[1]}")
        if done[operation] < 1:
            findings.append(f"lost: the provider never did {operation[1]}")
        may_lack = operation == MAIL and tool in was_parked
        if proven[tool] != 1 and not (may_lack and proven[tool] == 0):
            findings.append(f"receipts: expected one of {tool}, found {proven[tool]}")
    findings += [f"unexpected effect: {operation}" for operation in done.keys() - EFFECTS.keys()]
    findings += [f"unexpected receipt: {tool}" for tool in proven.keys() - set(EFFECTS.values())]
    return findings


def mispaired(effects: list[dict[str, Any]], receipts: list[asyncpg.Record]) -> list[str]:
    """Say which receipts do not name the effect that they prove."""
    findings = []
    keys = {(effect["provider"], effect["operation"]): effect for effect in effects}
    for operation, tool in EFFECTS.items():
        for receipt in receipts:
            effect = keys.get(operation)
            if receipt["tool"] != tool or effect is None:
                continue
            if receipt["external_key"][-32:] != effect["reference"]:
                findings.append(f"{tool}: the receipt's key {receipt['external_key']} is not {effect['reference']}")
            named = {effect["object_id"], effect["details"].get("charge"), receipt["external_reference"]}
            if tool != "stripe.payment_intents.capture" and len(named - {None}) != 1:
                findings.append(f"{tool}: the receipt names {receipt['external_reference']}, not {effect['object_id']}")
    references = Counter(receipt["external_reference"] for receipt in receipts if receipt["tool"] in MONEY)
    findings += [f"two receipts name {reference}" for reference, count in references.items() if count > 1]
    held, taken = keys.get(("stripe", "payment_intents.authorize")), keys.get(("stripe", "payment_intents.capture"))
    if held and taken and taken["details"]["payment_intent"] != held["object_id"]:
        findings.append(f"captured {taken['details']['payment_intent']}, authorized {held['object_id']}")
    return findings


def mispriced(effects: list[dict[str, Any]], receipts: list[asyncpg.Record], order: Order) -> list[str]:
    """Say where money differs between the order, the book and the receipt."""
    expected = (order.amount_minor, order.currency)
    booked = {
        f"the book's {effect['operation']}": (effect["amount_minor"], effect["currency"])
        for effect in effects
        if EFFECTS.get((effect["provider"], effect["operation"])) in MONEY
    }
    proven = {
        f"the receipt of {row['tool']}": (row["amount_minor"], row["currency"])
        for row in receipts
        if row["tool"] in MONEY
    }
    return [f"{what} says {got}, the order {expected}" for what, got in {**booked, **proven}.items() if got != expected]
