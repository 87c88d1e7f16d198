"""Clients with a list of their own: they order, send a signal where one is waited for, and wait for the outcome.

Owns: a workflow with a keyed effect whose result can be computed, the remit for it, and clients that repeat what was
not acknowledged, as well-behaved ones do. Does not know: what goes wrong meanwhile.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TypeVar

from remit.bootstrap import OPERATOR, Kernel
from remit.clock import monotonic
from remit.core.canonical import JsonValue
from remit.core.definition import Bounds, Definition, RetryPolicy, SignalStep, Step, ToolStep, definition_digest
from remit.errors import OperationError
from remit.governance.contracts import ToolContract, contract_digest
from remit.governance.policy import BusinessConfig, Scope, encode_policy
from remit.ids import Digest, RunId
from remit.ports.tool import LookupResult, ToolContext, ToolResult
from remit.testing.tools import contract
from tests.crash.ledger import Acknowledged, Book, Ledger

Answer = TypeVar("Answer")

BOUNDS = Bounds(steps_max=1_000, tool_calls_max=1_000, active_seconds_max=86_400)
ASK_AGAIN_SECONDS = 0.05
SIGNALLED_EACH = 4
"""Every fourth order waits for a signal."""


class ReadTool:
    """Adds one: without effect."""

    contract: ToolContract = contract("load.read")
    lookup = None

    async def call(self, arguments: Mapping[str, JsonValue], context: ToolContext) -> ToolResult:
        """Return the next number."""
        number = arguments["number"]
        assert isinstance(number, int)
        return ToolResult(output={"number": number + 1})


class PostTool:
    """Does a keyed effect in a provider's book."""

    contract: ToolContract = contract("load.post", delivery="keyed")

    def __init__(self, book: Book) -> None:
        self._book = book

    async def call(self, arguments: Mapping[str, JsonValue], context: ToolContext) -> ToolResult:
        """Do it once for the key."""
        number = arguments["number"]
        assert isinstance(number, int)
        done = self._book.do(context.external_key, run=context.run_id, number=number + 1, at=monotonic())
        return ToolResult(output={"number": done}, external_reference=context.reference)

    @property
    def lookup(self) -> Callable[[Mapping[str, JsonValue], ToolContext], Awaitable[LookupResult]]:
        """Return the search in the book."""
        return self._look_up

    async def _look_up(self, arguments: Mapping[str, JsonValue], context: ToolContext) -> LookupResult:
        number = self._book.find(context.external_key)
        if number is None:
            return LookupResult(result=None)
        return LookupResult(result=ToolResult(output={"number": number}, external_reference=context.reference))


def tools_of(book: Book) -> list[ReadTool | PostTool]:
    """Return the workflow's tools."""
    return [ReadTool(), PostTool(book)]


def _tool_step(step: str, tool: ToolContract, number: JsonValue, *after: str) -> ToolStep:
    return ToolStep(
        id=step,
        depends_on=after,
        tool=tool.name,
        tool_version=tool.version,
        contract_digest=contract_digest(tool),
        input={"number": number},
        retry=RetryPolicy(attempts_max=5, delay_initial_ms=50, delay_max_ms=500),
    )


def workflow(*, has_signal: bool) -> Definition:
    """Return read, (signal,) post, read: the output is the input plus three."""
    steps: list[Step] = [_tool_step("first", ReadTool.contract, "${{ input.number }}")]
    if has_signal:
        steps.append(SignalStep(id="gate", depends_on=("first",), signal="go"))
    last = steps[-1].id
    steps += [
        _tool_step("post", PostTool.contract, "${{ steps.first.output.number }}", last),
        _tool_step("last", ReadTool.contract, "${{ steps.post.output.number }}", "post"),
    ]
    return Definition(
        name="signalled" if has_signal else "straight",
        version="1",
        bounds=BOUNDS,
        steps=tuple(steps),
        output="${{ steps.last.output.number }}",
    )


async def prepare(kernel: Kernel) -> dict[bool, Digest]:
    """Store the remit and both workflows; return their digests by whether they wait for a signal."""
    config = BusinessConfig(
        name="load", version="1", bounds=BOUNDS, scopes=(Scope(tool="load.read"), Scope(tool="load.post"))
    )
    body = encode_policy(config)
    tenant_id = kernel.tenant_id
    await kernel.store.directory.put_policy(tenant_id, digest=Digest(definition_digest(body)), body=body)
    kernel.catalogue.forget(tenant_id)
    return {
        has_signal: Digest((await kernel.put_definition(workflow(has_signal=has_signal))).digest)
        for has_signal in (False, True)
    }


@dataclass
class Clients:
    """Clients of one kernel. ``refused`` counts the errors they saw, by code; ``given_up`` ends their patience."""

    kernel: Kernel
    digests: Mapping[bool, Digest]
    ledger: Ledger = field(default_factory=Ledger)
    refused: dict[str, int] = field(default_factory=dict)
    given_up: asyncio.Event = field(default_factory=asyncio.Event)

    async def order(self, number: int) -> None:
        """Order, signal if need be, and wait for the outcome; each until it is acknowledged."""
        order = await self.submit(number)
        await self.finish(order)

    async def submit(self, number: int) -> Acknowledged:
        """Order."""
        kernel, key = self.kernel, f"order-{number}"
        submitted = await self.insist(
            lambda: kernel.runs.submit(
                kernel.tenant_id,
                definition_digest=self.digests[number % SIGNALLED_EACH == 0],
                run_input={"number": number},
                principal_id=OPERATOR,
                submission_key=key,
            )
        )
        order = Acknowledged(number=number, run_id=submitted.run_id)
        self.ledger.orders[key] = order
        return order

    async def finish(self, order: Acknowledged) -> None:
        """Send the signal if one is waited for, and wait for the outcome."""
        kernel, run_id = self.kernel, RunId(order.run_id)
        if order.number % SIGNALLED_EACH == 0:
            await self.insist(
                lambda: kernel.runs.signal(
                    kernel.tenant_id,
                    run_id,
                    name="go",
                    payload={},
                    sent_by=OPERATOR,
                    message_id=f"signal:{order.number}",
                )
            )
            order.is_signalled = True
        order.output = await self.outcome(run_id)

    async def outcome(self, run_id: RunId) -> object:
        """Return a run's output once it is over; fails if it did not end well."""
        while True:  # bound: the test's own deadline
            run = await self.insist(lambda: self.kernel.runs.wait(self.kernel.tenant_id, run_id, timeout_seconds=5.0))
            if run.status == "completed":
                assert run.output is not None
                return json.loads(run.output)
            if run.status in {"failed", "cancelled", "aborted"}:
                return {"status": run.status}

    async def insist(self, ask: Callable[[], Awaitable[Answer]]) -> Answer:
        """Ask until the answer is no outage."""
        while True:  # bound: the test's own deadline
            try:
                return await ask()
            except OperationError as error:
                self.refused[error.code] = self.refused.get(error.code, 0) + 1
            with suppress(TimeoutError):
                async with asyncio.timeout(ASK_AGAIN_SECONDS):
                    await self.given_up.wait()
            if self.given_up.is_set():
                raise asyncio.CancelledError

    async def orders(self, numbers: range, *, at_once: int = 16) -> None:
        """Let so many clients order at a time."""
        gate = asyncio.Semaphore(at_once)

        async def one(number: int) -> None:
            async with gate:
                await self.order(number)

        async with asyncio.TaskGroup() as group:
            for number in numbers:
                group.create_task(one(number))
