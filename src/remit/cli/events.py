"""``remit events``: what providers told us, and what became of it."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from remit.api.records import inbound_json
from remit.cli.options import Noun, Options, options_of
from remit.cli.output import instant, print_json, print_table, short_run, state_text
from remit.cli.session import open_session, run_in_loop

events = Noun("Look at inbound events, also those that are held until a run waits for them.")
app = events.app
LIMIT_MAX = 1_000


class EventStatus(StrEnum):
    """What became of an inbound event."""

    HELD = "held"
    DELIVERED = "delivered"


@events.verb("list")
def list_events(
    context: typer.Context,
    *,
    status: Annotated[EventStatus | None, typer.Option(help="Only events of this status.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=LIMIT_MAX, help="Most events to list.")] = 50,
) -> None:
    """List inbound events, newest first."""
    run_in_loop(_list(options_of(context), status=status, limit=limit))


async def _list(options: Options, *, status: EventStatus | None, limit: int) -> None:
    async with open_session(options) as session:
        found = await session.reader.list_inbound(
            session.tenant_id, status=None if status is None else status.value, limit=limit
        )
    if options.is_json:
        print_json({"events": [inbound_json(one) for one in found]})
        return
    rows = (
        (
            instant(one.received_at),
            one.name,
            one.event_key[:40],
            state_text(one.status),
            ", ".join(short_run(run_id) for run_id in one.run_ids),
        )
        for one in found
    )
    print_table(("received (UTC)", "event", "key", "status", "runs"), rows, empty="no inbound events")
