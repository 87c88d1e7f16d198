"""Bugs for the storm to find: each takes one promise out of a server function of one database."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import asyncpg

from remit.testing.database import ScratchDatabase

DEFINITION: Final = """
select pg_get_functiondef(p.oid) from pg_proc p
where p.proname = $1 and p.pronamespace = 'remit'::regnamespace
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlBug:
    """In a function, each text becomes another; ``finding`` is part of what an audit then says."""

    name: str
    function: str
    edits: tuple[tuple[str, str], ...]
    finding: str


BUGS: Final = (
    SqlBug(
        name="no fence",
        function="append_v1",
        edits=(
            ("h.epoch <> e.epoch or h.worker_id is null", "false"),
            ("h.epoch is not distinct from e.epoch and h.worker_id is not null and ", ""),
        ),
        finding="a claim that had ended wrote",
    ),
    SqlBug(
        name="claim keeps the epoch",
        function="claim_v1",
        edits=(("epoch = h.epoch + 1", "epoch = h.epoch"),),
        finding="was given to 2 claims",
    ),
    SqlBug(
        name="sweep keeps the epoch",
        function="sweep_v1",
        edits=(("epoch = h.epoch + 1", "epoch = h.epoch"),),
        finding="is a claim's and a sweep's",
    ),
    SqlBug(
        name="message without a wake-up",
        function="deliver_v1",
        edits=(("perform remit.wake_run(tenant, run);", "null;"),),
        finding="nobody will ever look at it",
    ),
    SqlBug(
        name="waiting run is let go although a message came",
        function="append_v1",
        edits=(("wakes[e.ordinality] = e.wake_sequence and not exists", "true or not exists"),),
        finding="nobody will ever look at it",
    ),
    SqlBug(
        name="event that reaches nobody",
        function="receive_event_v1",
        edits=(("perform remit.insert_event_message(tenant, waiting, inbound);", "null;"),),
        finding="reached others than it said",
    ),
    SqlBug(
        name="key for everybody",
        function="change_keys",
        edits=(
            (
                "accepted[change.entry] := holder.status = 'reserved'",
                "accepted[change.entry] := true or holder.status = ''",
            ),
        ),
        finding="at once",
    ),
    SqlBug(
        name="every entry is already there",
        function="explain_refusals",
        edits=(("found and stored = entry.hash", "found"),),
        finding="is already there, nobody knows why",
    ),
    SqlBug(
        name="decision that the run does not hear of",
        function="decide_approval",
        edits=(("perform remit.tell_decision(", "perform concat("),),
        finding="messages about them",
    ),
)


async def plant(scratch: ScratchDatabase, bug: SqlBug) -> None:
    """Replace a function of this database by one with the bug.

    Raises:
        ValueError: the function changed, and the bug has to be planted anew.
    """
    connection = await asyncpg.connect(scratch.admin_url)
    try:
        text = await connection.fetchval(DEFINITION, bug.function)
        for old, new in bug.edits:
            if old not in text:
                raise ValueError(f"bug {bug.name}: expected {old!r} in {bug.function}")
            text = text.replace(old, new)
        await connection.execute(text)
    finally:
        await connection.close()
