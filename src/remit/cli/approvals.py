"""``remit approvals``: see exactly what waits for a person, and decide."""

from __future__ import annotations

import sys
from typing import Annotated, Literal

import typer

from remit.api.records import approval_json
from remit.cli.approval_card import print_card
from remit.cli.exit_codes import NEGATIVE, OK
from remit.cli.options import Noun, Options, options_of
from remit.cli.output import duration, print_json, print_table, short_id, short_run, state_text
from remit.cli.session import open_session, run_in_loop
from remit.clock import wall_clock
from remit.core.states import ApprovalStatus
from remit.errors import AlreadyDecidedError
from remit.ids import ApprovalId
from remit.ports.store import Approval, Decision, Principal

LIMIT_MAX = 1_000

approvals = Noun("See exactly what waits for a person, and decide as one: --as PRINCIPAL.")
app = approvals.app

ApprovalArgument = Annotated[str, typer.Argument(metavar="APPROVAL", help="At least 6 characters of its id.")]
Digest = Annotated[
    str | None,
    typer.Option("--digest", metavar="DIGEST", help="Decide only if this (or its beginning) is what would run."),
]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask again on a terminal.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; kept in the journal.")]


@approvals.verb("list")
def list_approvals(
    context: typer.Context,
    *,
    every: Annotated[bool, typer.Option("--all", help="Also those that are decided or over.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=LIMIT_MAX, help="Most requests to list.")] = 50,
) -> None:
    """List what waits for a decision, oldest first."""
    run_in_loop(_list(options_of(context), status=None if every else ApprovalStatus.PENDING, limit=limit))


@approvals.verb("show")
def show_approval(context: typer.Context, approval: ApprovalArgument) -> None:
    """Show exactly what will run: the stored bytes, who asked, by which rule, until when."""
    run_in_loop(_show(options_of(context), approval))


@approvals.verb("approve")
def approve(
    context: typer.Context, approval: ApprovalArgument, *, reason: Reason = "", digest: Digest = None, yes: Yes = False
) -> int:
    """Agree to exactly what is shown. The requester cannot; nor can a service or an agent."""
    return run_in_loop(_decide(options_of(context), approval, "approve", terms=(reason, digest, yes)))


@approvals.verb("deny")
def deny(
    context: typer.Context, approval: ApprovalArgument, *, reason: Reason = "", digest: Digest = None, yes: Yes = False
) -> int:
    """Refuse; the step fails and nothing is sent."""
    return run_in_loop(_decide(options_of(context), approval, "deny", terms=(reason, digest, yes)))


async def _list(options: Options, *, status: str | None, limit: int) -> None:
    async with open_session(options) as session:
        found = await session.kernel.store.approvals.list(session.tenant_id, status=status, limit=limit)
    if options.is_json:
        print_json({"approvals": [approval_json(approval) for approval in found]})
        return
    rows = (
        (
            short_id(one.approval_id),
            short_run(one.run_id),
            one.step,
            one.tool,
            one.rule_id,
            one.requested_by,
            state_text(one.status),
            _time_left(one),
        )
        for one in found
    )
    columns = ("approval", "run", "step", "tool", "rule", "requested by", "status", "time left>")
    print_table(columns, rows, empty="nothing waits for a decision")


def _time_left(approval: Approval) -> str:
    if approval.status != ApprovalStatus.PENDING:
        return ""
    left = (approval.expires_at - wall_clock()).total_seconds()
    return duration(left) if left > 0 else "over"


async def _show(options: Options, text: str) -> None:
    async with open_session(options) as session:
        approval = await session.kernel.store.approvals.get(session.tenant_id, ApprovalId(text.lower()))
    if options.is_json:
        print_json(approval_json(approval))
    else:
        print_card(approval)


async def _decide(
    options: Options, text: str, decision: Literal["approve", "deny"], *, terms: tuple[str, str | None, bool]
) -> int:
    reason, expected_digest, has_agreed = terms
    async with open_session(options) as session:
        principal = await session.principal()
        approval = await session.kernel.store.approvals.get(session.tenant_id, ApprovalId(text.lower()))
        if expected_digest is not None and not approval.digest.startswith(expected_digest.lower()):
            raise AlreadyDecidedError(
                f"expected digest {expected_digest[:16]}…, but what would run has {approval.digest[:16]}…; look again",
                digest=approval.digest,
            )
        asks = not (has_agreed or options.is_json or _is_hopeless(principal, approval))
        if asks and not _confirm(approval, decision):
            return NEGATIVE
        decided = await session.kernel.store.approvals.decide(
            session.tenant_id,
            Decision(
                approval_id=approval.approval_id,
                decision=decision,
                principal_id=principal.principal_id,
                digest=approval.digest,
                reason=reason,
            ),
        )
        await session.kernel.runs.announce(decided.run_id)
    if options.is_json:
        print_json(approval_json(decided))
    else:
        missing = decided.approvers_required - len(decided.decided_by)
        more = f"; {missing} more must agree" if decided.status == ApprovalStatus.PENDING and missing > 0 else ""
        print(f"{short_id(decided.approval_id)}: {decided.status} by {principal.principal_id}{more}")
    return OK


def _is_hopeless(principal: Principal, approval: Approval) -> bool:
    """Whether the store will refuse this person anyway: then there is nothing to ask first."""
    is_approver = principal.kind == "human" and "approver" in principal.roles
    return not is_approver or principal.principal_id == approval.requested_by


def _confirm(approval: Approval, decision: str) -> bool:
    """Ask on a terminal, with the card above the question; elsewhere the command itself is the word."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return True
    print_card(approval)
    return typer.confirm(f"{decision} exactly this?")
