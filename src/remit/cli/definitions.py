"""``remit definitions``: what is stored and can be run."""

from __future__ import annotations

from typing import Annotated

import orjson
import typer

from remit.api.records import definition_json
from remit.cli.options import Noun, Options, options_of
from remit.cli.output import instant, print_json, print_table, short_id
from remit.cli.session import open_session, run_in_loop
from remit.ids import Digest

definitions = Noun("Look at stored definitions.")
app = definitions.app


@definitions.verb("list")
def list_definitions(context: typer.Context) -> None:
    """List the newest definition of each name."""
    run_in_loop(_list(options_of(context)))


@definitions.verb("show")
def show_definition(context: typer.Context, definition: Annotated[str, typer.Argument(metavar="NAME|DIGEST")]) -> None:
    """Print a definition as it is stored: exactly what its digest covers."""
    run_in_loop(_show(options_of(context), definition))


async def _list(options: Options) -> None:
    async with open_session(options) as session:
        found = await session.kernel.store.directory.list_definitions(session.tenant_id)
    if options.is_json:
        print_json({"definitions": [definition_json(one) for one in found]})
        return
    rows = ((one.name, one.version, short_id(one.digest), instant(one.created_at)) for one in found)
    print_table(
        ("name", "version", "digest", "stored (UTC)"), rows, empty="no definitions; store one with remit apply FILE"
    )


async def _show(options: Options, name: str) -> None:
    is_digest = len(name) == 64 and all(character in "0123456789abcdef" for character in name)
    async with open_session(options) as session:
        directory = session.kernel.store.directory
        if is_digest:
            stored = await directory.get_definition(session.tenant_id, digest=Digest(name))
        else:
            stored = await directory.get_definition(session.tenant_id, name=name)
    print_json({**definition_json(stored), "definition": orjson.loads(stored.body)})
