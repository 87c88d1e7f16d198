"""The database's own catalogue says that tenants are apart, and each check of it finds what it is there to find."""

from __future__ import annotations

from typing import Any

import asyncpg
import pytest

from tests.integration.isolation.catalogue import CHECKS, Check, Violation, findings

PLANTED = [
    pytest.param(check, planted, id=f"{check.check_id}-{number}")
    for check in CHECKS
    for number, planted in enumerate(check.violations, start=1)
]


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.check_id)
async def test_catalogue_keeps_tenants_apart(check: Check, admin: asyncpg.Connection[Any]) -> None:
    """
    Nothing in the schema breaks the check, whatever tables, keys, functions and grants a migration has made.
    """
    found = await findings(admin, check)

    assert [] == found, check.promise


@pytest.mark.parametrize(("check", "planted"), PLANTED)
async def test_check_finds_a_planted_violation(
    check: Check, planted: Violation, admin: asyncpg.Connection[Any]
) -> None:
    """
    With one thing made wrong the check tells of it, and of nothing once it is undone.
    """
    transaction = admin.transaction()
    await transaction.start()
    await admin.execute(planted.statement)
    found = await findings(admin, check)
    await transaction.rollback()

    assert any(planted.found in finding for finding in found), found
    assert [] == await findings(admin, check)
