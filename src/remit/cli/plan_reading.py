"""How commands read plans: the options that say what the document does not.

Owns: their declaration, and collecting them.
Does not know: what commands do with what was read.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Final

import typer

from remit.cli.findings import CheckingCommand
from remit.cli.options import RemitCommand, keep_under, params_of
from remit.plans.contract import read_registry
from remit.plans.options import PlanOptions
from remit.plans.plan import PlanFormat

_KEPT: Final = "remit.reading."
"""Begins the keys under which an invocation keeps its options of reading."""

_keep: Final = keep_under(_KEPT)


class ReadingCommand(RemitCommand):
    """A command that reads plans: the shared options, and those of reading."""

    def __init__(self, name: str | None, *, params: list[Any] | None = None, **rest: Any) -> None:
        super().__init__(name, params=[*(params or []), *params_of(_reading)], **rest)


class ReadingCheckCommand(ReadingCommand, CheckingCommand):
    """A command that reads plans and tells what is wrong with them."""


def reading_options(context: typer.Context) -> PlanOptions:
    """Return how this invocation reads plans.

    Raises:
        UsageError: the registry of invariants cannot be read.
    """
    invariants: Path | None = context.meta.get(f"{_KEPT}invariants")
    return PlanOptions(
        level=context.meta.get(f"{_KEPT}level"),
        format=context.meta.get(f"{_KEPT}kind"),
        invariants=None if invariants is None else read_registry(invariants),
    )


def _reading(
    *,
    level: Annotated[
        int | None,
        typer.Option(
            min=0, max=4, help="Read as this level, whatever the plan says.", callback=_keep, expose_value=False
        ),
    ] = None,
    kind: Annotated[
        PlanFormat | None,
        typer.Option(help="The format, if the file does not show it.", callback=_keep, expose_value=False),
    ] = None,
    invariants: Annotated[
        Path | None,
        typer.Option(
            help="A file of the invariants that contracts may name, one id a line.", callback=_keep, expose_value=False
        ),
    ] = None,
) -> None:
    """Declare the options of reading."""
