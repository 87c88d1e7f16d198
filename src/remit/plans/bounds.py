"""Bounds in documents: hard limits, under our names or those of the seed documents.

Owns: the fields of ``bounds``.
Does not know: who enforces them.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from remit.core.definition import Bounds
from remit.plans.documents import Scalar
from remit.plans.fields import Fields, FieldTable, place

COUNT_MAX: Final = 10_000_000
SECONDS_MAX: Final = 366 * 86_400
COST_USD_MAX: Final = 1_000_000
"""Largest limits that a file may set: beyond them a limit is none, and most likely a slip."""

BOUNDS: Final = FieldTable(
    what="bounds",
    names=frozenset(
        {
            "active_seconds_max",
            "active_time_max",
            "cost_usd_max",
            "cost_usd_micros_max",
            "loop_repeats_max",
            "steps_max",
            "tokens_max",
            "tool_calls_max",
            "tool_calls_max_by_tool",
        }
    ),
    other_names={
        "max_steps_per_run": "steps_max",
        "max_time_seconds": "active_seconds_max",
        "max_tokens_per_run": "tokens_max",
        "max_tool_calls_per_run": "tool_calls_max",
        "max_tool_calls_per_type": "tool_calls_max_by_tool",
    },
)

_COUNTS: Final = {
    "steps_max": COUNT_MAX,
    "active_seconds_max": SECONDS_MAX,
    "tokens_max": 10**12,
    "tool_calls_max": COUNT_MAX,
    "cost_usd_micros_max": COST_USD_MAX * 1_000_000,
    "loop_repeats_max": 10_000,
}


def read_bounds(fields: Fields) -> Bounds:
    """Return the bounds of a document; a limit that is missing or unusable has its default."""
    fields.exclude("active_seconds_max", "active_time_max")
    fields.exclude("cost_usd_micros_max", "cost_usd_max")
    limits: dict[str, int] = {}
    for name, maximum in _COUNTS.items():
        value = fields.integer(name, maximum=maximum)
        if value is not None:
            limits[name] = value
    time_ms = fields.duration_ms("active_time_max", minimum_ms=1_000, maximum_ms=SECONDS_MAX * 1_000)
    if time_ms is not None:
        limits["active_seconds_max"] = time_ms // 1_000
    cost = _cost_micros(fields)
    if cost is not None:
        limits["cost_usd_micros_max"] = cost
    return Bounds(**limits, tool_calls_max_by_tool=_by_tool(fields))


def _cost_micros(fields: Fields) -> int | None:
    """Return ``cost_usd_max`` in millionths of a dollar; finer amounts are refused, not rounded."""
    value = fields.number("cost_usd_max", minimum=0, maximum=COST_USD_MAX)
    if value is None:
        return None
    micros = Decimal(repr(value)) * 1_000_000
    if micros == micros.to_integral_value():
        return int(micros)
    node = fields.node("cost_usd_max")
    assert isinstance(node, Scalar)
    fields.reporter.report(
        "VALUE_INVALID", f"expected at most six digits behind the point, got {value}; round it", at=place(node)
    )
    return None


def _by_tool(fields: Fields) -> dict[str, int]:
    mapping = fields.object("tool_calls_max_by_tool")
    if mapping is None:
        return {}
    table = FieldTable(what="tool_calls_max_by_tool", names=frozenset(mapping.entries))
    limits = Fields(fields.reporter, mapping, table)
    found = ((tool, limits.integer(tool, maximum=COUNT_MAX)) for tool in mapping.entries)
    return {tool: limit for tool, limit in found if limit is not None}
