"""The tools of unfinished golden histories. Frozen: definitions that were recorded name their contracts by digest."""

from __future__ import annotations

from typing import Final

from remit import tool
from remit.core.definition import EventStep, RetryPolicy, SignalStep, Step, TimerStep, ToolStep
from remit.errors import ToolError
from remit.governance.contracts import contract_digest
from remit.tools.function import FunctionTool

WHILE_RECORDING: Final = {"flaky": True}
"""What fails while histories are recorded, and works when they go on."""


@tool("golden.asked", side_effect="HARD_WRITE", delivery="keyed")
async def asked(n: int) -> dict[str, int]:
    """Return a number, after somebody agreed."""
    return {"n": n}


@tool("golden.lost", side_effect="HARD_WRITE")
async def lost(n: int) -> dict[str, int]:
    """Lose the answer."""
    raise ToolError(f"no answer for {n}", effect="unknown")


@tool("golden.flaky")
async def flaky(n: int) -> dict[str, int]:
    """Return a number, at a second attempt."""
    if WHILE_RECORDING["flaky"]:
        raise ToolError("busy", retryable=True, reason="BUSY")
    return {"n": n}


TOOLS: Final = (asked, lost, flaky)


def call(function: FunctionTool[..., object], **changes: object) -> ToolStep:
    """Return the step ``last`` that calls a tool with a number."""
    contract = function.contract
    return ToolStep(
        id="last",
        tool=contract.name,
        tool_version=contract.version,
        contract_digest=contract_digest(contract),
        input={"n": "${{ input.n }}"},
        **changes,  # type: ignore[arg-type]  # by name
    )


SOON_MS: Final = 40_000
WAITS: Final[dict[str, Step]] = {
    "approval of last": call(asked),
    "settlement of last": call(lost),
    "retry of last": call(flaky, retry=RetryPolicy(attempts_max=3, delay_initial_ms=SOON_MS)),
    "timer last": TimerStep(id="last", duration_ms=SOON_MS),
    "signal golden": SignalStep(id="last", signal="golden"),
    "event golden.paid": EventStep(id="last", event="golden.paid", correlation="${{ run.id }}"),
}
"""What runs wait for when they are recorded, and the step that does."""
