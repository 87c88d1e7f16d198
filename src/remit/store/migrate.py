"""Migrations: Alembic in order, our ``.sql`` files in substance.

Owns: moving a database's schema up and down, as the role that owns it.
Does not know: who uses the schema afterwards. Alembic is imported here only, and only when something has to move: it
writes one script, which runs in one transaction on our own driver.

A database of one's own: ``DATABASE_URL`` is the owner of the database, or a role that may create schemas in it. The
roles ``remit_app`` and ``remit_dispatch`` must exist, unless the owner may create roles. The kernel connects with
``DATABASE_APP_URL``: a login that is ``remit_app`` or a member of it. If that is not given, `derive_app_url` says which
login is used: ``remit_app`` with a password that follows from the owner's, which `upgrade` sets when it makes the role.
A role that is there already keeps its password; then ``DATABASE_APP_URL`` has to be given.
"""

from __future__ import annotations

import asyncio
import hmac
import io
from contextlib import suppress
from typing import Any, Final
from urllib.parse import quote, unquote, urlsplit, urlunsplit

import asyncpg

from remit.errors import SettingsInvalidError, StoreUnavailableError, UnsafeDatabaseError
from remit.store.faults import DRIVER_ERRORS, loggable, translate
from remit.store.session import CONNECT_SECONDS_MAX, connect_session, require_supported
from remit.store.statements import FOLDER, load_statements

APP_ROLE: Final = "remit_app"
DEADLOCKS_MAX: Final = 20
"""The server ends one of two that wait for each other after a second; a busy system lets a script pass soon."""

MIGRATION_SECONDS_MAX: Final = 3600.0
"""A migration may have to wait for long transactions and rewrite tables."""

_MIGRATE: Final = load_statements("migrate")


def derive_app_url(owner_url: str) -> str:
    """Return the application role's URL for a database whose owner's URL is known.

    The user is ``remit_app``; its password is an HMAC of a fixed text under the owner's password, so that every process
    that knows the one knows the other, and nobody has to store it.

    Raises:
        SettingsInvalidError: the URL names no password; give ``DATABASE_APP_URL`` then.
    """
    parts = urlsplit(owner_url)
    if not parts.password:
        raise SettingsInvalidError(
            "expected a password in DATABASE_URL to derive the application's from; give DATABASE_APP_URL instead"
        )
    password = _derived_password(unquote(parts.password))
    address = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{quote(APP_ROLE)}:{password}@{address}"))


async def status(owner_url: str) -> tuple[str | None, str]:
    """Return the schema's version, ``None`` if there is none, and the newest one that we know, without Alembic."""
    session = await connect_session(owner_url)
    try:
        row = await session.fetch_row(_MIGRATE, "has_schema")
        rows = await session.fetch(_MIGRATE, "version") if row is not None and row["has_schema"] else []
    finally:
        await session.close()
    return (rows[0]["version_num"] if rows else None), newest_version()


def newest_version() -> str:
    """Return the version of the newest migration."""
    return max(known_versions())


def known_versions() -> set[str]:
    """Return the versions that there are migrations for."""
    return {path.name.partition("_")[0] for path in (FOLDER / "migrations" / "versions").glob("[0-9]*.py")}


async def upgrade(owner_url: str, *, revision: str = "head") -> None:
    """Bring the schema to a version, by default the newest, in one transaction.

    Raises:
        UnsafeDatabaseError: the server is too old, a role is missing and we may not create it, or we may not create the
            schema.
        StoreUnavailableError: the server cannot be reached.
    """
    await _prepare(owner_url)
    await _migrate(owner_url, "upgrade", revision)


async def downgrade(owner_url: str, *, revision: str = "base") -> None:
    """Take the schema back to an older version, by default to none. Data that the older one does not know is lost."""
    await _migrate(owner_url, "downgrade", revision)


def run_file(name: str) -> None:
    """Add a ``.sql`` file of any number of statements to the script being written; only for migrations."""
    from alembic import op

    op.get_context().impl.static_output((FOLDER / name).read_text(encoding="utf-8"))


