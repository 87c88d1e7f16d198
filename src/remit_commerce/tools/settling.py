"""Settling a doubt within one call: reading what an answer left open.

Owns: the rule that a read which fails leaves the doubt as it was. Does not know: any provider.
"""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TypeVar

from remit.errors import ToolError

_Found = TypeVar("_Found")


async def settle(reading: Awaitable[_Found]) -> _Found:
    """Return what a read finds; if the read fails too, nobody knows whether the effect is there.

    Raises:
        ToolError: the read's error, with an unknown effect: a read alone would say "none".
    """
    try:
        return await reading
    except ToolError as error:
        raise ToolError(error.message, retryable=True, effect="unknown", reason=error.reason) from error
