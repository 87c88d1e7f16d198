"""Tools of every delivery class on the fake provider, over the same guarded exchange as the pack's.

Owns: one tool for each class that no real provider has, or has alone. Does not know: faults.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from typing import Final, Literal

import msgspec

from remit.core.canonical import JsonValue
from remit.core.facts import OutboxMessage
from remit.errors import ToolError
from remit.ports.tool import LookupResult, ToolContext, ToolResult
from remit.tools import tool
from remit_commerce.providers import wire

NAME: Final = "the fake provider"
TOPIC: Final = "things.told"

fake_tool = partial(
    tool,
    side_effect="HARD_WRITE",
    dependency="fake",
    credential="fake_token",
    endpoint="fake",
    network=("127.0.0.1",),
    timeout=timedelta(seconds=20),
)


class Thing(msgspec.Struct, frozen=True, kw_only=True):
    """What the provider made."""

    id: str
    reference: str | None = None


async def ask(context: ToolContext, method: Literal["GET", "POST"], path: str) -> Thing:
    """Send one request and return what it answers about."""
    changes = method == "POST"
    headers = {
        "Authorization": f"Bearer {context.credentials['fake_token']}",
        "Idempotency-Key": context.external_key,
        wire.REFERENCE_HEADER: context.reference,
    }
    request = wire.Outgoing(
        method=method,
        url=f"{context.endpoint}/{path}",
        headers=headers,
        timeout_seconds=wire.time_left(context),
        changes=changes,
    )
    reply = await wire.exchange(NAME, request)
    if reply.status != 200:
        reason = f"http_{reply.status}"
        raise wire.failure(NAME, reply, changes=changes, message="no message", reason=reason)
    try:
        return msgspec.convert(wire.read_object(NAME, reply, changes=changes), Thing)
    except msgspec.ValidationError as error:
        raise wire.misfit(NAME, f"with another shape: {error}", changes=changes) from error


async def make(context: ToolContext, path: str) -> Thing:
    """Have a thing made that carries our reference."""
    made = await ask(context, "POST", path)
    if made.reference != context.reference:
        raise wire.misfit(NAME, f"about {made.id}", changes=True, reason="WRONG_OBJECT")
    return made


async def find(arguments: Mapping[str, JsonValue], context: ToolContext) -> LookupResult:
    """Look for the thing with our reference."""
    try:
        found = await ask(context, "GET", f"things/{context.reference}")
    except ToolError as error:
        if error.reason == "http_404":
            return LookupResult(result=None)
        raise
    if found.reference != context.reference:
        raise wire.misfit(NAME, f"about {found.id}", changes=False, reason="WRONG_OBJECT")
    return LookupResult(result=ToolResult(output=msgspec.to_builtins(found), external_reference=found.id))


@fake_tool("fake.keyed", delivery="keyed", lookup=find, reference="id")
async def keyed(context: ToolContext) -> Thing:
    """Make a thing under a key that the provider never forgets."""
    return await make(context, "keyed")


@fake_tool("fake.forgetful", delivery="keyed", lookup=find, reference="id", key_window=timedelta(seconds=1))
async def forgetful(context: ToolContext) -> Thing:
    """Make a thing under a key that the provider has forgotten before the second attempt."""
    return await make(context, "forgetful")


@fake_tool("fake.queryable", delivery="queryable", lookup=find, reference="id")
async def queryable(context: ToolContext) -> Thing:
    """Make a thing that is found by its reference, and as often as it is asked for."""
    return await make(context, "queryable")


@fake_tool("fake.opaque", delivery="opaque", reference="id")
async def opaque(context: ToolContext) -> Thing:
    """Make a thing that cannot be found again."""
    return await make(context, "opaque")


@fake_tool("fake.local", delivery="local", side_effect="SOFT_WRITE")
async def local(context: ToolContext, reference: str) -> ToolResult:
    """Read a thing and tell subscribers of it: what is told is durable with the step or not at all."""
    found = await ask(context, "GET", f"things/{reference}")
    if found.reference != reference:
        raise wire.misfit(NAME, f"about {found.id}", changes=False, reason="WRONG_OBJECT")
    return ToolResult(output={"told": found.id}, outbox=(OutboxMessage(topic=TOPIC, body=found.id, key=None),))


ALL: Final = (keyed, forgetful, queryable, opaque, local)
