"""``remit plan schema KIND``: the JSON Schema of a kind of document, or a template of it."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from remit.cli.exit_codes import OK, USAGE
from remit.plans.publishing import SchemaKind, schema_text, template_text


def print_schema(
    kind: Annotated[SchemaKind, typer.Argument(metavar="KIND", help=f"One of {', '.join(SchemaKind)}.")],
    *,
    template: Annotated[
        bool, typer.Option("--template", help="Print a document with placeholders to fill in instead.")
    ] = False,
) -> int:
    """Print the JSON Schema (2020-12) of a kind of document, for editors and other tools."""
    text = template_text(kind) if template else schema_text(kind)
    if text is None:
        print(
            f"expected a kind that has a template, got {kind.value}; its reference page has an example", file=sys.stderr
        )
        return USAGE
    sys.stdout.write(text)
    return OK
