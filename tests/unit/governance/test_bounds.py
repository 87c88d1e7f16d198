"""Bounds: each limit refuses by its own name."""

from __future__ import annotations

from typing import Any

import pytest

from remit.core.definition import Bounds
from remit.core.state import RunUsage
from remit.governance.bounds import check_bounds

BOUNDS = Bounds(
    steps_max=3,
    active_seconds_max=10,
    tokens_max=100,
    tool_calls_max=4,
    tool_calls_max_by_tool={"shop.refund": 1},
    cost_usd_micros_max=500,
)


@pytest.mark.parametrize(
    ("usage", "bound", "limit", "value"),
    [
        ({"steps": 4}, "steps_max", 3, 4),
        ({"tool_calls": 5}, "tool_calls_max", 4, 5),
        ({"tokens": 101}, "tokens_max", 100, 101),
        ({"cost_usd_micros": 451}, "cost_usd_micros_max", 500, 501),
        ({"active_ms": 10_000}, "active_seconds_max", 10, 10.0),
        ({"calls_by_tool": {"shop.refund": 2}}, "tool_calls_max_by_tool.shop.refund", 1, 2),
    ],
)
def test_exceeded_bound_is_named(usage: dict[str, Any], bound: str, limit: int, value: float) -> None:
    """
    The refusal says which bound, how much it allows and how much was asked for.
    """
    refusal = check_bounds(BOUNDS, RunUsage(**usage), tool="shop.refund", cost_usd_micros=50)

    assert refusal is not None
    assert ("bounds", "BOUND_EXCEEDED") == (refusal.stage, refusal.code)
    assert {"bound": bound, "limit": limit, "value": value} == refusal.evidence
    assert bound in refusal.message


def test_usage_up_to_the_bounds_passes() -> None:
    """
    The last call that fits is made.
    """
    usage = RunUsage(
        steps=3,
        tool_calls=4,
        tokens=100,
        cost_usd_micros=450,
        active_ms=9_999,
        calls_by_tool={"shop.refund": 1, "shop.read": 99},
    )

    assert check_bounds(BOUNDS, usage, tool="shop.refund", cost_usd_micros=50) is None
    assert check_bounds(BOUNDS, usage, tool="shop.read") is None


def test_zero_forbids() -> None:
    """
    There is no value for "unlimited": zero allows nothing.
    """
    usage = RunUsage(steps=1, tool_calls=1)

    for bounds in (Bounds(steps_max=0), Bounds(tool_calls_max=0), Bounds(active_seconds_max=0)):
        assert check_bounds(bounds, usage, tool="shop.read") is not None
    assert check_bounds(Bounds(cost_usd_micros_max=0), usage, tool="shop.read", cost_usd_micros=1) is not None
    assert check_bounds(Bounds(cost_usd_micros_max=0), usage, tool="shop.read") is None
