"""``remit plan check FILE…``: everything that is wrong with plan documents, with line and column."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from remit.cli.findings import Report, conclude
from remit.cli.fixing import fix_file, read_input
from remit.cli.options import options_of
from remit.diagnostics import Diagnostic, Diagnostics, Source
from remit.plans.contract import read_registry
from remit.plans.formats import PlanReading, read_plan
from remit.plans.options import PlanOptions
from remit.plans.plan import PlanFormat
from remit.plans.texts import PLAN_BYTES_MAX


def check_plans(
    context: typer.Context,
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE…", help="Plan documents, Markdown or JSON; - is standard input.")
    ],
    *,
    level: Annotated[
        int | None, typer.Option(min=0, max=4, help="Check as this level, whatever the plan says.")
    ] = None,
    kind: Annotated[PlanFormat | None, typer.Option(help="The format, if the file does not show it.")] = None,
    invariants: Annotated[
        Path | None, typer.Option(help="A file of the invariants that contracts may name, one id a line.")
    ] = None,
) -> int:
    """Say everything that is wrong with plan documents, with line and column."""
    options = options_of(context)
    registry = None if invariants is None else read_registry(invariants)
    reading_options = PlanOptions(level=level, format=kind, invariants=registry)
    readings: list[PlanReading] = []
    fixed: list[Diagnostic] = []
    for file in dict.fromkeys(files):
        name, raw = read_input(file, bytes_max=PLAN_BYTES_MAX)
        if options.fix and not isinstance(raw, Diagnostic):
            raw, made = fix_file(file, raw, partial(_findings, name, reading_options))
            fixed += made
        readings.append(_read(raw, name, reading_options))
    return conclude(_report_of(readings, fixed), options)


def _read(raw: bytes | Diagnostic, name: str, options: PlanOptions) -> PlanReading:
    if isinstance(raw, Diagnostic):
        return PlanReading(path=name, raw=b"", format=None, text=None, plan=None, diagnostics=Diagnostics([raw]))
    return read_plan(raw, path=name, options=options)


def _findings(name: str, options: PlanOptions, raw: bytes) -> tuple[Source | None, Diagnostics]:
    reading = read_plan(raw, path=name, options=options)
    return reading.source, reading.diagnostics


def _report_of(readings: list[PlanReading], fixed: list[Diagnostic]) -> Report:
    everything = Diagnostics()
    for reading in readings:
        everything.extend(reading.diagnostics)
    return Report(
        files=[_summary(reading) for reading in readings],
        diagnostics=everything,
        sources={reading.path: reading.source for reading in readings if reading.source is not None},
        fixed=fixed,
    )


def _summary(reading: PlanReading) -> dict[str, object]:
    return {
        "path": reading.path,
        "format": reading.format,
        "valid": not reading.diagnostics.has_errors,
        "tasks": None if reading.plan is None else len(reading.plan.tasks),
    }
