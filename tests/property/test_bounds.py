"""Laws of bounds: no order of calls gets past them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from remit.core.definition import Bounds
from remit.core.state import RunUsage
from remit.governance.bounds import check_bounds

TOOLS = ("a.read", "b.write", "c.pay")

limits = st.integers(0, 12)
all_bounds = st.builds(
    Bounds,
    steps_max=limits,
    active_seconds_max=limits,
    tokens_max=st.integers(0, 60),
    tool_calls_max=limits,
    tool_calls_max_by_tool=st.dictionaries(st.sampled_from(TOOLS), limits, max_size=3),
    cost_usd_micros_max=st.integers(0, 60),
)
# Tool, steps begun, declared cost, tokens used and milliseconds taken.
calls = st.lists(
    st.tuples(st.sampled_from(TOOLS), st.integers(0, 1), st.integers(0, 9), st.integers(0, 9), st.integers(0, 3_000)),
    max_size=60,
)


@given(all_bounds, calls)
def test_no_schedule_of_calls_exceeds_a_bound(bounds: Bounds, schedule: list[tuple[str, int, int, int, int]]) -> None:
    """
    If only calls without a refusal are made, counts and declared costs stay within their bounds, and tokens and time
    exceed theirs by no more than the one call that was under way.
    """
    usage = RunUsage(calls_by_tool={})
    last_tokens = last_ms = 0
    for tool, steps, cost, tokens, milliseconds in schedule:
        asked = RunUsage(
            steps=usage.steps + steps,
            tool_calls=usage.tool_calls + 1,
            tokens=usage.tokens,
            cost_usd_micros=usage.cost_usd_micros,
            active_ms=usage.active_ms,
            calls_by_tool=usage.calls_by_tool | {tool: usage.calls_by_tool.get(tool, 0) + 1},
        )
        if check_bounds(bounds, asked, tool=tool, cost_usd_micros=cost) is not None:
            continue
        asked.cost_usd_micros += cost
        asked.tokens += tokens
        asked.active_ms += milliseconds
        last_tokens, last_ms = tokens, milliseconds
        usage = asked

    assert usage.steps <= bounds.steps_max
    assert usage.tool_calls <= bounds.tool_calls_max
    assert usage.cost_usd_micros <= bounds.cost_usd_micros_max
    assert usage.tokens - last_tokens <= bounds.tokens_max
    assert usage.active_ms - last_ms <= bounds.active_seconds_max * 1000
    assert all(usage.calls_by_tool.get(tool, 0) <= limit for tool, limit in bounds.tool_calls_max_by_tool.items())


@given(all_bounds, all_bounds, st.data())
def test_tightened_bounds_refuse_what_either_refuses(first: Bounds, second: Bounds, data: st.DataObject) -> None:
    """
    Bounds of a definition under those of a business config refuse exactly what one of the two refuses.
    """
    tool = data.draw(st.sampled_from(TOOLS))
    usage = RunUsage(
        steps=data.draw(limits),
        tool_calls=data.draw(limits),
        tokens=data.draw(limits),
        cost_usd_micros=data.draw(limits),
        active_ms=data.draw(st.integers(0, 12_000)),
        calls_by_tool={tool: data.draw(limits)},
    )

    refusals = [check_bounds(bounds, usage, tool=tool) is not None for bounds in (first, second)]
    assert any(refusals) == (check_bounds(first.tightened(second), usage, tool=tool) is not None)
