"""``remit plan``: plan documents checked, shown, converted and compiled; no database is needed."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from remit.cli.exit_codes import OK, USAGE
from remit.cli.options import Noun
from remit.diagnostics import Diagnostics, render_plain, render_summary
from remit.plans.formats import read_plan_file
from remit.plans.options import PlanOptions
from remit.plans.plan import PlanFormat

plan = Noun("Check plan documents, show what is in them, and compile them to definitions.")
app = plan.app


@plan.verb("check")
def check_plans(
    files: Annotated[list[Path], typer.Argument(metavar="FILE…", help="Plan documents, Markdown or JSON.")],
    *,
    level: Annotated[
        int | None, typer.Option(min=0, max=4, help="Check as this level, whatever the plan says.")
    ] = None,
    kind: Annotated[PlanFormat | None, typer.Option(help="The format, if the file does not show it.")] = None,
) -> int:
    """Say everything that is wrong with plan documents, with line and column."""
    found = Diagnostics()
    for file in files:
        found.extend(read_plan_file(file, PlanOptions(level=level, format=kind)).diagnostics)
    sys.stdout.write(render_plain(found))
    sys.stdout.flush()
    print(f"{', '.join(map(str, files))}: {render_summary(found)}", file=sys.stderr)
    return USAGE if found.has_errors else OK
