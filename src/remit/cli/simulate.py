"""``remit simulate FILE``: run an orchestration in every kind of trouble; nothing is stored and no tool is called."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from remit.cli.checking import check_files, print_findings, registry_of, require_runnable_files
from remit.cli.exit_codes import NEGATIVE, OK, USAGE
from remit.cli.inputs import read_json
from remit.cli.options import Options, options_of, single
from remit.cli.output import print_json
from remit.core.canonical import JsonValue
from remit.core.definition import Definition
from remit.core.strict_json import parse
from remit.errors import DefinitionInvalidError, InputInvalidError
from remit.governance.policy import BusinessConfig
from remit.runtime.runs import with_defaults
from remit.testing.simulator import Report, Setting, simulate

MESSAGE_BYTES_MAX = 1_000_000

app, command = single(
    "Simulate an orchestration: workers crash, replies get lost, providers fail, people are late, all from seeds. "
    "No tool is called and no database is needed. Exit code 1 if a promise is broken."
)


@command
def simulate_file(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="An orchestration, YAML or JSON.")],
    *,
    remit: Annotated[
        Path | None,
        typer.Option("--remit", metavar="FILE", help="The remit; without one everything is permitted."),
    ] = None,
    input_source: Annotated[
        str | None, typer.Option("--input", metavar="FILE|-|JSON", help="The runs' input; default is {}.")
    ] = None,
    messages: Annotated[
        list[str] | None,
        typer.Option("--message", metavar="NAME=JSON", help="The payload of a signal or event; may be repeated."),
    ] = None,
    seeds: Annotated[
        str, typer.Option(metavar="COUNT|FIRST-LAST", help="How many runs from seed 0, or which seeds.")
    ] = "1000",
) -> int:
    """Simulate an orchestration."""
    options = options_of(context)
    checked = check_files([path for path in (remit, file) if path is not None], options)
    if any(one.diagnostics.has_errors for one in checked):
        print_findings(checked, is_json=options.is_json)
        return USAGE
    require_runnable_files(checked, options)
    definition = checked[-1].compiled
    config = checked[0].compiled
    if not isinstance(definition, Definition):
        raise DefinitionInvalidError(f"expected an orchestration, got something else: {file}")
    setting = Setting(
        config=config if isinstance(config, BusinessConfig) else None,
        run_input=with_defaults(definition.input_schema, read_json(input_source, default={})),
        messages=_payloads(messages or ()),
    )
    report = simulate(
        definition,
        tools=registry_of(options).list(),
        setting=setting,
        seeds=_seeds(seeds),
    )
    _print(report, options)
    return OK if report.is_clean else NEGATIVE


def _seeds(text: str) -> range:
    first, separator, last = text.partition("-")
    if not first.isdecimal() or (separator and not last.isdecimal()):
        raise InputInvalidError(f"expected a count of seeds, or the first and last like 17-42, got {text[:80]!r}")
    return range(int(first), int(last) + 1) if separator else range(int(first))


def _payloads(messages: Sequence[str]) -> dict[str, JsonValue]:
    payloads: dict[str, JsonValue] = {}
    for message in messages:
        name, separator, text = message.partition("=")
        if not separator:
            raise InputInvalidError(f"expected NAME=JSON as a message, got {message[:200]!r}")
        payloads[name] = parse(text.encode("utf-8", "surrogatepass"), bytes_max=MESSAGE_BYTES_MAX)
    return payloads


def _print(report: Report, options: Options) -> None:
    if not options.is_json:
        print(report.render())
        return
    print_json(
        {
            "seeds": report.seed_count,
            "endings": dict(sorted(report.tally.endings.items())),
            "faults": dict(sorted(report.tally.faults.items())),
            "failures": [
                {
                    "seed": failure.seed,
                    "findings": list(failure.findings),
                    "faults": [fault.value for fault in failure.faults],
                    "lines": list(failure.lines),
                }
                for failure in report.failures
            ],
        }
    )
