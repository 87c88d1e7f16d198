"""The tools of random programs: deterministic, one of each delivery class, with their effects in the ledger.

A worker loads this file with ``--tools``; the ledger's path comes from its environment.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from remit import LookupResult, ToolContext, ToolResult, tool
from remit.core.canonical import JsonValue
from remit.errors import ToolError
from tests.crash.programs.ledger import Ledger
from tests.crash.programs.model import GAINS

LEDGER_VARIABLE = "PROGRAMS_LEDGER"


@cache
def _ledger_of(path: str, process: int) -> Ledger:
    del process  # a connection does not survive a fork
    return Ledger(Path(path))


def _ledger() -> Ledger:
    return _ledger_of(os.environ[LEDGER_VARIABLE], os.getpid())


def _fail(context: ToolContext, fails: int) -> None:
    if context.attempt <= fails:
        raise ToolError(f"attempt {context.attempt} of {fails} that fail", reason="FLAKY", retryable=True)


@tool("programs.compute")
async def compute(context: ToolContext, label: str, value: int, fails: int = 0) -> dict[str, int]:
    """Add to a value."""
    _ledger().call("compute", label, context.attempt)
    return {"value": value + GAINS["compute"]}


@tool("programs.flaky")
async def flaky(context: ToolContext, label: str, value: int, fails: int = 0) -> dict[str, int]:
    """Add to a value, after so many failures."""
    _ledger().call("flaky", label, context.attempt)
    _fail(context, fails)
    return {"value": value + GAINS["flaky"]}


async def _act(kind: str, context: ToolContext, arguments: Mapping[str, JsonValue]) -> ToolResult:
    ledger, label, value = _ledger(), str(arguments["label"]), arguments["value"]
    assert isinstance(value, int)
    ledger.call(kind, label, context.attempt)
    fails = arguments["fails"]
    assert isinstance(fails, int)
    _fail(context, fails)
    if arguments["die"] == "before":
        ledger.die(label, "before")
    done = ledger.do(kind, context.external_key, label, value + GAINS[kind])
    if arguments["die"] == "after":
        ledger.die(label, "after")
    return ToolResult(output={"value": done}, external_reference=context.reference)


async def _look(arguments: Mapping[str, JsonValue], context: ToolContext) -> LookupResult:
    done = _ledger().find(context.external_key)
    if done is None:
        return LookupResult(result=None)
    return LookupResult(result=ToolResult(output={"value": done}, external_reference=context.reference))


@tool("programs.keyed", side_effect="HARD_WRITE", delivery="keyed", lookup=_look)
async def keyed(
    context: ToolContext, label: str, value: int, *, fails: int = 0, ask: bool = False, die: str = ""
) -> ToolResult:
    """Have an effect that the ledger does once for a key."""
    return await _act("keyed", context, {"label": label, "value": value, "fails": fails, "die": die})


@tool("programs.queryable", side_effect="HARD_WRITE", delivery="queryable", lookup=_look)
async def queryable(
    context: ToolContext, label: str, value: int, *, fails: int = 0, ask: bool = False, die: str = ""
) -> ToolResult:
    """Have an effect that the ledger does each time it is asked, and can find again."""
    return await _act("queryable", context, {"label": label, "value": value, "fails": fails, "die": die})


@tool("programs.opaque", side_effect="HARD_WRITE")
async def opaque(
    context: ToolContext, label: str, value: int, *, fails: int = 0, ask: bool = False, die: str = ""
) -> ToolResult:
    """Have an effect that the ledger does each time, of which it says nothing afterwards."""
    return await _act("opaque", context, {"label": label, "value": value, "fails": fails, "die": die})
