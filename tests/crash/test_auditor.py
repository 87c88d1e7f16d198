"""The auditor itself: whatever is changed behind an order's back, it finds."""

from __future__ import annotations

import sqlite3
from typing import Any

import asyncpg
import pytest

from tests.crash.auditor import account_of, audit
from tests.crash.kernels import MortalKernel
from tests.crash.points import Watch
from tests.crash.world import World, live

OF_RUN = "where run_id = (select run_id from remit.runs where submission_key = $1)"

IN_OUR_TABLES = {
    "receipt-gone": (f"delete from remit.receipts {OF_RUN} and tool like '%create_draft'", "receipts"),
    "receipt-amount": (
        f"update remit.receipts set amount_minor = amount_minor - 1 {OF_RUN} and tool like '%capture'",
        "the receipt of",
    ),
    "receipt-currency": (
        f"update remit.receipts set currency = 'EUR' {OF_RUN} and tool like '%authorize'",
        "the receipt of",
    ),
    "receipt-key": (
        f"update remit.receipts set external_key = 'remit:' || md5('x') {OF_RUN} and tool like '%confirm'",
        "printful.orders.confirm",
    ),
    "receipt-object": (
        f"update remit.receipts set external_reference = '1' {OF_RUN} and tool like '%draft'",
        "printful.orders.create_draft",
    ),
    "mail-receipt-gone": (f"delete from remit.receipts {OF_RUN} and tool = 'sendgrid.mail.send'", "receipts"),
    "entry-gone": (f"delete from remit.journal {OF_RUN} and sequence = 4", "journal"),
    "entry-of-later-epoch": (f"update remit.journal set epoch = 99 {OF_RUN} and sequence = 3", "journal"),
    "run-not-over": (f"update remit.heads set finished_at = null {OF_RUN}", "stuck"),
    "run-failed": (f"update remit.heads set status = 'failed' {OF_RUN}", "stuck"),
    "run-gone": (
        "update remit.runs set submission_key = 'another' where submission_key = $1",
        "lost or doubled",
    ),
    "step-ended-twice": (
        (
            "insert into remit.steps select r.* from remit.steps s, jsonb_populate_record(s, '{\"ordinal\": 9}') r "
            "where s.run_id = (select run_id from remit.runs where submission_key = $1) and s.step = 'draft'"
        ),
        "step draft",
    ),
    "nobody-agreed": (
        f"delete from remit.approval_decisions where approval_id in (select approval_id from remit.approvals {OF_RUN})",
        "approvals",
    ),
}

IN_A_BOOK = {
    "effect-twice": (
        "stripe",
        (
            "INSERT INTO effects (operation, account, object_id, external_key, reference, amount_minor, currency, "
            "occurred_at, details) SELECT operation, account, object_id, 'k', 'r', amount_minor, currency, "
            "occurred_at, details FROM effects WHERE account = ? AND operation = 'payment_intents.capture'"
        ),
        "duplicate",
    ),
    "effect-gone": ("shopify", "DELETE FROM effects WHERE account = ?", "lost"),
    "effect-amount": ("stripe", "UPDATE effects SET amount_minor = 1 WHERE account = ?", "the book's"),
    "effect-of-another-kind": (
        "printful",
        "UPDATE effects SET operation = 'orders.cancel' WHERE account = ? AND operation = 'orders.confirm'",
        "unexpected effect",
    ),
}


async def complete(world: World) -> None:
    """Run an order to its end, about which the auditor has nothing to say."""
    await live(MortalKernel(world.shop.settings(world.account), Watch()), world)
    assert [] == await audit(world.order)


@pytest.mark.parametrize(("statement", "finding"), IN_OUR_TABLES.values(), ids=IN_OUR_TABLES)
async def test_auditor_finds_a_change_in_our_tables(
    statement: str, finding: str, world: World, connection: asyncpg.Connection[Any]
) -> None:
    """
    A row that is gone, doubled or changed is a finding.
    """
    await complete(world)

    await connection.execute("set session_replication_role = 'replica'")  # past the triggers that refuse changes
    await connection.execute(statement, f"shopify-order-{world.order_id}")

    assert any(found.startswith(finding) for found in await audit(world.order))


@pytest.mark.parametrize(("provider", "statement", "finding"), IN_A_BOOK.values(), ids=IN_A_BOOK)
async def test_auditor_finds_a_change_in_a_book(provider: str, statement: str, finding: str, world: World) -> None:
    """
    An effect that nobody asked for, or that did not happen as receipted, is a finding.
    """
    await complete(world)
    credential = next(value for name, value in world.account.credentials.items() if name.startswith(provider))

    with sqlite3.connect(world.shop.books / f"{provider}.sqlite", timeout=5.0) as book:
        changed = book.execute(statement, (account_of(credential),)).rowcount
    book.close()

    assert changed > 0
    assert any(found.startswith(finding) for found in await audit(world.order))
