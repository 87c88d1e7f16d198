"""``remit outbox``: what steps published, and whether subscribers have it."""

from __future__ import annotations

from typing import Annotated, Final

import typer

from remit.api.records import outbox_json
from remit.cli.options import Noun, Options, options_of
from remit.cli.output import instant, print_json, print_table, state_text
from remit.cli.session import open_session, run_in_loop
from remit.core.states import OutboxStatus
from remit.errors import InputInvalidError
from remit.ports.outbox import OutboxEntry

LIMIT_MAX: Final = 1_000
SHORT_MESSAGE_CHARACTERS: Final = 12
"""``msg_`` and eight more: what `retry` takes."""

outbox = Noun("Look at what steps published, and send dead letters again.")
app = outbox.app


@outbox.verb("list")
def list_messages(
    context: typer.Context,
    *,
    status: Annotated[OutboxStatus | None, typer.Option(help="Only messages of this status.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=LIMIT_MAX, help="Most messages to list.")] = 50,
) -> None:
    """List messages, newest first, a line for each subscriber."""
    run_in_loop(_list(options_of(context), status=status, limit=limit))


@outbox.verb("retry")
def retry(
    context: typer.Context,
    message: Annotated[
        str | None, typer.Argument(metavar="MESSAGE", help="Its id, or a beginning that no other has.")
    ] = None,
    *,
    subscriber: Annotated[str | None, typer.Option("--to", metavar="SUBSCRIBER", help="Only to this one.")] = None,
    dead: Annotated[bool, typer.Option("--dead", help="All dead letters instead of one message.")] = False,
) -> None:
    """Send a message again, now: a dead letter, or one that waits for its next attempt."""
    run_in_loop(_retry(options_of(context), message, subscriber=subscriber, is_all_dead=dead))


async def _list(options: Options, *, status: OutboxStatus | None, limit: int) -> None:
    async with open_session(options) as session:
        found = await session.kernel.store.outbox.list(session.tenant_id, status=status, limit=limit)
    if options.is_json:
        print_json({"messages": [outbox_json(one) for one in found]})
        return
    rows = (
        (
            instant(one.created_at),
            one.message_id[:SHORT_MESSAGE_CHARACTERS],
            one.topic,
            one.destination,
            state_text(one.status.value),
            str(one.attempt_count),
            _remark(one),
        )
        for one in found
    )
    columns = ("published (UTC)", "message", "topic", "subscriber", "status", "tries>", "remark")
    print_table(columns, rows, empty="nothing was published to a subscriber")


def _remark(entry: OutboxEntry) -> str:
    """Return why the last attempt failed, and when the next one is."""
    if entry.is_under_way:
        return "under way"
    if entry.status is OutboxStatus.PENDING and entry.attempt_count:
        return f"{entry.reason}; again at {instant(entry.next_attempt_at)[-8:]}"
    return "" if entry.status is OutboxStatus.DELIVERED else entry.reason or ""


async def _retry(options: Options, message: str | None, *, subscriber: str | None, is_all_dead: bool) -> None:
    if (message is None) is not is_all_dead:
        raise InputInvalidError("expected either MESSAGE or --dead; remit outbox list shows messages")
    if is_all_dead and subscriber is not None:
        raise InputInvalidError("expected --to with MESSAGE, got it with --dead")
    async with open_session(options) as session:
        await session.principal()
        store = session.kernel.store.outbox
        if message is None:
            count = await store.retry_dead(session.tenant_id)
        else:
            count = await store.retry(session.tenant_id, message, destination=subscriber)
    if options.is_json:
        print_json({"due": count})
        return
    print(f"{count} due now" if count else "nothing to send: it is delivered, or under way")
