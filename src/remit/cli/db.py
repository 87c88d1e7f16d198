"""``remit db``: the schema of the database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from remit.cli.exit_codes import NEGATIVE, OK
from remit.cli.options import Noun, Options, options_of
from remit.cli.output import print_fields, print_json, state_text
from remit.cli.session import run_in_loop, settings_of
from remit.errors import InputInvalidError, SettingsInvalidError
from remit.settings import Settings
from remit.store import Lifetime, embedded_server, migrate

db = Noun("Upgrade, downgrade or look at the schema, as its owner: DATABASE_URL, or the embedded server.")
app = db.app


@db.verb("status")
def show_status(context: typer.Context) -> int:
    """Say which version the schema has. Exit code 1 if it is not the newest."""
    options = options_of(context)
    with _owner_url(settings_of(options)) as url:
        return _tell(options, url)


@db.verb("upgrade")
def upgrade(
    context: typer.Context, *, to: Annotated[str, typer.Option(metavar="VERSION", help="Version to stop at.")] = "head"
) -> int:
    """Bring the schema to the newest version, in one transaction."""
    options = options_of(context)
    with _owner_url(settings_of(options)) as url:
        run_in_loop(migrate.upgrade(url, revision=to))
        return _tell(options, url)


@db.verb("downgrade")
def downgrade(
    context: typer.Context,
    *,
    to: Annotated[str, typer.Option(metavar="VERSION", help="Version to go back to; base removes everything.")],
    yes: Annotated[bool, typer.Option("--yes", help="Yes, lose what the older version does not know.")] = False,
) -> int:
    """Take the schema back. What the older version does not know is lost."""
    options = options_of(context)
    if not yes:
        raise InputInvalidError(f"going back to {to} loses data; say --yes if that is wanted")
    with _owner_url(settings_of(options)) as url:
        run_in_loop(migrate.downgrade(url, revision=to))
        _tell(options, url)
    return OK


@contextmanager
def _owner_url(settings: Settings) -> Iterator[str]:
    """Lend the URL of the schema's owner; holds the embedded server while it is used. The URL is a secret."""
    if settings.database_url is not None:
        yield settings.database_url
        return
    if settings.database_app_url is not None:
        raise SettingsInvalidError("expected DATABASE_URL, the schema owner's, beside DATABASE_APP_URL")
    server = embedded_server(settings, lifetime=Lifetime.OWNED)
    try:
        yield server.start().owner_url
    finally:
        server.leave()


def _tell(options: Options, url: str) -> int:
    found, newest = run_in_loop(migrate.status(url))
    if options.is_json:
        print_json({"version": found, "newest": newest, "current": found == newest})
    else:
        state = state_text("ok") if found == newest else state_text("warn")
        print_fields((("schema", found or "none"), ("newest", newest), ("", state)))
    return OK if found == newest else NEGATIVE
