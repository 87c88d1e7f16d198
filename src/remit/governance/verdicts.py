"""Verdicts: how a check says no.

Owns: the refusal record that all checks of the action pipeline return, and the table of its codes.
Does not know: the checks. ``None`` means that a check has nothing against the call.
"""

from __future__ import annotations

from typing import Final, Literal

import msgspec

from remit.core.canonical import JsonValue

Stage = Literal[
    "resolve", "contract", "permission", "look-up", "bounds", "loop", "approval", "breaker", "reserve", "act",
    "result", "receipt",
]  # fmt: skip
"""The stages of the action pipeline, in their order."""

REFUSAL_CODES: Final[dict[str, str]] = {
    "TOOL_UNKNOWN": "no tool of this name and version is registered, or its contract changed",
    "SCHEMA_INVALID": "the arguments do not match the contract's input schema",
    "PERMISSION_DENIED": "no scope of the business config covers the call",
    "DATA_CAP_EXCEEDED": "the arguments are larger than every scope that covers the call allows",
    "BOUND_EXCEEDED": "a hard limit of the run is reached",
    "LOOP_DETECTED": "the same sequence of calls repeats more often than the bounds allow",
    "DEPENDENCY_UNAVAILABLE": "the breaker of the dependency is open",
    "RESULT_INVALID": "the result does not match the contract's output schema",
}
"""Every code that a check refuses with, and its meaning in one line; the documentation is made from it."""


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """One stage's no.

    ``message`` says what was expected, what came and what to do; ``evidence`` says the same as data. Neither holds
    values of the arguments. ``retry_after_seconds`` is set when waiting helps.
    """

    stage: Stage
    code: str
    message: str
    evidence: JsonValue = None
    retry_after_seconds: float | None = None
