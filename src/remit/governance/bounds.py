"""Bounds: the hard limits of a run, checked before each call.

Owns: the comparison of usage and limits. Does not know: how usage is counted.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from remit.core.definition import Bounds
from remit.governance.verdicts import Refusal


class Usage(Protocol):
    """What a run used, the call in question included in ``steps``, ``tool_calls`` and ``calls_by_tool``."""

    @property
    def steps(self) -> int: ...
    @property
    def tool_calls(self) -> int: ...
    @property
    def tokens(self) -> int: ...
    @property
    def cost_usd_micros(self) -> int: ...
    @property
    def active_ms(self) -> int: ...
    @property
    def calls_by_tool(self) -> Mapping[str, int]: ...


def check_bounds(bounds: Bounds, usage: Usage, *, tool: str, cost_usd_micros: int = 0) -> Refusal | None:
    """Say which bound the call would break, if any.

    Counts include the call. Its declared cost is reserved here: added to what was spent. Time cannot be reserved, so a
    call may start while any is left.

    Args:
        bounds: The run's limits; zero forbids.
        usage: What the run used, the call counted.
        tool: The tool's name.
        cost_usd_micros: What the contract says that one call costs.
    """
    if usage.steps > bounds.steps_max:
        return _exceeded("steps_max", bounds.steps_max, usage.steps)
    if usage.tool_calls > bounds.tool_calls_max:
        return _exceeded("tool_calls_max", bounds.tool_calls_max, usage.tool_calls)
    if usage.tokens > bounds.tokens_max:
        return _exceeded("tokens_max", bounds.tokens_max, usage.tokens)
    cost = usage.cost_usd_micros + cost_usd_micros
    if cost > bounds.cost_usd_micros_max:
        return _exceeded("cost_usd_micros_max", bounds.cost_usd_micros_max, cost)
    if usage.active_ms >= bounds.active_seconds_max * 1000:
        return _exceeded("active_seconds_max", bounds.active_seconds_max, usage.active_ms / 1000)
    by_tool = bounds.tool_calls_max_by_tool
    if tool in by_tool and usage.calls_by_tool.get(tool, 0) > by_tool[tool]:
        return _exceeded(f"tool_calls_max_by_tool.{tool}", by_tool[tool], usage.calls_by_tool[tool])
    return None


def _exceeded(bound: str, limit: int, value: float) -> Refusal:
    return Refusal(
        stage="bounds",
        code="BOUND_EXCEEDED",
        message=f"expected at most {limit} for {bound}, got {value}; raise the bound or do less in one run",
        evidence={"bound": bound, "limit": limit, "value": value},
    )
