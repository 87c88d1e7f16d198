"""Bugs in a database: a function or policy changed by a textual edit, which fails when its place is gone.

Owns: the edits. Does not know: who finds them.
"""

from __future__ import annotations

from typing import Any

import asyncpg


async def replant(connection: asyncpg.Connection[Any], function: str, *edits: tuple[str, str]) -> None:
    """Replace texts in a server function, each of which must be there."""
    text = await connection.fetchval(
        "select pg_get_functiondef(p.oid) from pg_proc p "
        "where p.proname = $1 and p.pronamespace = 'remit'::regnamespace",
        function,
    )
    for old, new in edits:
        assert old in text, f"{function} changed: plant the bug anew"
        text = text.replace(old, new)
    await connection.execute(text)


async def open_policy(connection: asyncpg.Connection[Any], table: str) -> None:
    """Let a table's policy pass every row: what is left is what statements say themselves."""
    await connection.execute(f"alter policy tenant on remit.{table} using (true) with check (true)")