async def _prepare(owner_url: str) -> None:
    """Make the schema, and the roles and the application's password where we may."""
    session = await connect_session(owner_url)
    try:
        await require_supported(session)
        missing = {row["name"] for row in await session.fetch(_MIGRATE, "missing_roles")}
        row = await session.fetch_row(_MIGRATE, "can_create_roles")
        can_create = row is not None and row["can_create_roles"]
        if missing and not can_create:
            raise UnsafeDatabaseError(
                f"expected the roles {', '.join(sorted(missing))}: create them with NOLOGIN and grant remit_dispatch "
                "to the schema's owner, or let the owner create roles",
                missing=sorted(missing),
            )
        if "remit_dispatch" in missing:
            await session.fetch(_MIGRATE, "create_role_dispatch")
            await session.fetch(_MIGRATE, "grant_dispatch")
        if "remit_app" in missing:
            await session.fetch(_MIGRATE, "create_role_app")
            await session.fetch(_MIGRATE, "grant_connect")
            await _set_app_password(session, owner_url)
        await session.fetch(_MIGRATE, "create_schema")
    finally:
        await session.close()


async def _set_app_password(session: Any, owner_url: str) -> None:
    password = urlsplit(owner_url).password
    if password:
        text = _MIGRATE["set_app_password"].format(password=_derived_password(unquote(password)))
        await session.fetch({"set_app_password": text}, "set_app_password")


def _derived_password(owner_password: str) -> str:
    return hmac.digest(owner_password.encode(), b"remit.app.password.1", "sha256").hex()


async def _migrate(owner_url: str, direction: str, revision: str) -> None:
    """Let Alembic write the script from the version that is there, then run it in one transaction.

    A script that locks several tables may meet readers and workers head-on: then it begins again, which they do too.
    """
    for _ in range(DEADLOCKS_MAX):
        with suppress(asyncpg.DeadlockDetectedError):
            return await _migrate_once(owner_url, direction, revision)
    raise StoreUnavailableError(
        f"expected to {direction} beside what runs, met it head-on {DEADLOCKS_MAX} times: try again, or stop workers",
        retryable=True,
    )


async def _migrate_once(owner_url: str, direction: str, revision: str) -> None:
    connection = await _connect(owner_url)
    try:
        async with connection.transaction():
            await connection.execute(_MIGRATE["lock"])
            is_new = not await connection.fetchval(_MIGRATE["has_schema"])
            found = None if is_new else await connection.fetchval(_MIGRATE["version"])
            if found is not None and found not in known_versions():
                raise UnsafeDatabaseError(
                    f"expected a schema of at most version {newest_version()}, got {found}: use the newer Remit",
                    found=found,
                )
            script = await asyncio.to_thread(write_script, direction, found, revision)
            if not script.strip():
                return
            await connection.execute(script)
            if await connection.fetchval(_MIGRATE["version"]) is None:
                await connection.execute(_MIGRATE["forget_versions"])
    except asyncpg.DeadlockDetectedError:
        raise
    except DRIVER_ERRORS as error:
        raise translate(error, statement=direction) from loggable(error)
    finally:
        await connection.close()


def write_script(direction: str, found: str | None, revision: str) -> str:
    """Return the SQL that moves a schema at version ``found`` to a revision, and its version table with it."""
    from alembic import command
    from alembic.config import Config

    output = io.StringIO()
    config = Config(output_buffer=output)
    config.set_main_option("script_location", str(FOLDER / "migrations"))
    move = {"upgrade": command.upgrade, "downgrade": command.downgrade}[direction]
    move(config, f"{found or 'base'}:{revision}", sql=True)
    return output.getvalue()


async def _connect(url: str) -> asyncpg.Connection[Any]:
    try:
        return await asyncpg.connect(url, timeout=CONNECT_SECONDS_MAX, command_timeout=MIGRATION_SECONDS_MAX)
    except (*DRIVER_ERRORS, ValueError) as error:
        raise translate(error, statement="connect") from loggable(error)
