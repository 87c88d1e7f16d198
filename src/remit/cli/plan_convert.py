"""``remit plan convert FILE``: a plan document in its canonical form, or in another."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from remit.cli.exit_codes import OK, USAGE
from remit.cli.plan_input import read_plan_input, write_output
from remit.cli.plan_reading import reading_options
from remit.diagnostics import Diagnostics, render_plain
from remit.diagnostics.rendering import harmless
from remit.errors import InputInvalidError
from remit.plans.contract import NO_DEFAULTS, ContractDefaults, read_contract
from remit.plans.converting import ConvertOptions, Refusal, Target, WrittenFile, convert
from remit.plans.formats import PlanReading, read_plan_file
from remit.plans.options import PlanOptions
from remit.plans.plan import PlanFormat
from remit.plans.texts import PlanReporter

ISSUES_MAX = 999_999_999


def convert_plan(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A plan document; - is standard input.")],
    *,
    to: Annotated[
        Target | None, typer.Option("--to", help="What to make of it; without, the canonical form of what it is.")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", help="The file to write; a folder where several come of one. Without, print it."),
    ] = None,
    defaults: Annotated[
        Path | None,
        typer.Option("--defaults", help="A planning contract whose defaults hold for tasks that say nothing else."),
    ] = None,
    first_number: Annotated[
        int, typer.Option("--first-number", min=1, max=ISSUES_MAX, help="The number of the first issue.")
    ] = 1,
) -> int:
    """Write a plan document in its canonical form, or in another; nothing is guessed, and nothing lost silently."""
    reading = read_plan_input(file, reading_options(context))
    sys.stderr.write(render_plain(reading.diagnostics))
    found = NO_DEFAULTS if defaults is None else _defaults(defaults)
    if found is None:
        return USAGE
    result = convert(reading, to, ConvertOptions(first_number=first_number, defaults=found))
    if isinstance(result, Refusal):
        print(harmless(f"{reading.path}: not converted: {result.reason}"), file=sys.stderr)
        return USAGE
    for remark in result.remarks:
        print(harmless(f"{reading.path}: {remark}"), file=sys.stderr)
    return _give_out(result.files, output, beside=file)


def _defaults(file: Path) -> ContractDefaults | None:
    """Return the defaults of a planning contract; ``None`` if it has errors, which are printed."""
    reading: PlanReading = read_plan_file(file, PlanOptions(format=PlanFormat.PLANNING_CONTRACT))
    if reading.text is None or reading.diagnostics.has_errors:
        sys.stderr.write(render_plain(reading.diagnostics))
        print(f"{file}: expected a planning contract without errors as --defaults; correct it first", file=sys.stderr)
        return None
    contract = read_contract(reading.text, PlanReporter(reading.text, Diagnostics()))
    return None if contract is None else contract.defaults


def _give_out(files: tuple[WrittenFile, ...], output: Path | None, *, beside: Path) -> int:
    if output is None and len(files) == 1:
        sys.stdout.write(files[0].text)
        return OK
    if output is None:
        print(f"expected --output FOLDER for {len(files)} files, got none; name one", file=sys.stderr)
        return USAGE
    is_folder = len(files) > 1 or output.is_dir()
    wanted = {output / file.name if is_folder else output: file.text for file in files}
    taken = [path for path, text in wanted.items() if _holds_other(path, text)]
    if taken:
        names = ", ".join(map(str, taken))
        print(f"expected no file of another content, got {names}; remove it, or name another --output", file=sys.stderr)
        return USAGE
    for path, text in wanted.items():
        _make_folder(path.parent)
        write_output(path, text, beside=beside)
        print(path)
    return OK


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        why = error.strerror or "an error"
        raise InputInvalidError(f"expected a folder that can be made, got {str(folder)!r}: {why}") from error


def _holds_other(path: Path, text: str) -> bool:
    return path.exists() and (path.is_dir() or path.read_bytes() != text.encode())
