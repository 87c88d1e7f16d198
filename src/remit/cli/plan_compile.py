"""``remit plan compile FILE``: a plan as the orchestration that does it, and the remit file that this needs."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
import orjson
import typer

from remit.cli.exit_codes import OK, USAGE
from remit.cli.options import keep_under, options_of, params_of
from remit.cli.plan_input import read_plan_input, write_output
from remit.cli.plan_reading import ReadingCommand, reading_options
from remit.diagnostics import render_plain, render_summary
from remit.diagnostics.rendering import harmless
from remit.errors import InputInvalidError
from remit.plans.compiling import DEFAULTS, Compilation, CompileSettings, compile_plan
from remit.plans.texts import PlanReporter

_KEPT: Final = "remit.compile."
"""Begins the keys under which an invocation keeps its options of compiling."""

_keep: Final = keep_under(_KEPT)


class CompiledFormat(StrEnum):
    """What is printed: the document that people review, or the definition that it compiles to."""

    YAML = "yaml"
    JSON = "json"


class CompilingCommand(ReadingCommand):
    """A command that compiles plans: the options of reading, and who acts and who decides."""

    def __init__(self, name: str | None, *, params: list[Any] | None = None, **rest: Any) -> None:
        super().__init__(name, params=[*(params or []), *params_of(_compiling)], **rest)


def _compiling(
    *,
    builder: Annotated[
        str, typer.Option(metavar="PRINCIPAL", help="Who changes code.", callback=_keep, expose_value=False)
    ] = DEFAULTS.builder,
    tester: Annotated[
        str,
        typer.Option(metavar="PRINCIPAL", help="Who writes tests and verifies.", callback=_keep, expose_value=False),
    ] = DEFAULTS.tester,
    approver: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Who decides at gates, a principal or role:NAME; may be repeated (default: role:approver).",
            callback=_keep,
            expose_value=False,
        ),
    ] = None,
    name: Annotated[
        str | None,
        typer.Option(help="The orchestration's name (default: made of the title).", callback=_keep, expose_value=False),
    ] = None,
) -> None:
    """Declare the options of compiling."""


def _settings(context: typer.Context) -> CompileSettings:
    kept = {name: context.meta.get(f"{_KEPT}{name}") for name in ("builder", "tester", "approver", "name")}
    return CompileSettings(
        builder=kept["builder"] or DEFAULTS.builder,
        tester=kept["tester"] or DEFAULTS.tester,
        approvers=tuple(dict.fromkeys(kept["approver"] or DEFAULTS.approvers)),
        name=kept["name"],
    )


def compile_file(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A plan document; - is standard input.")],
    *,
    compiled_format: Annotated[
        CompiledFormat, typer.Option("--format", help="The document for people, or the definition's JSON.")
    ] = CompiledFormat.YAML,
    output: Annotated[Path | None, typer.Option(help="Write it here instead of printing it.", dir_okay=False)] = None,
    remit: Annotated[Path | None, typer.Option(help="Write the remit file that it needs here.", dir_okay=False)] = None,
) -> int:
    """Compile a plan to an orchestration that `remit check` accepts. Warnings do not block, errors do (exit code 2)."""
    # Installed tools are loaded for this command alone: the others of plans begin without them.
    from remit.cli.checking import registry_of

    settings = _settings(context)
    if output is not None and remit is not None and output.resolve() == remit.resolve():
        raise InputInvalidError(f"expected two files, got {str(output)!r} as --output and --remit; name another")
    reading = read_plan_input(file, reading_options(context))
    compilation: Compilation | None = None
    if reading.text is not None and reading.plan is not None and reading.analysis is not None:
        compilation = compile_plan(
            reading.plan,
            reading.analysis,
            reporter=PlanReporter(reading.text, reading.diagnostics),
            contracts=registry_of(options_of(context)),
            settings=settings,
        )
    sys.stderr.write(render_plain(reading.diagnostics))
    print(harmless(f"{reading.path}: {render_summary(reading.diagnostics)}"), file=sys.stderr)
    if compilation is None:
        return USAGE
    if remit is not None:
        write_output(remit, compilation.remit_text, beside=file)
    text = compilation.text if compiled_format is CompiledFormat.YAML else _json(compilation)
    if output is not None:
        write_output(output, text, beside=file)
    else:
        sys.stdout.write(text)
        sys.stdout.flush()
    return OK


def _json(compilation: Compilation) -> str:
    built = msgspec.to_builtins(compilation.definition)
    return orjson.dumps(built, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE).decode()
