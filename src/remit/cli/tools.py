"""``remit tools``: what can be called, and what it promises."""

from __future__ import annotations

from typing import Annotated

import orjson
import typer

from remit.api.records import contract_json
from remit.cli.checking import registry_of
from remit.cli.options import Noun, options_of
from remit.cli.output import print_fields, print_json, print_table

tools = Noun("Look at tools and their contracts: those of installed packs, and of --tools files.")
app = tools.app


@tools.verb("list")
def list_tools(context: typer.Context) -> None:
    """List tools with their side-effect level and delivery class."""
    options = options_of(context)
    contracts = [tool.contract for tool in registry_of(options).list()]
    if options.is_json:
        print_json({"tools": [contract_json(contract) for contract in contracts]})
        return
    rows = (
        (one.name, one.version, one.side_effect_level.value, one.delivery_class.value, one.description)
        for one in contracts
    )
    print_table(("tool", "version", "level", "delivery", "what it does"), rows, empty="no tools")


@tools.verb("show")
def show_tool(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME")],
    *,
    version: Annotated[str | None, typer.Option(help="Another version than the newest.")] = None,
) -> None:
    """Show a tool's whole contract."""
    options = options_of(context)
    contract = registry_of(options).get(name, version).contract
    body = contract_json(contract)
    if options.is_json:
        print_json(body)
        return

    shown = {key: value for key, value in body.items() if value not in (None, "", [], {})}
    pairs = (
        (
            key.replace("_", " "),
            value if isinstance(value, str) else orjson.dumps(value, option=orjson.OPT_INDENT_2).decode(),
        )
        for key, value in shown.items()
    )
    print_fields(pairs)
