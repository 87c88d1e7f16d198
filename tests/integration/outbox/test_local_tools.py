"""Tools of the delivery class ``local``: nothing happened, or all of it did."""

import asyncio
from datetime import timedelta

import pytest

from remit import OutboxMessage, ToolContext, ToolResult, tool
from remit.bootstrap import Kernel
from remit.core.canonical import JsonValue
from remit.core.facts import StepCompleted, decode_facts
from remit.core.states import RunStatus
from remit.errors import ToolError
from remit.ports.store import RunSummary
from remit.ports.tool import Tool
from remit.testing.database import ScratchDatabase
from tests.integration.outbox.receiver import SECRET, Receiver
from tests.integration.outbox.world import TENANT, kernel_with, publish, remit_file, settings_of, submit

REMIT = remit_file("http://127.0.0.1:9/in").replace(b"[{tool: outbox.publish}]", b"[{tool: shop.*}, {tool: outbox.*}]")


def orchestration(tool_name: str, *, steps: int = 1, attempts: int = 1) -> bytes:
    """Steps that call a tool one after the other."""
    lines = ["name: local", "version: 1.0.0", "steps:"]
    for number in range(steps):
        lines += [
            f"  - id: s{number}", f"    tool: {tool_name}", f"    depends_on: [{f's{number - 1}' if number else ''}]",
            "    input: {order: 7}", f"    retry: {{attempts_max: {attempts}, delay_initial: 10ms}}",
        ]  # fmt: skip
    return "\n".join(lines).encode()


async def run_once(scratch: ScratchDatabase, *tools: Tool, name: str, **shape: int) -> tuple[RunSummary, list[str]]:
    """Run steps that call a tool; returns the run, and the topics in the outbox."""
    async with Kernel(packs=[], tools=tools, settings=settings_of(scratch)) as kernel:
        assert kernel.worker is not None
        kernel.worker.on_outbox = None
        await kernel.apply_business(REMIT, path="remit.yaml", tenant_id=TENANT)
        stored = await kernel.apply_orchestration(orchestration(name, **shape), path="a.yaml", tenant_id=TENANT)
        run = await kernel.runs.wait(TENANT, await submit(kernel, stored, None), timeout_seconds=20)
        return run, sorted(one.topic for one in await kernel.store.outbox.list(TENANT))


def code_of(run: RunSummary) -> str:
    """The code that a run failed with."""
    return (run.error or b"").decode().split('"code":"')[-1].partition('"')[0]


@tool("shop.announce", side_effect="SOFT_WRITE", delivery="local")
async def announce(order: int) -> ToolResult:
    """Publish two messages about an order."""
    messages = (OutboxMessage(topic="orders.paid", body={"order": order}), OutboxMessage(topic="orders.packed"))
    return ToolResult(output={"order": order}, outbox=messages)


async def test_tool_may_publish_several_messages(scratch: ScratchDatabase) -> None:
    """
    Each message is a row of its own; the ids are those that the context tells.
    """
    run, topics = await run_once(scratch, announce, name="shop.announce", steps=2)

    assert RunStatus.COMPLETED == run.status
    assert ["orders.packed", "orders.packed", "orders.paid", "orders.paid"] == topics


async def test_failed_attempt_publishes_nothing(scratch: ScratchDatabase) -> None:
    """
    A local call that fails, whatever it says of its effect, left nothing behind: it is tried again, never parked.
    """
    calls = []

    @tool("shop.flaky", side_effect="HARD_WRITE", delivery="local")
    async def flaky(order: int) -> ToolResult:
        calls.append(order)
        if len(calls) == 1:
            raise ToolError("nobody knows", retryable=True, effect="unknown", reason="FLAKY")
        return ToolResult(output=None, outbox=(OutboxMessage(topic="orders.paid"),))

    run, topics = await run_once(scratch, flaky, name="shop.flaky", attempts=3)

    assert (RunStatus.COMPLETED, ["orders.paid"], 2) == (run.status, topics, len(calls))


async def test_crashed_tool_fails_its_step(scratch: ScratchDatabase) -> None:
    """
    A bug in a local tool parks nothing, for nothing can have happened.
    """

    @tool("shop.broken", side_effect="HARD_WRITE", delivery="local")
    async def broken(order: int) -> ToolResult:
        raise RuntimeError("a bug")

    run, topics = await run_once(scratch, broken, name="shop.broken")

    assert (RunStatus.FAILED, "TOOL_CRASHED", []) == (run.status, code_of(run), topics)


