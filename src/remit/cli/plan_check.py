"""``remit plan check FILE…``: everything that is wrong with plan documents, with line and column."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from remit.cli.findings import Report, conclude
from remit.cli.fixing import Fixing, read_input, require_files
from remit.cli.options import options_of
from remit.cli.plan_input import read_plan_bytes
from remit.cli.plan_reading import reading_options
from remit.diagnostics import Diagnostic, Diagnostics, Source
from remit.plans.formats import PlanReading, read_plan
from remit.plans.options import PlanOptions
from remit.plans.queue import check_queue
from remit.plans.texts import PLAN_BYTES_MAX


def check_plans(
    context: typer.Context,
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE…", help="Plan documents, Markdown or JSON; - is standard input.")
    ],
) -> int:
    """Say everything that is wrong with plan documents, with line and column."""
    options = options_of(context)
    reading = reading_options(context)
    if options.fix:
        require_files(files)
    readings: list[PlanReading] = []
    fixing = Fixing()
    for file in dict.fromkeys(files):
        name, raw = read_input(file, bytes_max=PLAN_BYTES_MAX)
        if options.fix and not isinstance(raw, Diagnostic):
            raw = fixing.fix(file, raw, shown=name, check=partial(_findings, name, reading))
        readings.append(read_plan_bytes(raw, name, reading))
    check_queue(readings)
    return conclude(_report_of(readings, fixing), options)


def _findings(name: str, options: PlanOptions, raw: bytes) -> tuple[Source | None, Diagnostics]:
    reading = read_plan(raw, path=name, options=options)
    return reading.source, reading.diagnostics


def _report_of(readings: list[PlanReading], fixing: Fixing) -> Report:
    everything = Diagnostics(fixing.unfixed)
    for reading in readings:
        everything.extend(reading.diagnostics)
    return Report(
        files=[_summary(reading) for reading in readings],
        diagnostics=everything,
        sources={reading.path: reading.source for reading in readings if reading.source is not None},
        fixed=fixing.made,
    )


def _summary(reading: PlanReading) -> dict[str, object]:
    return {
        "path": reading.path,
        "format": reading.format,
        "valid": not reading.diagnostics.has_errors,
        "tasks": None if reading.plan is None else len(reading.plan.tasks),
    }
