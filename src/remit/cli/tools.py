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
    """List tools with their side-effect level and delivery class; nothing can call a declared one yet."""
    options = options_of(context)
    registry = registry_of(options)
    declared = [registry.contracts()[name] for name in sorted(registry.without_adapter())]
    listed = sorted(
        [*((tool.contract, "installed") for tool in registry.list()), *((one, "declared") for one in declared)],
        key=lambda pair: pair[0].name,
    )
    if options.is_json:
        print_json({"tools": [{**contract_json(contract), "state": state} for contract, state in listed]})
        return
    rows = (
        (one.name, one.version, state, one.side_effect_level.value, one.delivery_class.value, one.description)
        for one, state in listed
    )
    print_table(("tool", "version", "state", "level", "delivery", "what it does"), rows, empty="no tools")


@tools.verb("show")
def show_tool(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME")],
    *,
    version: Annotated[str | None, typer.Option(help="Another version than the newest.")] = None,
) -> None:
    """Show a tool's whole contract."""
    options = options_of(context)
    registry = registry_of(options)
    contract = registry.find_contract(name, version) or registry.get(name, version).contract
    state = "declared" if name in registry.without_adapter() else "installed"
    body = {**contract_json(contract), "state": state}
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
