"""What a replay found, for people and as JSON."""

from __future__ import annotations

import msgspec

from remit.cli.output import print_fields, state_text
from remit.core.canonical import JsonValue
from remit.runtime.replay import ReplayReport


def report_json(report: ReplayReport) -> dict[str, JsonValue]:
    """Return a replay's report with stable keys."""
    fields: dict[str, JsonValue] = msgspec.to_builtins(report)
    return {"verified": report.is_verified, "verdict": report.verdict, **fields}


def print_report(report: ReplayReport) -> None:
    """Print whether journal, state and receipts agree, or every place where they do not."""
    place = report.place
    print_fields(
        (
            ("replay", state_text("ok" if report.is_verified else "fail").append(f": {report.verdict}")),
            ("journal", f"{report.entries} entries, {report.facts} facts, {report.receipts} receipts"),
            ("recorded", report.recorded_state_hash or "no state hash: the run has not ended"),
            ("replayed", report.state_hash or "none"),
            ("place", None if place is None else f"entry {place.sequence}, {place.part}"),
            *(("found", finding) for finding in report.findings),
        )
    )
