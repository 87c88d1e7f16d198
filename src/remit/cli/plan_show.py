"""``remit plan show FILE``: what is in a plan and what follows from it, as a tree, a drawing, a page or data.

Owns: which form is meant, where it goes, and colours of the tree.
Does not know: how a form is made.
"""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import orjson
import typer
from rich.console import Console
from rich.text import Text

from remit.cli.exit_codes import OK, USAGE
from remit.cli.options import options_of
from remit.cli.output import stdout
from remit.cli.plan_input import read_plan_input, write_output
from remit.cli.plan_reading import reading_options
from remit.diagnostics import render_plain, render_summary
from remit.diagnostics.rendering import harmless
from remit.errors import InputInvalidError
from remit.plans import showing


class Form(StrEnum):
    """How a plan is shown."""

    TREE = "tree"
    SVG = "svg"
    HTML = "html"
    JSON = "json"


_BY_SUFFIX: Final = {
    ".svg": Form.SVG,
    ".html": Form.HTML,
    ".htm": Form.HTML,
    ".json": Form.JSON,
    ".txt": Form.TREE,
    "": Form.TREE,
}

_STYLES: Final = {
    "frame": "dim",
    "heading": "bold",
    "quiet": "dim",
    "id": "bold",
    "critical": "bold red",
    "in_progress": "cyan",
    "done": "green",
    "stuck": "bold red",
    "risk_medium": "yellow",
    "risk_high": "red",
    "risk_critical": "bold red",
}

_ROOM_MIN: Final = 12
"""Columns that a line needs beside its frame; a terminal that has fewer breaks lines itself."""


def show_plan(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A plan document; - is standard input.")],
    *,
    form: Annotated[
        Form | None,
        typer.Option("--format", help="A tree, a drawing of the graph, a page, or data (default: the tree)."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option(dir_okay=False, help="Write to this file; its name tells the format, too.")
    ] = None,
) -> int:
    """Show a plan: tasks by phase or wave, critical path, ownership, coverage, estimates and findings."""
    options = options_of(context)
    chosen = form or _form_of(output) or (Form.JSON if options.is_json else Form.TREE)
    reading = read_plan_input(file, reading_options(context))
    summary = harmless(f"{reading.path}: {render_summary(reading.diagnostics)}")
    if reading.plan is None or reading.analysis is None:
        sys.stderr.write(render_plain(reading.diagnostics))
        print(summary, file=sys.stderr)
        return USAGE
    view = showing.view_plan(
        reading.plan, reading.analysis, path=reading.path, diagnostics=reading.diagnostics, text=reading.text
    )
    if output is not None:
        write_output(output, _rendered(view, chosen), beside=file)
    elif chosen is Form.TREE:
        print_tree(view, stdout())
    else:
        sys.stdout.write(_rendered(view, chosen))
    sys.stdout.flush()
    print(summary, file=sys.stderr)
    return OK


def _form_of(output: Path | None) -> Form | None:
    """Return the form that a file's name tells; ``None`` without a file.

    Raises:
        InputInvalidError: the name tells none.
    """
    if output is None:
        return None
    found = _BY_SUFFIX.get(output.suffix.lower())
    if found is None:
        raise InputInvalidError(
            f"expected a name that ends in .svg, .html, .json or .txt, got {str(output)!r}; say which with --format"
        )
    return found


def _rendered(view: showing.PlanView, form: Form) -> str:
    match form:
        case Form.TREE:
            return showing.tree_text(view)
        case Form.SVG:
            return showing.render_svg(view)
        case Form.HTML:
            return showing.render_page(view)
        case Form.JSON:
            return orjson.dumps(showing.plan_document(view), option=orjson.OPT_INDENT_2).decode() + "\n"


def print_tree(view: showing.PlanView, console: Console) -> None:
    """Print the tree, broken to the width of a terminal; what is piped is neither broken nor coloured."""
    for line in showing.tree_of(view):
        text = Text.assemble(*((piece, _STYLES.get(look, "")) for piece, look in line.pieces))
        room = console.width - max(len(line.frame), len(line.frame_below))
        rows = text.wrap(console, room) if console.is_terminal and room >= _ROOM_MIN else [text]
        for number, row in enumerate(rows):
            row.rstrip()
            # Assembled, so that the look of the frame ends with it.
            frame = (line.frame if number == 0 else line.frame_below, _STYLES["frame"])
            console.print(Text.assemble(frame, row), soft_wrap=True)
