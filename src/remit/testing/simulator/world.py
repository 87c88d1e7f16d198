"""The world outside: providers that remember, forget and fail, and the book of what they did.

Owns: the book of effects, which nobody of ours can change, and ``SimulatedTool``, which is how one worker reaches it. A
request that was sent arrives, whatever became of its sender.
Does not know: the kernel. What a tool answers is its act: a plain function of arguments and context.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

from remit.core.canonical import JsonValue, canonical_bytes
from remit.core.facts import OutboxMessage
from remit.core.states import DeliveryClass
from remit.errors import ToolError
from remit.governance.contracts import ToolContract
from remit.ports.tool import LookupResult, ToolContext, ToolResult
from remit.testing.simulator.dice import Dice, Fault
from remit.testing.simulator.loop import VirtualLoop

Act = Callable[[Mapping[str, JsonValue], ToolContext], JsonValue]
"""What a tool does: its output from its arguments, or a ``ToolError``. Pure: the same call gives the same answer."""

_Answer = JsonValue | ToolError

MayStrike = Callable[[Fault, ToolContract, ToolContext], bool]
"""Whether a fault is allowed at a call; a scenario whose outcome is known must not lose it to bad luck."""

_MISBEHAVIOUR: Final = (
    Fault.FAIL, Fault.RETRY_AFTER, Fault.LOST_REQUEST, Fault.LOST_ANSWER, Fault.HANG, Fault.GARBAGE,
    Fault.TOOL_CRASH, Fault.CRASH_IN_CALL,
)  # fmt: skip
_LATENCY_SECONDS_MAX: Final = 4.0
_GARBAGE: Final[JsonValue] = ["no", "object"]


class Process(Protocol):
    """The worker that a call comes from: it may die or stall under way."""

    async def gate(self) -> None:
        """Return when the process is running; a dead one never is."""
        ...

    def die(self) -> None:
        """Lose all memory."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """One line of the book: something that was done, and on whose request."""

    tool: str
    step: str
    slot: int
    attempt: int
    key: str
    arguments_digest: str
    at_seconds: float
    output: JsonValue


@dataclass(slots=True, kw_only=True)
class World:
    """Everything outside of Remit. ``on_effect`` is told of each effect as it happens."""

    loop: VirtualLoop
    dice: Dice
    acts: Mapping[str, Act]
    may_strike: MayStrike
    on_effect: Callable[[Effect], None]
    book: list[Effect] = field(default_factory=list)
    sent: set[tuple[str, str, int]] = field(default_factory=set)
    """Every call of which a request left: tool, step, attempt."""
    _answers: dict[str, tuple[float, JsonValue]] = field(default_factory=dict)

    def execute(self, contract: ToolContract, arguments: Mapping[str, JsonValue], context: ToolContext) -> JsonValue:
        """Do the work of a request that arrived; a keyed provider that remembers its key answers as before."""
        key = context.external_key
        known = self._answers.get(key)
        is_keyed = contract.delivery_class is DeliveryClass.KEYED
        if known is not None and is_keyed and self.loop.time() - known[0] < contract.key_window_seconds:
            return known[1]
        output = self.acts[contract.name](arguments, context)
        if contract.has_effect and contract.delivery_class is not DeliveryClass.LOCAL:
            effect = Effect(
                tool=contract.name,
                step=context.step,
                slot=context.slot,
                attempt=context.attempt,
                key=key,
                arguments_digest=hashlib.sha256(canonical_bytes(dict(arguments))).hexdigest(),
                at_seconds=self.loop.time(),
                output=output,
            )
            self.book.append(effect)
            self._answers[key] = (self.loop.time(), output)
            self.on_effect(effect)
        return output

    def find(self, key: str) -> Effect | None:
        """Return the last effect under a key."""
        return next((effect for effect in reversed(self.book) if effect.key == key), None)

    def find_step(self, step: str, slot: int) -> Effect | None:
        """Return the last effect of a step, as a person would find it."""
        return next((effect for effect in reversed(self.book) if (effect.step, effect.slot) == (step, slot)), None)


class SimulatedTool:
    """One worker's way to a provider."""

    def __init__(self, contract: ToolContract, world: World, process: Process) -> None:
        self._contract = contract
        self._world = world
        self._process = process

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
        """Send a request. It arrives, or not; its answer comes back, or not."""
        dice = self._world.dice
        fate = next((fault for fault in _MISBEHAVIOUR if self._strikes(fault, context)), None)
        if fate in {Fault.FAIL, Fault.RETRY_AFTER, Fault.LOST_REQUEST}:
            await asyncio.sleep(dice.pause())
            raise _failure(fate, dice)
        does_arrive = fate is not Fault.HANG or dice.rng.random() < 0.5
        if fate is Fault.CRASH_IN_CALL:
            self._world.loop.call_later(dice.pause(_LATENCY_SECONDS_MAX), self._process.die)
        answer = self._send(arguments, context) if does_arrive else None
        if answer is None or fate is Fault.HANG:
            answer = self._world.loop.create_future()
        output = await answer
        await asyncio.sleep(dice.pause())
        await self._process.gate()
        if isinstance(output, ToolError):
            raise output
        match fate:
            case Fault.LOST_ANSWER:
                raise ToolError("the answer got lost", retryable=True, effect="unknown", reason="CONNECTION_LOST")
            case Fault.TOOL_CRASH:
                raise RuntimeError("a bug of the tool, after the work was done")
            case Fault.GARBAGE:
                output = _GARBAGE
            case _:
                pass
        reference = context.reference if self._contract.has_effect else None
        return ToolResult(output=output, external_reference=reference, tokens=1, outbox=self._outbox(output))

    def _strikes(self, fault: Fault, context: ToolContext) -> bool:
        return self._world.may_strike(fault, self._contract, context) and self._world.dice.strikes(fault)

    def _send(self, arguments: Mapping[str, JsonValue], context: ToolContext) -> asyncio.Future[_Answer]:
        """Put a request on its way: it arrives inside the call's time, also when nobody waits for its answer any
        more.
        """
        self._world.sent.add((self._contract.name, context.step, context.attempt))
        answer: asyncio.Future[_Answer] = self._world.loop.create_future()

        def arrive() -> None:
            try:
                output: _Answer = self._world.execute(self._contract, arguments, context)
            except ToolError as refusal:
                output = refusal
            if not answer.done():
                answer.set_result(output)

        seconds = min(_LATENCY_SECONDS_MAX, context.deadline_seconds * 0.9)
        self._world.loop.call_later(self._world.dice.pause(seconds), arrive)
        return answer

    def _outbox(self, output: JsonValue) -> tuple[OutboxMessage, ...]:
        if self._contract.delivery_class is not DeliveryClass.LOCAL:
            return ()
        return (OutboxMessage(topic="simulated.done", body=output),)

    async def _look_up(self, arguments: Mapping[str, JsonValue], context: ToolContext) -> LookupResult:
        """Search the book for the call's reference."""
        del arguments
        dice = self._world.dice
        await asyncio.sleep(dice.pause())
        await self._process.gate()
        if dice.strikes(Fault.LOOKUP_FAIL, eagerness=2.0):
            raise ToolError("the search is down", retryable=True, reason="SEARCH_DOWN")
        effect = self._world.find(context.external_key)
        if effect is None:
            return LookupResult(result=None)
        return LookupResult(result=ToolResult(output=effect.output, external_reference=context.reference))


class Shelf:
    """The tools of one worker."""

    def __init__(self, tools: list[SimulatedTool]) -> None:
        self._tools = {tool.contract.name: tool for tool in tools}

    def get(self, name: str, version: str | None = None) -> SimulatedTool:
        """Return a tool; there is one version of each."""
        del version
        return self._tools[name]

    def list(self) -> list[SimulatedTool]:
        """Return every tool."""
        return list(self._tools.values())


def _failure(fate: Fault | None, dice: Dice) -> ToolError:
    if fate is Fault.LOST_REQUEST:
        return ToolError("the request got lost", retryable=True, effect="unknown", reason="CONNECTION_LOST")
    seconds = dice.pause(15.0) if fate is Fault.RETRY_AFTER else None
    return ToolError("busy", retryable=True, reason="UNAVAILABLE", retry_after_seconds=seconds)
