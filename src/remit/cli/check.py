"""``remit check FILE…``: every finding of every file, at once; nothing is stored and nothing runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from remit.cli.checking import check_files, print_findings
from remit.cli.exit_codes import OK, USAGE
from remit.cli.options import options_of, single

app, command = single("Check remit files and orchestrations. Nothing is stored or run; no database is needed.")


@command
def check(
    context: typer.Context,
    files: Annotated[list[Path], typer.Argument(metavar="FILE…", help="Documents, YAML or JSON.")],
    *,
    excerpts: Annotated[
        bool, typer.Option("--excerpts/--plain", help="Show the lines that findings are about.")
    ] = False,
) -> int:
    """Check files. An orchestration is also held against a remit file that is among them."""
    options = options_of(context)
    checked = check_files(files, options)
    print_findings(checked, is_json=options.is_json, has_excerpts=excerpts)
    return USAGE if any(one.diagnostics.has_errors for one in checked) else OK
