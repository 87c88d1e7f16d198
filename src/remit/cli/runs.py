"""``remit runs``: look at runs and act on them."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from remit.api.records import receipt_json, run_json, step_json
from remit.api.traces import trace_of
from remit.cli.access import require_operator
from remit.cli.exit_codes import NEGATIVE, OK
from remit.cli.following import follow, is_terminal
from remit.cli.inputs import read_json
from remit.cli.options import Noun, Options, options_of
from remit.cli.output import (
    amount,
    instant,
    print_json,
    print_table,
    short_receipt,
    short_run,
    state_text,
    time_of_day,
)
from remit.cli.run_tree import print_tree
from remit.cli.session import Needs, open_session, run_in_loop
from remit.cli.stuck import print_dump, show_stuck
from remit.cli.trace_text import print_trace
from remit.core.canonical import JsonValue
from remit.core.states import RunStatus
from remit.errors import PermissionDeniedError
from remit.runtime.runs import Settlement as EffectSettlement

LIMIT_MAX = 1_000
RECEIPTS_MAX = 100_000

runs = Noun("Look at runs and act on them. A run is named by the end (or the beginning) of its id.")
app = runs.app

RunArgument = Annotated[str, typer.Argument(metavar="RUN", help="The end or the beginning of a run's id.")]


class Settlement(StrEnum):
    """What a person found out about an effect that nobody could know of."""

    HAPPENED = "happened"
    ABSENT = "absent"


@runs.verb("list")
def list_runs(
    context: typer.Context,
    *,
    status: Annotated[RunStatus | None, typer.Option(help="Only runs of this status.")] = None,
    definition: Annotated[str | None, typer.Option(metavar="NAME", help="Only runs of this definition.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=LIMIT_MAX, help="Most runs to list.")] = 30,
) -> None:
    """List runs, newest first."""
    run_in_loop(_list(options_of(context), status=status, definition=definition, limit=limit))


@runs.verb("show")
def show_run(
    context: typer.Context,
    run: RunArgument,
    *,
    watch: Annotated[bool, typer.Option("--follow", help="Print facts as they come, until the run ends.")] = False,
) -> int:
    """Show a run as a tree of its steps, with states, times and costs. Exit code 1 if it ended badly."""
    return run_in_loop(_show(options_of(context), run, has_follow=watch))


@runs.verb("trace")
def trace_run(context: typer.Context, run: RunArgument) -> None:
    """Print a run's trace: what was checked, asked, sent and answered, redacted."""
    run_in_loop(_trace(options_of(context), run))


@runs.verb("receipts")
def list_receipts(context: typer.Context, run: RunArgument) -> None:
    """List the receipts of a run's effects."""
    run_in_loop(_receipts(options_of(context), run))


@runs.verb("replay")
def replay_run(context: typer.Context, run: RunArgument) -> int:
    """Verify a run's journal and fold it again. Exit code 1, and the place, if anything does not agree."""
    return run_in_loop(_replay(options_of(context), run))


@runs.verb("stuck")
def list_stuck(
    context: typer.Context,
    *,
    older_than: Annotated[
        float | None, typer.Option(metavar="SECONDS", min=0.0, help="How long a run may not move (default: 60).")
    ] = None,
    all_tenants: Annotated[bool, typer.Option("--all-tenants", help="Look at every tenant's runs.")] = False,
    dump: Annotated[
        Path | None, typer.Option(metavar="FOLDER", file_okay=False, help="Write each one's state there, redacted.")
    ] = None,
) -> int:
    """List runs that should move and do not, why, and what to do. Exit code 1 if there are any."""
    return run_in_loop(show_stuck(options_of(context), older_than=older_than, has_all=all_tenants, folder=dump))


@runs.verb("dump")
def dump_run(context: typer.Context, run: RunArgument) -> None:
    """Print a run's state for whoever has to find out why it does not move, redacted."""
    run_in_loop(print_dump(options_of(context), run))


@runs.verb("cancel")
def cancel_run(
    context: typer.Context,
    run: RunArgument,
    *,
    reason: Annotated[str, typer.Option(help="Why; kept in the journal.")] = "",
) -> None:
    """Ask a run to stop: nothing new starts, what is in flight ends first."""
    run_in_loop(_cancel(options_of(context), run, reason=reason))


@runs.verb("signal")
def signal_run(
    context: typer.Context,
    run: RunArgument,
    name: Annotated[str, typer.Argument(metavar="NAME")],
    *,
    payload: Annotated[str | None, typer.Option(metavar="FILE|-|JSON", help="The signal's payload.")] = None,
    message_id: Annotated[str | None, typer.Option("--id", metavar="ID", help="The same id is taken once.")] = None,
) -> None:
    """Send a signal to a run that waits for it, or will."""
    value = read_json(payload, default=None)
    run_in_loop(_signal(options_of(context), run, name=name, payload=value, message_id=message_id))


@runs.verb("resolve")
def resolve_effect(
    context: typer.Context,
    run: RunArgument,
    step: Annotated[str, typer.Argument(metavar="STEP", help="The step whose effect is unknown.")],
    *,
    outcome: Annotated[Settlement, typer.Option(help="What you found at the provider.")],
    output: Annotated[
        str | None, typer.Option(metavar="FILE|-|JSON", help="What the call would have returned, if it happened.")
    ] = None,
    reason: Annotated[str, typer.Option(help="How you know; kept in the journal.")] = "",
) -> None:
    """Settle an effect that may or may not have happened, after looking at the provider."""
    value = read_json(output, default=None)
    run_in_loop(_resolve(options_of(context), run, step, settlement=(outcome, value, reason)))


