"""Findings on their way out: in which format, and what the exit code says of them.

Owns: the options and the output that all checking commands share. Does not know: what is checked.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Any, Final

import typer

from remit.cli.exit_codes import OK, USAGE
from remit.cli.options import Format, Options, RemitCommand, options_of, params_of, remember
from remit.cli.output import let_output_go, print_json
from remit.diagnostics import (
    Diagnostic,
    Diagnostics,
    Severity,
    Source,
    render_excerpts,
    render_github,
    render_plain,
    render_summary,
    to_json,
    to_sarif,
)
from remit.diagnostics.rendering import harmless
from remit.plans.codes import ALL_CODES

NAMES_SHOWN_MAX: Final = 3
"""So many files are named in the summary; more are counted."""


class FindingFormat(StrEnum):
    """What findings are printed as."""

    TEXT = "text"
    JSON = "json"
    SARIF = "sarif"
    GITHUB = "github"


class CheckingCommand(RemitCommand):
    """A command that reports findings: the shared options and those of checking."""

    def __init__(self, name: str | None, *, params: list[Any] | None = None, **rest: Any) -> None:
        super().__init__(name, params=[*(params or []), *params_of(_checking)], **rest)


def _finding_format(word: str) -> str:
    """Return the format that a word names; ``table``, which other commands know, is text."""
    if word == Format.TABLE:
        return FindingFormat.TEXT
    if word not in set(FindingFormat):
        raise typer.BadParameter(f"expected {', '.join(FindingFormat)}, got {word!r}")
    return word


def _remember_format(context: typer.Context, value: str | None) -> str | None:
    """Keep the format of findings; errors are printed in JSON if findings are."""
    if value:
        options = options_of(context)
        options.findings = value
        options.format = Format.JSON if value == FindingFormat.JSON else Format.TABLE
    return value


def _checking(
    *,
    shared_findings: Annotated[
        str | None,
        typer.Option(
            "--format",
            metavar=f"[{'|'.join(FindingFormat)}]",
            parser=_finding_format,
            help="Print text, JSON with stable keys, SARIF 2.1.0, or annotations of GitHub Actions.",
            callback=_remember_format,
            expose_value=False,
        ),
    ] = None,
    shared_excerpts: Annotated[
        bool,
        typer.Option(
            "--excerpts/--plain",
            help="Show the lines that findings are about.",
            callback=remember,
            expose_value=False,
        ),
    ] = False,
    shared_strict: Annotated[
        bool,
        typer.Option("--strict", help="Let warnings fail the check too.", callback=remember, expose_value=False),
    ] = False,
    shared_fix: Annotated[
        bool,
        typer.Option(
            "--fix",
            help="Write the fixes that findings bring into the files, and check again.",
            callback=remember,
            expose_value=False,
        ),
    ] = False,
) -> None:
    """Declare the options of checking."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a check found. ``files`` are JSON data with the ``path`` of each; ``fixed`` is what was put right."""

    files: Sequence[Mapping[str, object]]
    diagnostics: Diagnostics
    sources: Mapping[str, Source]
    fixed: Sequence[Diagnostic] = field(default=())

    @property
    def paths(self) -> list[str]:
        """Return the paths of the files, as findings name them."""
        return [str(file["path"]) for file in self.files]


def conclude(report: Report, options: Options) -> int:
    """Print what a check found, as the options say, and return the exit code: errors block, or warnings too."""
    shared = FindingFormat.JSON if options.is_json else FindingFormat.TEXT
    try:
        print_report(report, FindingFormat(options.findings or shared), has_excerpts=options.excerpts)
    except BrokenPipeError:
        # `| head` sees less of what was found; the verdict stays.
        let_output_go()
    found = report.diagnostics
    blocks = found.has_errors or (options.strict and found.count(Severity.WARNING) > 0)
    return USAGE if blocks else OK


def print_report(report: Report, shown: FindingFormat, *, has_excerpts: bool = False) -> None:
    """Print the findings to standard output; what was fixed, and a summary, to standard error."""
    match shown:
        case FindingFormat.JSON:
            fixed = [finding.to_json() for finding in report.fixed]
            print_json({"files": report.files, **to_json(report.diagnostics), "fixed": fixed})
            return
        case FindingFormat.SARIF:
            from importlib.metadata import version

            print_json(to_sarif(report.diagnostics, paths=report.paths, codes=ALL_CODES, version=version("remit")))
        case FindingFormat.GITHUB:
            sys.stdout.write(render_github(report.diagnostics))
        case FindingFormat.TEXT if has_excerpts:
            sys.stdout.write(render_excerpts(report.diagnostics, report.sources))
        case FindingFormat.TEXT:
            sys.stdout.write(render_plain(report.diagnostics))
    sys.stdout.flush()
    _print_summary(report)


def _print_summary(report: Report) -> None:
    for finding in report.fixed:
        assert finding.fix is not None
        words = f"fixed {finding.path}:{finding.span.start} {finding.code}: {finding.fix.message}"
        print(harmless(words), file=sys.stderr)
    paths = report.paths
    names = ", ".join(paths) if len(paths) <= NAMES_SHOWN_MAX else f"{len(paths)} files"
    print(harmless(f"{names}: {render_summary(report.diagnostics)}"), file=sys.stderr)