@pytest.mark.parametrize(
    "messages",
    [
        (OutboxMessage(topic="No topic"),),
        (OutboxMessage(topic="orders.paid", body={"token": SECRET}),),
        (OutboxMessage(topic="orders.paid", body="x" * 300_000),),
    ],
    ids=["topic", "secret", "size"],
)
async def test_messages_that_are_refused_fail_the_step(
    scratch: ScratchDatabase, messages: tuple[OutboxMessage, ...]
) -> None:
    """
    A malformed or oversized message, or one that holds a secret, is not published, and the call counts as not made.
    """

    @tool("shop.careless", side_effect="SOFT_WRITE", delivery="local", credential="hooks")
    async def careless(order: int) -> ToolResult:
        return ToolResult(output=None, outbox=messages)

    run, topics = await run_once(scratch, careless, name="shop.careless")

    assert (RunStatus.FAILED, "RESULT_INVALID", []) == (run.status, code_of(run), topics)


async def test_other_tools_may_not_publish(scratch: ScratchDatabase) -> None:
    """
    Messages of a tool that acts outside would be lost by a crash after its effect, so its result is invalid.
    """

    @tool("shop.read")
    async def read(order: int) -> ToolResult:
        return ToolResult(output=None, outbox=(OutboxMessage(topic="orders.paid"),))

    run, topics = await run_once(scratch, read, name="shop.read")

    assert (RunStatus.FAILED, "RESULT_INVALID", []) == (run.status, code_of(run), topics)


async def test_same_content_is_published_once(scratch: ScratchDatabase) -> None:
    """
    A local tool that happens once per content adopts the first outcome in the second step, and publishes nothing more.
    """

    @tool("shop.once", side_effect="SOFT_WRITE", delivery="local", idempotency="arguments")
    async def once(order: int) -> ToolResult:
        return ToolResult(output=order, outbox=(OutboxMessage(topic="orders.paid"),))

    run, topics = await run_once(scratch, once, name="shop.once", steps=2)

    assert (RunStatus.COMPLETED, ["orders.paid"]) == (run.status, topics)


async def test_message_that_nobody_subscribes_to_is_in_the_journal(scratch: ScratchDatabase) -> None:
    """
    It is no row of the outbox, but the fact says that it was published.
    """
    async with kernel_with(scratch, has_relay=False) as kernel:
        (run,) = await publish(kernel)
        entries = (await kernel.store.reader.read_run(TENANT, run.run_id)).entries
        facts = [fact for entry in entries for fact in decode_facts(entry.payload or b"[]")]
        listed = await kernel.store.outbox.list(TENANT)

    (completed,) = [fact for fact in facts if isinstance(fact, StepCompleted)]
    assert (RunStatus.COMPLETED, []) == (run.status, listed)
    assert [("orders.paid", ())] == [(one.topic, one.destinations) for one in completed.outbox]


async def test_call_of_a_dead_worker_is_made_again_and_publishes_once(
    scratch: ScratchDatabase, receiver: Receiver
) -> None:
    """
    A worker that dies inside a local call leaves nothing; the next one makes the call again, and one message arrives.
    """
    reached, calls = asyncio.Event(), []

    @tool("shop.interrupted", side_effect="HARD_WRITE", delivery="local")
    async def interrupted(context: ToolContext, order: int) -> ToolResult:
        calls.append(context.attempt)
        if len(calls) == 1:
            reached.set()
            await asyncio.Event().wait()
        output: JsonValue = context.message_id()
        return ToolResult(output=output, outbox=(OutboxMessage(topic="orders.paid", body=order),))

    text = orchestration("shop.interrupted") + b"\noutput: ${{ steps.s0.output }}"
    remit = remit_file(receiver.url).replace(b"outbox.publish", b"shop.*")
    outsiders = asyncio.all_tasks()
    dying = Kernel(packs=[], tools=[interrupted], settings=settings_of(scratch, lease=timedelta(seconds=1)))
    await dying.start()
    await dying.apply_business(remit, path="remit.yaml", tenant_id=TENANT)
    stored = await dying.apply_orchestration(text, path="a.yaml", tenant_id=TENANT)
    run_id = await submit(dying, stored, None)
    await reached.wait()
    await kill(dying, outsiders)

    async with Kernel(packs=[], tools=[interrupted], settings=settings_of(scratch)) as kernel:
        run = await kernel.runs.wait(TENANT, run_id, timeout_seconds=20)
        await receiver.until(lambda seen: len(seen.received) == 1)
        listed = await kernel.store.outbox.list(TENANT)

    assert (RunStatus.COMPLETED, [1, 1]) == (run.status, calls)
    assert [receiver.received[0].message_id] == [one.message_id for one in listed]
    assert f'"{receiver.received[0].message_id}"'.encode() == run.output


async def kill(kernel: Kernel, outsiders: set[asyncio.Task[object]]) -> None:
    """End a kernel without a word: its tasks stop where they are, its connections are cut."""
    doomed = asyncio.all_tasks() - outsiders
    for task in doomed:
        task.cancel()
    await asyncio.gather(*doomed, return_exceptions=True)
    await kernel.store.close()