async def _list(options: Options, *, status: RunStatus | None, definition: str | None, limit: int) -> None:
    async with open_session(options) as session:
        found = await session.reader.list_runs(
            session.tenant_id, status=None if status is None else status.value, name=definition, limit=limit
        )
    if options.is_json:
        print_json({"runs": [run_json(run) for run in found]})
        return
    rows = (
        (
            short_run(run.run_id),
            run.definition_name,
            state_text("unknown" if run.quarantined else run.status),
            "quarantined" if run.quarantined else run.waiting_for or "",
            run.principal_id,
            instant(run.created_at),
        )
        for run in found
    )
    print_table(("run", "definition", "status", "waits for", "principal", "created (UTC)"), rows, empty="no runs")


async def _show(options: Options, text: str, *, has_follow: bool) -> int:
    async with open_session(options) as session:
        run_id = await session.run_id(text)
        if has_follow:
            run = await follow(session, run_id, options)
        else:
            run = await session.reader.get_run(session.tenant_id, run_id)
        if options.is_json and not has_follow:
            steps = await session.reader.list_steps(session.tenant_id, run_id)
            print_json({**run_json(run), "steps": [step_json(step) for step in steps]})
        elif not options.is_json:
            await print_tree(session, run)
    return NEGATIVE if is_terminal(run) and run.status != RunStatus.COMPLETED else OK


async def _trace(options: Options, text: str) -> None:
    async with open_session(options, Needs.TOOLS) as session:
        run_id = await session.run_id(text)
        trace = await trace_of(session.kernel, session.tenant_id, run_id)
    if options.is_json:
        spans = [span.trace_fields() for span in trace.spans]
        print_json({"run_id": run_id, "correlation_id": trace.correlation_id, "erased": trace.erased, "spans": spans})
    else:
        print_trace(trace)


async def _receipts(options: Options, text: str) -> None:
    async with open_session(options) as session:
        run_id = await session.run_id(text)
        found = await session.reader.list_receipts(session.tenant_id, run_id=run_id, limit=RECEIPTS_MAX)
    if options.is_json:
        print_json({"run_id": run_id, "receipts": [receipt_json(stored) for stored in found]})
        return
    rows = (
        (
            time_of_day(stored.created_at),
            stored.receipt.step,
            stored.receipt.delivery_class,
            amount(stored.receipt.amount_minor, stored.receipt.currency),
            stored.receipt.external_reference or "",
            short_receipt(stored.receipt.receipt_id),
        )
        for stored in found
    )
    columns = ("at (UTC)", "step", "class", "amount>", "provider's reference", "receipt")
    print_table(columns, rows, empty="no receipts: nothing outside was changed")


async def _replay(options: Options, text: str) -> int:
    from remit.cli.replaying import print_report, report_json

    async with open_session(options) as session:
        run_id = await session.run_id(text)
        report = await session.kernel.runs.replay(session.tenant_id, run_id)
    if options.is_json:
        print_json(report_json(report))
    else:
        print_report(report)
    return OK if report.is_verified else NEGATIVE


async def _cancel(options: Options, text: str, *, reason: str) -> None:
    async with open_session(options) as session:
        principal = await require_operator(session)
        run_id = await session.run_id(text)
        is_new = await session.kernel.runs.cancel(
            session.tenant_id, run_id, requested_by=principal.principal_id, reason=reason
        )
    _acknowledge(options, run_id, "cancellation asked" if is_new else "cancellation was asked before")


async def _signal(options: Options, text: str, *, name: str, payload: JsonValue, message_id: str | None) -> None:
    async with open_session(options) as session:
        principal = await require_operator(session)
        run_id = await session.run_id(text)
        is_new = await session.kernel.runs.signal(
            session.tenant_id,
            run_id,
            name=name,
            payload=payload,
            sent_by=principal.principal_id,
            message_id=None if message_id is None else f"signal:{message_id}",
        )
    _acknowledge(options, run_id, f"signal {name} sent" if is_new else f"signal {name} was sent before")


async def _resolve(options: Options, text: str, step: str, *, settlement: tuple[Settlement, JsonValue, str]) -> None:
    outcome, output, reason = settlement
    async with open_session(options) as session:
        principal = await require_operator(session)
        if principal.kind != "human":
            raise PermissionDeniedError(f"expected a person to settle an effect, got a {principal.kind}; choose --as")
        run_id = await session.run_id(text)
        await session.kernel.runs.settle(
            session.tenant_id,
            run_id,
            EffectSettlement(
                step=step,
                outcome=outcome.value,
                decided_by=principal.principal_id,
                output=output,
                reason=reason,
            ),
        )
    _acknowledge(options, run_id, f"effect of {step} settled: {outcome.value}")


def _acknowledge(options: Options, run_id: str, what: str) -> None:
    if options.is_json:
        print_json({"run_id": run_id, "accepted": True, "message": what})
    else:
        print(f"run {short_run(run_id)}: {what}")
