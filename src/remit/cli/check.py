"""``remit check FILE…``: every finding of every file, at once; nothing is stored and nothing runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from remit.cli.checking import check_files, fix_files, report_of
from remit.cli.findings import CheckingCommand, conclude
from remit.cli.options import options_of, single

app, command = single(
    "Check remit files and orchestrations. Nothing is stored or run; no database is needed.", kind=CheckingCommand
)


@command
def check(
    context: typer.Context,
    files: Annotated[list[Path], typer.Argument(metavar="FILE…", help="Documents, YAML or JSON; - is standard input.")],
) -> int:
    """Check files. An orchestration is also held against a remit file that is among them."""
    options = options_of(context)
    if options.fix:
        return conclude(report_of(*fix_files(files, options)), options)
    return conclude(report_of(check_files(files, options)), options)
