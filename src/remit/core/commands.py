"""Commands: what is still to be done. Never stored; ``outstanding`` derives them from the state.

Owns: the closed union of commands. A command that acts goes through the action pipeline; the others wait.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from remit.core.facts import ApprovalGiven, IntentRecorded


class _Command(msgspec.Struct, frozen=True, kw_only=True):
    step: str


class CallTool(_Command, frozen=True, kw_only=True):
    """Run one tool call through the action pipeline. ``arguments`` are the canonical bytes that the journal fixed.

    With ``intent`` set the effect may have happened already; with ``approval`` set a person agreed. The numbers count
    the run's calls, its calls of this tool and its steps, this one included: bounds are checked against them.
    """

    attempt: int
    slot: int
    arguments: bytes
    call_number: int
    call_number_of_tool: int
    step_number: int
    intent: IntentRecorded | None = None
    approval: ApprovalGiven | None = None

    def with_intent(self, intent: IntentRecorded) -> CallTool:
        """Return the same call with its intent on record."""
        return msgspec.structs.replace(self, intent=intent)

    def with_approval(self, approval: ApprovalGiven) -> CallTool:
        """Return the same call, agreed to."""
        return msgspec.structs.replace(self, approval=approval)

    def without_approval(self) -> CallTool:
        """Return the same call with its approval void."""
        return msgspec.structs.replace(self, approval=None)


class AwaitApproval(_Command, frozen=True, kw_only=True):
    """Wait for a person; ``due_us`` is when the request expires, ``call`` what goes on if they agree."""

    slot: int
    approval_id: str
    due_us: int
    call: CallTool


class AwaitRetry(_Command, frozen=True, kw_only=True):
    """Wait before attempt ``attempt``."""

    attempt: int
    due_us: int


class AwaitTimer(_Command, frozen=True, kw_only=True):
    """Wait for a timer step's instant."""

    due_us: int


class AwaitMessage(_Command, frozen=True, kw_only=True):
    """Wait for a signal or inbound event."""

    source: Literal["signal", "event"]
    name: str
    correlation: str | None = None
    due_us: int | None = None


class AwaitSettlement(_Command, frozen=True, kw_only=True):
    """Wait for a person to settle an effect that may have happened."""

    slot: int
    reason: str


Command = CallTool | AwaitApproval | AwaitRetry | AwaitTimer | AwaitMessage | AwaitSettlement
