"""The tools that every kernel has. Like every other tool they need a scope that grants them.

Owns: the list, and the registry that begins with it and with the declared tools.
"""

from __future__ import annotations

from collections.abc import Iterable

from remit.ports.declared import DECLARED
from remit.ports.tool import Tool
from remit.tools.publish import publish
from remit.tools.registry import Registry


def built_in_tools() -> tuple[Tool, ...]:
    """Return the built-in tools."""
    return (publish,)


def registry_with(tools: Iterable[Tool]) -> Registry:
    """Return a registry of the declared tools, the built-in ones, and these.

    Raises:
        ContractInvalidError: a tool cannot be added.
    """
    registry = Registry()
    for contract in DECLARED:
        registry.declare(contract)
    for tool in [*built_in_tools(), *tools]:
        registry.add(tool)
    return registry
