"""The tools that every kernel has. Like every other tool they need a scope that grants them.

Owns: the list.
"""

from __future__ import annotations

from remit.ports.tool import Tool
from remit.tools.publish import publish


def built_in_tools() -> tuple[Tool, ...]:
    """Return the built-in tools."""
    return (publish,)
