"""A request for a decision as a card: what will run, read from the stored bytes.

Owns: the layout. How the bytes are shown, and which characters may deceive, is governance's (``display``).
"""

from __future__ import annotations

import orjson
from rich.text import Text

from remit.cli.output import amount, duration, instant, print_fields, short_run, state_text, stdout
from remit.clock import wall_clock
from remit.core.states import ApprovalStatus
from remit.governance.display import render_request
from remit.ports.store import Approval


def print_card(approval: Approval) -> None:
    """Print who asked for what, by which rule and until when, and the exact arguments."""
    print_fields(
        (
            ("approval", approval.approval_id),
            ("status", state_text(approval.status)),
            ("will run", f"{approval.tool} {approval.tool_version}"),
            ("at", approval.endpoint or None),
            ("with credential", approval.credential or None),
            ("for run", f"{short_run(approval.run_id)}, step {approval.step}"),
            ("requested by", approval.requested_by),
            ("rule", approval.rule_id + (f": {approval.reason}" if approval.reason else "")),
            ("approvers needed", str(approval.approvers_required)),
            ("expires", f"{instant(approval.expires_at)} UTC{_left(approval)}"),
            ("decided", _decided(approval)),
            ("digest", approval.digest),
        )
    )
    console = stdout()
    display = render_request(approval.arguments)
    console.print(Text("\nexactly these arguments:", style="bold"))
    for line in display.text.splitlines():
        console.print(Text(f"  {line}"), soft_wrap=True)
    money = _amount(approval.arguments)
    if money:
        console.print(Text(f"that is {money}", style="bold"))
    for warning in display.warnings:
        console.print(Text(f"careful: {warning.message}", style="bold red"), soft_wrap=True)


def _amount(arguments: bytes) -> str:
    try:
        value = orjson.loads(arguments)
    except orjson.JSONDecodeError:
        return ""
    if not isinstance(value, dict):
        return ""
    minor, currency = value.get("amount_minor"), value.get("currency")
    return amount(minor, currency) if isinstance(minor, int) and isinstance(currency, str) else ""


def _left(approval: Approval) -> str:
    left = (approval.expires_at - wall_clock()).total_seconds()
    return f" (in {duration(left)})" if approval.status == ApprovalStatus.PENDING and left > 0 else ""


def _decided(approval: Approval) -> str | None:
    if approval.decided_at is None:
        return None
    who = ", ".join(approval.decided_by) or "nobody"
    because = f": {approval.decision_reason}" if approval.decision_reason else ""
    return f"{instant(approval.decided_at)} UTC by {who}{because}"
