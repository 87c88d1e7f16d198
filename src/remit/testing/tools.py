"""Tools for tests: they do what a test says, and keep a book of what they did.

Owns: ``ScriptedTool`` and the turns of its script. It stands for a provider of any delivery class: a keyed one does the
work once per key, a queryable one finds it again. Does not know: the pipeline.

    pay = ScriptedTool(contract("shop.pay", delivery="keyed"), Turn(error=ToolError("busy", retryable=True)), Turn())
    ...
    assert 2 == len(pay.calls)
    assert 1 == len(pay.effects)
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from remit.core.canonical import JsonValue
from remit.core.states import DeliveryClass, Idempotency, SideEffectLevel
from remit.errors import ToolError
from remit.governance.contracts import ToolContract
from remit.ports.tool import LookupResult, ToolContext, ToolResult

WAIT_SECONDS_MAX: Final = 10.0
ANY_OBJECT: Final[dict[str, JsonValue]] = {"type": "object", "additionalProperties": True}
DEFAULT_OUTPUT: Final[dict[str, JsonValue]] = {"ok": True}


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What one call does: the work (or not), then a pause if there is one, then its output or error.

    ``is_done`` says whether the work is done before an error is raised: with an error whose effect is ``unknown`` that
    is an answer that got lost. ``until`` holds the call up: it returns when the event is set.
    """

    output: JsonValue = field(default_factory=lambda: dict(DEFAULT_OUTPUT))
    error: BaseException | None = None
    is_done: bool = True
    until: asyncio.Event | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptedCall:
    """One call, as the tool saw it."""

    arguments: Mapping[str, JsonValue]
    context: ToolContext


def contract(
    name: str,
    *,
    delivery: Literal["pure", "local", "keyed", "queryable", "opaque"] = "pure",
    idempotency: Literal["none", "step", "arguments"] | None = None,
) -> ToolContract:
    """Return a contract that takes any object; ``msgspec.structs.replace`` sets the rest.

    ``pure`` is a READ without a key, everything else a HARD_WRITE with the key of its step.
    """
    is_pure = delivery == "pure"
    return ToolContract(
        name=name,
        input_schema=dict(ANY_OBJECT),
        side_effect_level=SideEffectLevel.READ if is_pure else SideEffectLevel.HARD_WRITE,
        delivery_class=DeliveryClass(delivery),
        idempotency=Idempotency(idempotency or ("none" if is_pure else "step")),
    )


class ScriptedTool:
    """A tool that plays turns in order; the last one, or success, for good.

    ``calls`` are the calls in order, ``lookups`` the look-ups; ``effects`` is the book: the arguments of the work that
    was done, by the external key under which it was asked for. An opaque provider does it again for the same key.
    """

    def __init__(self, contract: ToolContract, *script: Turn) -> None:
        self._contract = contract
        self._script = list(script) or [Turn()]
        self._called = asyncio.Condition()
        self._outputs: dict[str, JsonValue] = {}
        self.calls: list[ScriptedCall] = []
        self.lookups: list[ScriptedCall] = []
        self.effects: list[tuple[str, Mapping[str, JsonValue]]] = []

    @property
    def contract(self) -> ToolContract:
        """Return the contract."""
        return self._contract

    @property
    def lookup(self) -> Callable[[Mapping[str, JsonValue], ToolContext], Awaitable[LookupResult]] | None:
        """Return the search in the book, if providers of this class can be asked."""
        can_be_asked = self._contract.delivery_class in {DeliveryClass.KEYED, DeliveryClass.QUERYABLE}
        return self._look_up if can_be_asked else None

    async def call(self, arguments: Mapping[str, JsonValue], context: ToolContext) -> ToolResult:
        """Play the next turn."""
        turn = self._script.pop(0) if len(self._script) > 1 else self._script[0]
        self.calls.append(ScriptedCall(arguments=arguments, context=context))
        output = self._do(turn, arguments, context)
        async with self._called:
            self._called.notify_all()
        if turn.until is not None:
            await turn.until.wait()
        if turn.error is not None:
            raise turn.error
        return ToolResult(output=output, external_reference=context.reference)

    async def wait_for_calls(self, count: int, *, timeout_seconds: float = WAIT_SECONDS_MAX) -> None:
        """Return when this many calls have begun.

        Raises:
            TimeoutError: they did not begin in time.
        """
        async with asyncio.timeout(timeout_seconds), self._called:
            await self._called.wait_for(lambda: len(self.calls) >= count)

    def _do(self, turn: Turn, arguments: Mapping[str, JsonValue], context: ToolContext) -> JsonValue:
        """Do the work of a turn, unless there is none or a keyed provider did it before; return the output."""
        if not self._contract.has_effect or not turn.is_done:
            return turn.output
        key = context.external_key
        if self._contract.delivery_class is DeliveryClass.KEYED and key in self._outputs:
            return self._outputs[key]
        self.effects.append((key, arguments))
        self._outputs[key] = turn.output
        return turn.output

    async def _look_up(self, arguments: Mapping[str, JsonValue], context: ToolContext) -> LookupResult:
        self.lookups.append(ScriptedCall(arguments=arguments, context=context))
        if context.external_key not in self._outputs:
            return LookupResult(result=None)
        output = self._outputs[context.external_key]
        return LookupResult(result=ToolResult(output=output, external_reference=context.reference))


def lost_answer(reason: str = "TIMED_OUT") -> Turn:
    """Return a turn in which the work is done and its answer gets lost."""
    return Turn(error=ToolError("the answer got lost", retryable=True, effect="unknown", reason=reason))


def lost_request(reason: str = "TIMED_OUT") -> Turn:
    """Return a turn that looks the same from here, but nothing was done."""
    error = ToolError("the request got lost", retryable=True, effect="unknown", reason=reason)
    return Turn(error=error, is_done=False)


def refusal(reason: str = "REFUSED", *, retryable: bool = False) -> Turn:
    """Return a turn in which the provider says no, and did nothing."""
    return Turn(error=ToolError(f"refused: {reason}", retryable=retryable, reason=reason), is_done=False)
