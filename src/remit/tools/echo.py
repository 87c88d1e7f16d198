"""``data.echo``: returns its input. For examples, benchmarks and first steps."""

from __future__ import annotations

from remit.core.canonical import JsonValue
from remit.tools.decorator import tool


@tool("data.echo", operation="read")
async def echo(value: JsonValue = None) -> JsonValue:
    """Return the value that it was given."""
    return value
