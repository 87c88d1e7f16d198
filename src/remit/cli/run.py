"""``remit run FILE``: compile an orchestration, submit it, and wait for what becomes of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from remit.api.records import run_json
from remit.cli.access import require_operator
from remit.cli.checking import check_files, print_findings, require_runnable_files
from remit.cli.exit_codes import NEGATIVE, OK, USAGE
from remit.cli.following import Until, follow, watch
from remit.cli.inputs import read_json
from remit.cli.options import Options, options_of, single
from remit.cli.output import print_json, short_run, stderr
from remit.cli.pidfile import Running, find_running
from remit.cli.run_tree import print_tree
from remit.cli.session import Needs, Session, open_session, run_in_loop, settings_of
from remit.core.canonical import JsonValue
from remit.core.definition import Definition, ToolStep
from remit.core.states import RunStatus
from remit.errors import DefinitionInvalidError, InputInvalidError
from remit.ids import RunId
from remit.plans.kinds import Checked
from remit.ports.store import RunSummary, StoredDefinition

app, command = single(
    "Compile an orchestration, submit it, and wait until it ends or waits for somebody. Where no `remit up` runs, this "
    "command works on the run itself. Exit code 1 if the run fails."
)


@command
def run(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="An orchestration, YAML or JSON.")],
    *,
    input_source: Annotated[
        str | None, typer.Option("--input", metavar="FILE|-|JSON", help="The run's input; default is {}.")
    ] = None,
    remit: Annotated[
        Path | None, typer.Option("--remit", metavar="FILE", help="A remit file to apply to the tenant first.")
    ] = None,
    follow: Annotated[bool, typer.Option("--follow", help="Print facts as they come, until the run ends.")] = False,
    key: Annotated[str | None, typer.Option(metavar="KEY", help="The same key submits once.")] = None,
) -> int:
    """Run an orchestration."""
    options = options_of(context)
    run_input = read_json(input_source, default={})
    checked = check_files([path for path in (remit, file) if path is not None], options)
    if any(one.diagnostics.has_errors for one in checked):
        print_findings(checked, is_json=options.is_json)
        return USAGE
    require_runnable_files(checked, options)
    running = find_running(settings_of(options))
    works_here = running is None or not running.has_worker
    if running is not None and running.has_worker:
        _require_tools(running, checked)
    asked = _Asked(file=file, remit=remit, run_input=run_input, key=key, has_follow=follow)
    return run_in_loop(_run(options, asked, needs=Needs.WORKER if works_here else Needs.TOOLS))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """What one invocation asks for."""

    file: Path
    remit: Path | None
    run_input: JsonValue
    key: str | None
    has_follow: bool


def _require_tools(running: Running, checked: list[Checked]) -> None:
    """Refuse to hand a run to a ``remit up`` that cannot call its tools: there it would fail."""
    steps = [step for one in checked if isinstance(one.compiled, Definition) for step in one.compiled.steps]
    missing = sorted({step.tool for step in steps if isinstance(step, ToolStep)} - set(running.tools))
    if missing:
        raise InputInvalidError(
            f"remit up (process {running.pid}) works on runs here, and it does not know {', '.join(missing)}; start it "
            "again with --tools FILE",
            tools=missing,
        )


async def _run(options: Options, asked: _Asked, *, needs: Needs) -> int:
    async with open_session(options, needs) as session:
        run_id = await _submit(session, asked)
        if asked.has_follow:
            summary = await follow(session, run_id, options)
        else:
            summary = await watch(session, run_id, until=Until.OUTSIDE)
            await _tell(session, summary, options)
    return OK if summary.status in {RunStatus.COMPLETED, RunStatus.WAITING} else NEGATIVE


async def _submit(session: Session, asked: _Asked) -> RunId:
    await require_operator(session)
    if asked.remit is not None:
        await session.kernel.apply(asked.remit, tenant_id=session.tenant_id)
    stored = await session.kernel.apply(asked.file, tenant_id=session.tenant_id)
    if not isinstance(stored, StoredDefinition):
        raise DefinitionInvalidError(
            f"expected an orchestration, got a remit file: {asked.file}; store it with remit apply"
        )
    submitted = await session.kernel.runs.submit(
        session.tenant_id,
        definition_digest=stored.digest,
        run_input=asked.run_input,
        principal_id=session.principal_id,
        submission_key=asked.key,
    )
    return submitted.run_id


async def _tell(session: Session, summary: RunSummary, options: Options) -> None:
    if options.is_json:
        print_json(run_json(summary))
        return
    await print_tree(session, summary)
    if summary.status == RunStatus.WAITING:
        short = short_run(summary.run_id)
        hints = {"approval": "remit approvals list", "signal": f"remit runs signal {short} NAME"}
        hint = hints.get((summary.waiting_for or "").split(" ")[0], f"remit runs show {short}")
        stderr().print(f"it waits for {summary.waiting_for}; next: {hint}", style="dim")
