"""``remit apply FILE…``: store remit files and orchestrations."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from remit.api.records import definition_json
from remit.cli.access import require_operator
from remit.cli.checking import check_files, print_findings, require_runnable_files
from remit.cli.exit_codes import USAGE
from remit.cli.options import Options, options_of, single
from remit.cli.output import print_json, print_table, short_id
from remit.cli.session import Needs, open_session, run_in_loop
from remit.ports.store import StoredDefinition

app, command = single(
    "Check documents and store them: a remit file becomes the tenant's, an orchestration the newest of its name. "
    "If anything is wrong with any of them, nothing is stored."
)


@command
def apply(
    context: typer.Context,
    files: Annotated[list[Path], typer.Argument(metavar="FILE…", help="Remit files and orchestrations.")],
) -> int:
    """Store documents, remit files first."""
    options = options_of(context)
    checked = check_files(files, options)
    if any(one.diagnostics.has_errors for one in checked):
        print_findings(checked, is_json=options.is_json)
        return USAGE
    require_runnable_files(checked, options)
    ordered = sorted(checked, key=lambda one: one.kind != "business")
    run_in_loop(_store(options, [Path(one.path) for one in ordered]))
    return 0


async def _store(options: Options, paths: list[Path]) -> None:
    async with open_session(options, Needs.TOOLS) as session:
        await require_operator(session)
        stored = [(path, await session.kernel.apply(path, tenant_id=session.tenant_id)) for path in paths]
    rows = [
        {"kind": "orchestration", "path": str(path), **definition_json(one)}
        if isinstance(one, StoredDefinition)
        else {"kind": "business", "path": str(path), "name": one.name, "version": one.version}
        for path, one in stored
    ]
    if options.is_json:
        print_json({"applied": rows})
        return
    print_table(
        ("file", "kind", "name", "version", "digest"),
        (
            (
                Path(str(row["path"])).name,
                str(row["kind"]),
                str(row["name"]),
                str(row["version"]),
                short_id(str(row.get("digest", ""))),
            )
            for row in rows
        ),
        empty="nothing to store",
    )
