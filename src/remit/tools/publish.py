"""``outbox.publish``: tells whoever subscribes to a topic."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from remit.core.canonical import JsonValue
from remit.core.facts import OutboxMessage
from remit.ports.tool import ToolContext, ToolResult
from remit.tools.decorator import tool

OUTPUT_SCHEMA: dict[str, JsonValue] = {
    "type": "object",
    "properties": {"message_id": {"type": "string"}},
    "required": ["message_id"],
}


@tool("outbox.publish", side_effect="SOFT_WRITE", delivery="local", operation="publish", output_schema=OUTPUT_SCHEMA)
async def publish(
    context: ToolContext,
    topic: Annotated[str, Meta(description="Lower-case words joined by dots, such as orders.paid.", max_length=128)],
    body: JsonValue = None,
    key: Annotated[str, Meta(description="What it is about, such as an order's id.", max_length=200)] | None = None,
) -> ToolResult:
    """Tell every subscriber of a topic: signed webhooks, at least once each, sent only once this step is durable."""
    message = OutboxMessage(topic=topic, body=body, key=key)
    return ToolResult(output={"message_id": context.message_id()}, outbox=(message,))
