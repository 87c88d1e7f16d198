"""Remit: the governed orchestration kernel for AI agents and business workflows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any  # noqa: TID251 - lazy exports need their types, not a cycle's

from remit.errors import RemitError

if TYPE_CHECKING:
    from remit.bootstrap import Kernel
    from remit.core.facts import OutboxMessage
    from remit.ports.pack import Pack
    from remit.ports.tool import LookupResult, ToolContext, ToolResult
    from remit.settings import Settings
    from remit.tools import tool

__all__ = [
    "Kernel",
    "LookupResult",
    "OutboxMessage",
    "Pack",
    "RemitError",
    "Settings",
    "ToolContext",
    "ToolResult",
    "tool",
]

_PLACES = {
    "Kernel": "remit.bootstrap",
    "LookupResult": "remit.ports.tool",
    "OutboxMessage": "remit.core.facts",
    "Pack": "remit.ports.pack",
    "Settings": "remit.settings",
    "ToolContext": "remit.ports.tool",
    "ToolResult": "remit.ports.tool",
    "tool": "remit.tools",
}


def __getattr__(name: str) -> Any:
    """Load a public name when it is first used: ``import remit`` must stay light."""
    if name not in _PLACES:
        raise AttributeError(f"module 'remit' has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(_PLACES[name]), name)
