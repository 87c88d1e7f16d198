"""What probes share: a context that is undone, and the text of every statement that the store sends.

Owns: nothing that a probe asserts.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import asyncpg

from remit.store.statements import FOLDER, load_statements

NO_CONTEXT: Final = "RM001"
DENIED: Final = "42501"
COMMENT: Final = re.compile(r"--[^\n]*")


@asynccontextmanager
async def context(connection: asyncpg.Connection[Any], tenant_id: str | None) -> AsyncIterator[None]:
    """Run what is inside in a tenant's context, or in none, and undo it."""
    transaction = connection.transaction()
    await transaction.start()
    try:
        if tenant_id is not None:
            await connection.execute(f"set local remit.tenant_id = '{tenant_id}'")
        yield
    finally:
        await transaction.rollback()


async def outcome(connection: asyncpg.Connection[Any], statement: str, *arguments: object) -> object:
    """Return a statement's first value or its count of rows, or the SQLSTATE that it is refused with; undone."""
    savepoint = connection.transaction()
    await savepoint.start()
    try:
        prepared = await connection.prepare(statement)
        rows = await prepared.fetch(*arguments)
        status = prepared.get_statusmsg()
    except asyncpg.PostgresError as error:
        return error.sqlstate
    finally:
        await savepoint.rollback()
    if status.startswith("SELECT"):
        return rows[0][0] if rows else None
    return int(status.rpartition(" ")[2]) if status[-1].isdigit() else status


def shipped_sql() -> dict[str, str]:
    """Return every SQL text of the store by the name of its file or statement, without comments."""
    queries = {path.stem for path in (FOLDER / "queries").glob("*.sql")} - {"testing"}
    texts = {f"{name}.{key}": text for name in queries for key, text in load_statements(name).items()}
    texts |= {path.name: path.read_text(encoding="utf-8") for path in _scripts()}
    return {name: COMMENT.sub("", text).lower() for name, text in texts.items()}


def _scripts() -> list[Path]:
    return [*(FOLDER / "functions").glob("*.sql"), *(FOLDER / "migrations").glob("*.sql")]
